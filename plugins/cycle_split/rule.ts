/**
 * Splits work that takes longer than its cycle time: into smaller batches, or onto more lanes.
 *
 * A change aims at a part of the cycle time, and its way back is taken only where that part would be kept there too, or
 * by at least half as much again, twice in a row: what is just within the cycle time changes nothing.
 */
import type { SpanReference } from "spanloop";
import type { Config } from "./config.ts";

/** One batch, or one whole step. */
export interface Sample extends SpanReference {
  /** How long it took. */
  readonly seconds: number;
}

/** What is watched. */
export interface Watch {
  /** The value that rules. */
  readonly value: number;
  /** What ran under it since the last look, oldest first. */
  readonly samples: readonly Sample[];
  /** The value before it was split first; absent while it never was. */
  readonly before?: number;
  /** Whether the last look found it well within its cycle time. */
  readonly calm: boolean;
  /** What was asked for, and is watched once it rules. */
  readonly asked?: Pick<Watch, "value" | "before">;
}

/** What comes of a look. */
export interface Look {
  /** What is watched from now on. */
  readonly watch: Watch;
  /** Why `watch.asked` is asked for now, a sentence; absent for no change. */
  readonly reason?: string;
}

// So many of the samples must be within the cycle time: a single outlier splits nothing.
const MOST = 0.8;
// What is gained by going back part of the way.
const WORTH = 1.5;

/** The parameter that is changed. */
export function parameterOf({ parameter, of }: Config): string {
  return parameter ?? (of === "batch" ? "batch_size" : "concurrency");
}

/** Watches a value: what was asked for, or one of which nothing is known. */
export function begin(value: number, before?: Watch): Watch {
  const asked = before?.asked?.value === value ? before.asked : { value };
  return { ...asked, samples: [], calm: false };
}

/** Looks at what is watched, within the parameter's bounds. */
export function look(
  watch: Watch,
  config: Config,
  { min = 1, max = Infinity }: { readonly min?: number; readonly max?: number },
): Look {
  const { value, samples, before } = watch;
  if (samples.length < config.attempts) return { watch };
  const fresh = { ...watch, samples: [], calm: false };
  const slow = samples.map(({ seconds }) => seconds)
    .sort((a, b) => a - b)[Math.ceil(MOST * samples.length) - 1];
  const over = slow / config.seconds;
  const batches = config.of === "batch";
  // Where it would take just that part of the cycle time, if time goes with the size, and against the lanes.
  const fitting = batches
    ? Math.floor(value * config.aim / over)
    : Math.ceil(value * over / config.aim);
  const ask = (next: number, why: string, from: number): Look => ({
    watch: { ...fresh, asked: next === from ? { value: next } : { value: next, before: from } },
    reason: `${samples.length} ${batches ? "batches" : "runs"} of ${config.step} with ` +
      `${parameterOf(config)} ${value}: most took up to ${show(slow)} s, and the cycle time is ` +
      `${show(config.seconds)} s: ${why}, ${next}`,
  });
  if (over > 1) {
    const next = batches
      ? Math.max(min, Math.min(value - 1, fitting))
      : Math.min(max, Math.max(value + 1, fitting));
    const apart = batches ? next < value : next > value;
    return apart ? ask(next, batches ? "smaller" : "more", before ?? value) : { watch: fresh };
  }
  if (before === undefined) return { watch: fresh };
  const back = batches ? Math.min(before, fitting) : Math.max(before, fitting);
  const gain = batches ? back / value : value / back;
  if (gain <= 1 || (back !== before && gain < WORTH)) return { watch: fresh };
  if (!watch.calm) return { watch: { ...fresh, calm: true } };
  return ask(back, `back towards ${before}`, before);
}

function show(seconds: number): string {
  return String(Number(seconds.toPrecision(3)));
}
