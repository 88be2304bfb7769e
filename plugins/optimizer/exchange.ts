/** What a tuner is made with, asked, and told. */
import type { Tunable, Values } from "./space.ts";
import type { Trial } from "./trial.ts";

/** What to tune. */
export interface TunerOptions {
  /** What may be changed. */
  readonly tunables: readonly Tunable[];
  /** The share of items that may fail, in (0, 1). */
  readonly guard: { readonly below: number };
  /** Where its randomness begins. */
  readonly seed: number;
}

/** What to run next. */
export interface Suggestion {
  /** What `tell` is to name. */
  readonly id: string;
  /** What to try. */
  readonly values: Values;
  /** What rules until then. */
  readonly incumbent: Values;
  /** The share of the run's items, in (0, 1], that should run with `values`; the rest with `incumbent`. */
  readonly exposure: number;
  /** Why in one word: baseline, explore, probe or settle. */
  readonly purpose: string;
  /** Why in one sentence. */
  readonly reason: string;
  /** What is expected of `values`; absent where they are the incumbent's. */
  readonly expected?: Trial["expected"];
}

/** What is asked for. */
export interface Question {
  /** When, hours. */
  readonly hours: number;
  /** What rules now, where others decide on that; its own recommendation when absent. */
  readonly ruling?: Values;
  /** What is not worth trying now, nor what is about the same. */
  readonly except?: readonly Values[];
  /** The tunables of which a run has one value throughout: trying another takes whole runs, and no share of one. */
  readonly whole?: readonly string[];
}

/** What came of a suggestion, or of a run that nobody suggested. */
export interface Outcome {
  /** The suggestion's id; absent for values that ran without one. */
  readonly suggestion?: string;
  /** When, hours. */
  readonly hours: number;
  /** What ran: the values that were applied, the objective per item (above 0), the items and how many failed. */
  readonly arms: readonly {
    readonly values: Values;
    readonly objective: number;
    readonly items: number;
    readonly failed: number;
  }[];
}
