/** The middle of some figures, with the least and the largest. */
export interface Spread {
  /** The median. */
  readonly median: number;
  /** The least. */
  readonly min: number;
  /** The largest. */
  readonly max: number;
}

/** The spread of at least one figure. */
export function spread(figures: readonly number[]): Spread {
  const sorted = figures.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return {
    median: sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2,
    min: sorted[0],
    max: sorted[sorted.length - 1],
  };
}

/** `4,120 (3,980-4,300)`. */
export function shown({ median, min, max }: Spread, decimals = 0): string {
  return `${figure(median, decimals)} (${figure(min, decimals)}-${figure(max, decimals)})`;
}

/** `4,120.5`. */
export function figure(value: number, decimals = 0): string {
  return value.toLocaleString("en", {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
}

/** Runs both by turns, `count` times, so that what else the machine does meets both alike. */
export async function alternate<R, E>(
  count: number,
  raw: () => R | Promise<R>,
  engine: () => E | Promise<E>,
): Promise<{ readonly raw: R[]; readonly engine: E[] }> {
  const results = { raw: [] as R[], engine: [] as E[] };
  for (let i = 0; i < count; i++) {
    results.raw.push(await raw());
    results.engine.push(await engine());
  }
  return results;
}

/** The spread of each pair's engine figure over its raw figure. */
export function ratios(raw: readonly number[], engine: readonly number[]): Spread {
  return spread(engine.map((value, i) => value / raw[i]));
}
