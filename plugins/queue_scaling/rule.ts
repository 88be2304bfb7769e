/**
 * More at once while runs wait and are well, less when they are not, and back to the usual once neither.
 *
 * It does not go to and fro: what made runs fail is tried again ever later, and so is giving back what was needed again
 * afterwards. Each value is given as many runs as the one before it.
 */
import type { SpanReference } from "spanloop";
import type { Config } from "./config.ts";

/** One run. */
export interface Sample extends SpanReference {
  /** How long it waited before it began, seconds. */
  readonly waited: number;
  /** Whether it succeeded. */
  readonly succeeded: boolean;
}

/** What is known of a value. */
export interface Standing {
  /** The value. */
  readonly value: number;
  /** What ruled before it was changed first. */
  readonly usual: number;
  /** How many looks in a row must find runs well before there is more. */
  readonly patience: number;
  /** How many must find that none waits before something is given back. */
  readonly leisure: number;
  /** Why it is this value; absent where somebody else has set it. */
  readonly since?: "waiting" | "ill" | "idle";
}

/** What is watched. */
export interface Watch extends Standing {
  /** The runs under the value since the last look, oldest first. */
  readonly samples: readonly Sample[];
  /** How many looks in a row have found runs well. */
  readonly well: number;
  /** How many looks in a row have found that none waits. */
  readonly idle: number;
  /** Whether an analyzer has said that the workflow is not well, and not yet that it is again. */
  readonly ill: boolean;
  /** What was asked for, and is watched once it rules. */
  readonly asked?: Standing;
}

/** What comes of a look. */
export interface Look {
  /** What is watched from now on. */
  readonly watch: Watch;
  /** Why `watch.asked` is asked for now, a sentence; absent for no change. */
  readonly reason?: string;
}

/** The bounds of the parameter. */
export interface Bounds {
  /** Least value. */
  readonly min?: number;
  /** Greatest value. */
  readonly max?: number;
}

const LEISURE = 4;
const MOST = 64;

/** Watches a value: what was asked for, or one of which nothing is known. */
export function begin(value: number, before?: Watch): Watch {
  const standing = before?.asked?.value === value
    ? before.asked
    : { value, usual: value, patience: 1, leisure: LEISURE };
  return { ...standing, samples: [], well: 0, idle: 0, ill: before?.ill ?? false };
}

/** Looks at what is watched. */
export function look(watch: Watch, config: Config, bounds: Bounds): Look {
  const { value, usual, samples } = watch;
  const { runs, health, seconds } = config;
  const { min = 1, max = Infinity } = bounds;
  const isFull = samples.length >= runs;
  const succeeded = samples.filter((sample) => sample.succeeded).length;
  // As soon as the rest of the window cannot make up for it; what was refused is asked for once a window.
  if (
    100 * (runs - samples.length + succeeded) / runs < health &&
    (isFull || watch.asked === undefined)
  ) {
    const share = percent(succeeded / samples.length);
    return less(watch, config, min, `${share} succeeded (health is below ${health})`);
  }
  if (!isFull) return { watch };
  const waits = samples.map(({ waited }) => waited).sort((a, b) => a - b);
  const half = waits[(waits.length - 1) >> 1];
  const longest = waits[waits.length - 1];
  const fresh: Watch = {
    ...watch,
    samples: [],
    well: watch.ill ? 0 : watch.well + 1,
    idle: longest < seconds / 2 ? watch.idle + 1 : 0,
  };
  const { ill, well, idle, patience, leisure, since } = fresh;
  if (!ill && half > seconds && well >= patience && value < max) {
    const more = Math.min(max, value + Math.max(1, Math.floor(value * config.increase)));
    const needed = since === "idle" ? Math.min(MOST, 2 * leisure) : leisure;
    return {
      watch: settled(fresh, { value: more, usual, patience, leisure: needed, since: "waiting" }),
      reason: `${said(fresh, samples, config)}, half waited ${
        show(half)
      } s or more (at most ${seconds}), ${percent(succeeded / runs)} succeeded: more, ${more}`,
    };
  }
  if (value === usual || ill || idle < leisure || well < patience) return { watch: fresh };
  const next = value > usual ? value - 1 : value + 1;
  return {
    watch: settled(fresh, { value: next, usual, patience, leisure, since: "idle" }),
    reason: `${said(fresh, samples, config)}, none waited more than ${
      show(longest)
    } s, as in each of the ${idle} windows since: back towards ${usual}, ${next}`,
  };
}

/** An analyzer says that the workflow is not well, in a sentence, or that it is again. */
export function hear(
  watch: Watch,
  ill: boolean,
  message: string,
  config: Config,
  { min = 1 }: Bounds,
): Look {
  if (ill === watch.ill) return { watch };
  const heard = { ...watch, ill, well: 0 };
  return ill ? less(heard, config, min, message) : { watch: heard };
}

function less(watch: Watch, config: Config, min: number, why: string): Look {
  const { value, usual, patience, leisure, since, samples } = watch;
  const fresh = { ...watch, samples: [], well: 0, idle: 0 };
  const next = Math.max(min, Math.min(value - 1, Math.floor(value * config.decrease)));
  if (next >= value) return { watch: fresh };
  // What it had grown to made them fail, perhaps.
  const longer = since === "waiting" || since === "idle" ? Math.min(MOST, 2 * patience) : patience;
  return {
    watch: settled(fresh, { value: next, usual, patience: longer, leisure, since: "ill" }),
    reason: `${said(watch, samples, config)}, ${why}: less, ${next}`,
  };
}

function settled(watch: Watch, asked: Standing): Watch {
  return { ...watch, samples: [], well: 0, idle: 0, asked };
}

function said({ value }: Standing, samples: readonly Sample[], { parameter }: Config): string {
  return `Of ${samples.length} ${samples.length === 1 ? "run" : "runs"} with ${parameter} ${value}`;
}

function show(seconds: number): string {
  return String(Number(seconds.toPrecision(3)));
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
