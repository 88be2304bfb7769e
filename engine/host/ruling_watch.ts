import type { Json } from "../core/json.ts";
import type { PluginState } from "../core/plugin.ts";
import type { SpanReference } from "../core/span.ts";
import type { TuneContract } from "../core/workflow.ts";
import { batchOf } from "../parameters/count.ts";
import type { EndedAttempt } from "../parameters/measure.ts";
import type { Breach } from "../parameters/roll_back.ts";
import { breach, type Standing, stood } from "../parameters/standing.ts";
import {
  breakingRuns,
  metricIn,
  ran,
  type StandingRun,
  type StandingRuns,
  told,
} from "../parameters/standing_runs.ts";

// What is kept of a step: its standing, and the spans with failures, the last of them.
interface Watched extends Standing {
  readonly spans: readonly SpanReference[];
}

// By guard, as text: those that the file has not any more are left out.
type WatchedRuns = Readonly<Record<string, StandingRuns>>;

const PREFIX = "ruling/";
const RUNS = "ruling_runs/";
const MOST_SPANS = 20;

/**
 * Watches whether the values that rule without an experiment keep the guards: those on error rates with each attempt,
 * others, which have one value a run, with each run. Of a plugin's own state.
 */
export class RulingWatch {
  readonly #state: PluginState;

  /** Keeps what it knows in `state`. */
  constructor(state: PluginState) {
    this.#state = state;
  }

  /** Takes note of a step's attempt under what rules; whether it may have broken a guard. */
  note(
    step: string,
    { values, items, failed, outcome }: EndedAttempt,
    span: SpanReference,
  ): boolean {
    const kept = this.#state.get(PREFIX + step);
    // A step that counts no items is one.
    const bad = items === 0 ? Number(outcome !== "succeeded") : failed;
    // As long as nothing fails, nothing is to be known.
    if (kept === undefined && bad === 0) return false;
    const known: Watched | undefined = typeof kept === "string" ? JSON.parse(kept) : undefined;
    const next = stood(known, values, batchOf(Math.max(1, items), bad));
    const isOver = next.counts.every(({ failed }) => failed === 0);
    if (isOver) this.forget(step);
    else {
      const spans = bad === 0 ? known?.spans ?? [] : [...known?.spans ?? [], span];
      const watched: Watched = { ...next, spans: spans.slice(-MOST_SPANS) };
      this.#state.set(PREFIX + step, JSON.stringify(watched));
    }
    return bad > 0;
  }

  /** The first of the guards on error rates of this step that is broken; undefined for none. */
  breach(step: string, guards: TuneContract["guards"]): Omit<Breach, "at"> | undefined {
    const kept: Json | undefined = this.#state.get(PREFIX + step);
    if (typeof kept !== "string") return undefined;
    const { spans, ...standing }: Watched = JSON.parse(kept);
    for (const guard of guards) {
      const { metric, of, below } = guard;
      if (metric !== "error_rate" || of !== step || below === undefined) continue;
      const count = breach(standing, below);
      if (count === undefined) continue;
      const { items, failed } = count;
      const { values } = standing;
      return { guard, value: failed / items, last: items, values, evidence: spans };
    }
  }

  /**
   * Takes note of a run of a step under what rules; the first of the step's other guards that it shows to be broken.
   * `metric` gives a guard's metric in it, undefined for one that it has not.
   */
  ran(
    step: string,
    guards: TuneContract["guards"],
    values: StandingRuns["values"],
    metric: (name: string) => number | undefined,
    span: SpanReference,
  ): Omit<Breach, "at"> | undefined {
    const kept = this.#state.get(RUNS + step);
    const known: WatchedRuns = typeof kept === "string" ? JSON.parse(kept) : {};
    const next: Record<string, StandingRuns> = {};
    let found: Omit<Breach, "at"> | undefined;
    for (const guard of guards) {
      const value = guard.of === step ? metric(guard.metric) : undefined;
      if (value === undefined) continue;
      const key = JSON.stringify(guard);
      const run: StandingRun = { value: Number(value.toPrecision(6)), span };
      next[key] = ran(known[key], values, run);
      const runs = breakingRuns(next[key], guard);
      if (runs === undefined) continue;
      next[key] = told(next[key], runs);
      const evidence = runs.map(({ span }) => span);
      found ??= { guard, value: metricIn(runs), last: runs.length, values, evidence };
    }
    if (Object.keys(next).length > 0) this.#state.set(RUNS + step, JSON.stringify(next));
    return found;
  }

  /** What was noted of a step counts no more. */
  forget(step: string): void {
    this.#state.delete(PREFIX + step);
  }
}
