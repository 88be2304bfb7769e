/** A way from values to places on a drawing. */
export interface Scale {
  /** The place of a value. */
  readonly at: (value: number) => number;
  /** Values that are worth a line and a label. */
  readonly ticks: readonly number[];
}

// Values closer together than this factor fill no chart: their noise would.
const LEAST_SPAN = 1.5;
const ROOM = 0.06;

/** A log scale over values above 0, with some room at both ends; `from` is the place of the least. */
export function logScale(values: readonly number[], from: number, to: number): Scale {
  const logs = values.filter((value) => value > 0).map(Math.log);
  const [least, greatest] = logs.length === 0 ? [0, 0] : [Math.min(...logs), Math.max(...logs)];
  const missing = Math.max(0, Math.log(LEAST_SPAN) - (greatest - least)) / 2;
  const room = (greatest - least + 2 * missing) * ROOM + missing;
  const [low, high] = [least - room, greatest + room];
  const ticks = high - low < Math.log(4)
    ? niceTicks(Math.exp(low), Math.exp(high))
    : decades(low, high);
  return { at: (value) => from + (to - from) * (Math.log(value) - low) / (high - low), ticks };
}

/** A linear scale from `low` to `high`; `from` is the place of `low`. */
export function linearScale(low: number, high: number, from: number, to: number): Scale {
  const span = high - low || 1;
  return {
    at: (value) => from + (to - from) * (value - low) / span,
    ticks: niceTicks(low, low + span),
  };
}

function decades(low: number, high: number): number[] {
  // As many of each decade's numbers as there is room for.
  for (const digits of [[1, 1.5, 2, 3, 4, 5, 7], [1, 2, 3, 5], [1, 2, 5], [1, 3], [1]]) {
    const ticks: number[] = [];
    for (let power = Math.floor(low / Math.LN10); power <= Math.ceil(high / Math.LN10); power++) {
      for (const digit of digits) {
        const tick = Number(`${digit}e${power}`);
        if (Math.log(tick) >= low && Math.log(tick) <= high) ticks.push(tick);
      }
    }
    if (ticks.length <= 6) return ticks;
  }
  const first = Math.ceil(low / Math.LN10);
  const every = Math.ceil((high - low) / Math.LN10 / 6);
  return Array.from({ length: 7 }, (_, i) => Number(`1e${first + i * every}`))
    .filter((tick) => Math.log(tick) <= high);
}

// Multiples of 1, 2 or 5 times a power of ten, about four of them.
function niceTicks(low: number, high: number): number[] {
  const rough = (high - low) / 4;
  if (!(rough > 0) || !Number.isFinite(rough)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((digit) => digit * power >= rough) ?? 10);
  const ticks: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
    ticks.push(Number((i * step).toPrecision(12)));
  }
  return ticks;
}
