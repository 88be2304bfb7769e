/**
 * The priority of a workflow by how many of its runs succeed: one level less while too few do, and one more again, up to
 * where it was, once nearly all do. Between `low` and `high` nothing changes, and each level is given as many runs as the
 * one before it.
 */
import type { SpanReference } from "spanloop";
import type { Config } from "./config.ts";

/** One run. */
export interface Sample extends SpanReference {
  /** Whether it succeeded. */
  readonly succeeded: boolean;
}

/** What is watched. */
export interface Watch {
  /** The priority that rules. */
  readonly value: number;
  /** The runs under it since the last look, oldest first. */
  readonly samples: readonly Sample[];
  /** The priority before it was lowered first; absent while it never was. */
  readonly before?: number;
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

/** Watches a priority: what was asked for, or one of which nothing is known. */
export function begin(value: number, before?: Watch): Watch {
  const asked = before?.asked?.value === value ? before.asked : { value };
  return { ...asked, samples: [] };
}

/** Looks at what is watched; `least` is the lowest priority that is allowed. */
export function look(watch: Watch, { runs, low, high }: Config, least: number): Look {
  const { value, samples, before } = watch;
  const count = samples.length;
  const succeeded = samples.filter((sample) => sample.succeeded).length;
  const isFull = count >= runs;
  const fresh = { ...watch, samples: [] };
  const said = `Of ${count} ${count === 1 ? "run" : "runs"} with priority ${value}, ${
    percent(succeeded / count)
  } succeeded`;
  // As soon as the rest of the window cannot make up for it; what was refused is asked for once a window.
  if ((runs - count + succeeded) / runs < low && (isFull || watch.asked === undefined)) {
    if (value - 1 < least) return { watch: fresh };
    return {
      watch: { ...fresh, asked: { value: value - 1, before: before ?? value } },
      reason: `${said} (less than ${percent(low)}): ${value - 1}, so that others come first`,
    };
  }
  if (!isFull) return { watch };
  if (before === undefined || value >= before || succeeded / count < high) return { watch: fresh };
  const asked = value + 1 === before ? { value: before } : { value: value + 1, before };
  return {
    watch: { ...fresh, asked },
    reason: `${said} (at least ${percent(high)}): back towards ${before}, ${value + 1}`,
  };
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
