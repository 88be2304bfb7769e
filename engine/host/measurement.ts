import {
  CICD_PIPELINE_NAME,
  SPANLOOP_EXPERIMENT_ID,
  SPANLOOP_MEASUREMENT_ARMS,
  SPANLOOP_MEASUREMENT_DURATIONS,
  SPANLOOP_MEASUREMENT_FAILED,
  SPANLOOP_MEASUREMENT_GOAL,
  SPANLOOP_MEASUREMENT_ITEMS,
  SPANLOOP_MEASUREMENT_OBJECTIVES,
  SPANLOOP_MEASUREMENT_VALUES,
  SPANLOOP_STEP_ID,
} from "../../semconv/attributes.ts";
import type { EmitAction } from "../core/action.ts";
import type { Json } from "../core/json.ts";
import type { PluginContext } from "../core/plugin.ts";
import type { Arm } from "../core/proposal.ts";
import type { Scope } from "../core/scope.ts";
import type { RunSummary } from "../core/store.ts";
import type { TuneContract } from "../core/workflow.ts";
import { goalOf } from "../parameters/goal.ts";
import { type ArmTotal, sumOf } from "../parameters/measure.ts";

/** What a workflow is tuned for. */
export type Objective = NonNullable<TuneContract["objective"]>;

/** What an arm did, with the objective's value. */
export interface Told {
  /** Which arm. */
  readonly arm: Arm;
  /** What it did. */
  readonly total: ArmTotal;
  /** The objective's value. */
  readonly objective: number;
}

const ODD = "odd";

/**
 * The objective's value; undefined where it cannot be compared, as only a number above 0 can by its logarithm. Of that an
 * operator hears once.
 */
export function objectiveOf(
  { expression }: Objective,
  total: ArmTotal,
  run: RunSummary | undefined,
  { state, log }: Pick<PluginContext, "state" | "log">,
): number | undefined {
  const { duration, items, failed, attempts } = total;
  const variables = { duration, items, failed, attempts, queue_time: queueTimeOf(run) };
  let value: Json | undefined;
  try {
    // The objective's environment has these names alone.
    value = expression.evaluate(variables as unknown as Scope);
  } catch {
    // Such as a division by no items.
  }
  if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
  const { source } = expression;
  if (state.get(ODD) === source) return undefined;
  state.set(ODD, source);
  log(
    `\`${source}\` came to ${value ?? "no number"} with ${items} items in ${duration} s: only ` +
      "values above 0 are compared, others are left out",
  );
}

/** A guard's metric, but for error rates, which are no single value; undefined for those. */
export function metricOf(
  metric: string,
  total: ArmTotal,
  run: RunSummary | undefined,
): number | undefined {
  return metric === "queue_time" ? queueTimeOf(run) : sumOf(metric, total);
}

/** Whether one of these parameters was given for the run: it is no part of the search then (V3). */
export function isGiven({ sources }: RunSummary, parameters: readonly string[]): boolean {
  return parameters.some((name) => {
    const source = sources[name] ?? "default";
    return source !== "tuned" && source !== "default";
  });
}

/** The span that tells what the arms did, in their order. */
export function measurementSpan(
  of: {
    readonly workflow: string;
    readonly step: string;
    readonly experiment?: string;
    readonly objective: Objective;
  },
  arms: readonly Told[],
): EmitAction {
  return {
    type: "emit",
    name: "experiment.measurement",
    attributes: {
      [CICD_PIPELINE_NAME]: of.workflow,
      [SPANLOOP_STEP_ID]: of.step,
      ...of.experiment === undefined ? {} : { [SPANLOOP_EXPERIMENT_ID]: of.experiment },
      [SPANLOOP_MEASUREMENT_ARMS]: arms.map(({ arm }) => arm),
      [SPANLOOP_MEASUREMENT_VALUES]: arms.map(({ total }) => JSON.stringify(total.values)),
      [SPANLOOP_MEASUREMENT_GOAL]: goalOf(of.objective),
      [SPANLOOP_MEASUREMENT_OBJECTIVES]: arms.map(({ objective }) => objective),
      [SPANLOOP_MEASUREMENT_DURATIONS]: arms.map(({ total }) => total.duration),
      // A failure that is fast would look good if nobody was told that it is one.
      [SPANLOOP_MEASUREMENT_ITEMS]: arms.map(({ total }) => total.count.items),
      [SPANLOOP_MEASUREMENT_FAILED]: arms.map(({ total }) => total.count.failed),
    },
  };
}

// Seconds that the run waited before it began.
function queueTimeOf(run: RunSummary | undefined): number {
  return run?.startedAt === undefined ? 0 : Number(run.startedAt - run.createdAt) / 1e9;
}
