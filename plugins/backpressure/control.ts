/**
 * Additive increase, multiplicative decrease, the rule by which TCP finds its share of a network (D.-M. Chiu and R. Jain,
 * "Analysis of the increase and decrease algorithms for congestion avoidance in computer networks", Computer Networks and
 * ISDN Systems 17, 1989). What says that there is too much under way are errors, or attempts that take longer than they
 * did at best: beyond what a service does at once, each further request only waits.
 */
import type { SpanReference } from "spanloop";
import type { Config } from "./config.ts";

/** One attempt, as far as it counts here. */
export interface Sample extends SpanReference {
  /** The share of it that failed: of its items, or all of it. */
  readonly failed: number;
  /** Seconds an item, or of all of it where no items are counted; absent for one that failed. */
  readonly seconds?: number;
}

/** The attempts under one value of the parameter. */
export interface Window {
  /** The value. */
  readonly value: number;
  /** The least median of seconds of any window. */
  readonly best?: number;
  /** The attempts. */
  readonly samples: readonly Sample[];
}

/** What comes of a window. */
export interface Verdict {
  /** The value to go on with. */
  readonly value: number;
  /** The least median of seconds now. */
  readonly best?: number;
  /** Why, a sentence with its numbers. */
  readonly reason: string;
}

const FEWEST = 20;

/** How many attempts a verdict needs: twice as many as are under way at once, so that most have met the full load. */
export function enough(value: number): number {
  return Math.max(FEWEST, 2 * value);
}

/** The verdict on a full window, within the parameter's bounds. */
export function judge(
  { value, samples, best: before }: Window,
  config: Config,
  { min = 1, max = Infinity }: { readonly min?: number; readonly max?: number },
): Verdict {
  const failed = samples.reduce((sum, sample) => sum + sample.failed, 0) / samples.length;
  const median = medianOf(samples.flatMap(({ seconds }) => seconds ?? []));
  const best = bestOf(before, median, value <= min);
  const slower = median === undefined || best === undefined ? 1 : median / best;
  const tooMuch = failed > config.target_error_rate || slower > config.latency_factor;
  const wanted = tooMuch
    ? Math.min(value - 1, Math.floor(value * config.decrease))
    : value + config.increase;
  const next = Math.min(max, Math.max(min, wanted));
  const latency = median === undefined
    ? ""
    : `, and half took up to ${ms(median)}, ${
      slower.toFixed(2)
    } times the best (at most ${config.latency_factor})`;
  return {
    value: next,
    ...best === undefined ? {} : { best },
    reason: `Of ${samples.length} attempts at ${config.step} with ${config.parameter} ${value}, ` +
      `${percent(failed)} failed (at most ${percent(config.target_error_rate)})${latency}: ${
        tooMuch ? "less" : "more"
      }, ${next}`,
  };
}

// What is measured with the least that is allowed is the best there is now, even if it was better once: otherwise a
// service that has become slower for good would never again be asked for more.
function bestOf(
  before: number | undefined,
  median: number | undefined,
  least: boolean,
): number | undefined {
  if (before === undefined || median === undefined) return median ?? before;
  return least ? median : Math.min(before, median);
}

function medianOf(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  return Float64Array.from(values).sort()[(values.length - 1) >> 1];
}

function ms(seconds: number): string {
  return `${Number((seconds * 1000).toPrecision(3))} ms`;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
