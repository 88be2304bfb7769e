/**
 * Lowers a value while errors are high, and lets it grow back to where it was.
 *
 * - Between `low` and `high` nothing happens, and after a change the new value is given as many attempts as the old one
 *   was: it does not answer to its own echo.
 * - After each relapse it takes twice as many calm windows to grow back: where the errors come with the value itself, it
 *   is tried ever less often.
 */
import type { SpanReference } from "spanloop";
import type { Config } from "./config.ts";

/** One attempt, as far as it counts here. */
export interface Sample extends SpanReference {
  /** The share of it that failed: of its items, or all of it. */
  readonly failed: number;
}

/** What is watched. */
export interface Watch {
  /** The value that rules. */
  readonly value: number;
  /** The attempts under it since the last look, oldest first. */
  readonly samples: readonly Sample[];
  /** To which value it grows back; absent while it was never lowered. */
  readonly before?: number;
  /** How many calm windows there have been in a row. */
  readonly calm: number;
  /** How many it takes. */
  readonly patience: number;
  /** Whether it has grown to this value; absent: it has not. */
  readonly grown?: true;
  /** What was asked for, and is watched once it rules. */
  readonly asked?: Pick<Watch, "value" | "before" | "patience" | "grown">;
}

/** What comes of a look. */
export interface Look {
  /** What is watched from now on. */
  readonly watch: Watch;
  /** Why `watch.asked` is asked for now, a sentence; absent for no change. */
  readonly reason?: string;
}

// As good as without end: how long it waits is in proportion to how long there has been trouble.
const MOST_PATIENCE = 65_536;
// After so many calm spells at the full value it is forgotten that there ever was trouble.
const RECOVERED = 4;

/** Watches a value: what was asked for, or one of which nothing is known. */
export function begin(value: number, before?: Watch): Watch {
  const asked = before?.asked?.value === value ? before.asked : { value, patience: 1 };
  return { ...asked, samples: [], calm: 0 };
}

/** Looks at what is watched; `least` is the lowest value that is allowed. */
export function look(watch: Watch, config: Config, least: number): Look {
  const { value, samples, before, patience } = watch;
  const { attempts, high, low } = config;
  const failed = samples.reduce((sum, sample) => sum + sample.failed, 0);
  const isFull = samples.length >= attempts;
  const fresh = { ...watch, samples: [], calm: 0 };
  // As soon as even a flawless rest could not bring the window below `high`; what was refused is asked for once a window.
  if (failed / attempts > high && (isFull || watch.asked === undefined)) {
    const less = Math.max(least, Math.min(value - 1, Math.floor(value * config.shrink)));
    if (less >= value) return { watch: fresh };
    const asked = {
      value: less,
      before: before ?? value,
      patience: watch.grown ? Math.min(MOST_PATIENCE, 2 * patience) : patience,
    };
    return {
      watch: { ...fresh, asked },
      reason: `${said(watch, config, failed, `more than ${percent(high)}`)}: less, ${less}`,
    };
  }
  if (!isFull) return { watch };
  if (failed / samples.length > low || before === undefined || config.grow === 1) {
    return { watch: fresh };
  }
  const calm = watch.calm + 1;
  if (value >= before) {
    return { watch: calm < RECOVERED * patience ? { ...fresh, calm } : begin(value) };
  }
  if (calm < patience) return { watch: { ...fresh, calm } };
  const more = Math.min(before, Math.max(value + 1, Math.floor(value * config.grow)));
  const limit = `at most ${percent(low)}${
    calm === 1 ? "" : `, as in each of the ${calm} windows since`
  }`;
  return {
    watch: { ...fresh, asked: { value: more, before, patience, grown: true } },
    reason: `${said(watch, config, failed, limit)}: back towards ${before}, ${more}`,
  };
}

function said({ value, samples }: Watch, config: Config, failed: number, limit: string): string {
  const attempts = samples.length === 1 ? "attempt" : "attempts";
  return `Of ${samples.length} ${attempts} at ${config.step} with ${config.parameter} ${value}, ` +
    `${percent(failed / samples.length)} failed (${limit})`;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
