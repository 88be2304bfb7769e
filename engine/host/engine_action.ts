import {
  CICD_PIPELINE_NAME,
  SPANLOOP_EXPERIMENT_ID,
  SPANLOOP_EXPERIMENT_INCUMBENT,
  SPANLOOP_EXPERIMENT_VALUES,
  SPANLOOP_VERDICT_ACTION,
  SPANLOOP_VERDICT_ENDED,
  SPANLOOP_VERDICT_HIGH,
  SPANLOOP_VERDICT_LOW,
  SPANLOOP_VERDICT_MESSAGE,
  SPANLOOP_VERDICT_OUTCOME,
  SPANLOOP_VERDICT_PAIRS,
  SPANLOOP_VERDICT_RATIO,
} from "../../semconv/attributes.ts";
import type { EmitAction } from "../core/action.ts";
import { isObject, type Json } from "../core/json.ts";
import type { LedgerEntry, Verdict } from "../core/proposal.ts";
import type { SpanReference } from "../core/span.ts";
import type { Breach } from "../parameters/roll_back.ts";

/** Ends an experiment with its verdict, and emits what came of it. */
export interface ConcludeAction {
  /** Discriminates actions. */
  readonly type: "conclude";
  /** The experiment. */
  readonly experiment: string;
  /** The candidate's values. */
  readonly values: Readonly<Record<string, Json>>;
  /** The incumbent's. */
  readonly incumbent: Readonly<Record<string, Json>>;
  /** What it came to. */
  readonly verdict: Verdict;
  /** Spans of what was compared. */
  readonly evidence: readonly SpanReference[];
}

/** Begins the experiment of a change that waits for it, if there is one. */
export interface BeginAction {
  /** Discriminates actions. */
  readonly type: "begin";
}

/** Takes back the last change that an experiment had kept, if the values that were measured rule by it. */
export interface RollBackAction extends Omit<Breach, "at"> {
  /** Discriminates actions. */
  readonly type: "roll_back";
}

/** What only the engine's own plugin asks for, which measures experiments. */
export type EngineAction = ConcludeAction | BeginAction | RollBackAction;

/** The kinds of those actions. */
export const ENGINE_ACTIONS: readonly EngineAction["type"][] = ["conclude", "begin", "roll_back"];

/** An action of the engine's own plugin, which is trusted to have its form; undefined for one that any may ask for. */
export function engineAction(given: unknown): EngineAction | undefined {
  const isOne = isObject(given) && ENGINE_ACTIONS.some((type) => type === given.type);
  return isOne ? given as unknown as EngineAction : undefined;
}

/** The span that says what an experiment came to, as its ledger entry has it. */
export function verdictSpan(
  { experiment, values, incumbent, evidence }: ConcludeAction,
  { proposal: { workflow }, decision: { message }, verdict }: LedgerEntry,
): EmitAction {
  const { outcome, action, ended, effect, pairs } = verdict!;
  return {
    type: "emit",
    name: "experiment.verdict",
    attributes: {
      [CICD_PIPELINE_NAME]: workflow,
      [SPANLOOP_EXPERIMENT_ID]: experiment,
      [SPANLOOP_EXPERIMENT_VALUES]: JSON.stringify(values),
      [SPANLOOP_EXPERIMENT_INCUMBENT]: JSON.stringify(incumbent),
      [SPANLOOP_VERDICT_OUTCOME]: outcome,
      [SPANLOOP_VERDICT_ACTION]: action,
      [SPANLOOP_VERDICT_ENDED]: ended,
      ...effect === undefined ? {} : {
        [SPANLOOP_VERDICT_RATIO]: effect.ratio,
        [SPANLOOP_VERDICT_LOW]: effect.low,
        [SPANLOOP_VERDICT_HIGH]: effect.high,
      },
      [SPANLOOP_VERDICT_PAIRS]: pairs,
      [SPANLOOP_VERDICT_MESSAGE]: message,
    },
    links: evidence,
  };
}
