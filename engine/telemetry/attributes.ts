import type {
  Attributes,
  Failure,
  ItemCount,
  ItemRange,
  Outcome,
  SpanLink,
  SpanReference,
} from "../core/span.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Arm } from "../core/proposal.ts";
import type { RunHeader } from "../core/store.ts";
import * as keys from "../../semconv/attributes.ts";

const LONGEST_VALUE = 256;

/** A run span's name, by the cicd conventions: `{action} {pipeline}`. */
export function runName(workflow: string): string {
  return `${keys.CICD_PIPELINE_ACTION_NAME_VALUE_RUN} ${workflow}`;
}

/** A run span's attributes at its start. */
export function runAttributes(header: RunHeader): Attributes {
  const trigger = header.parent !== undefined
    ? keys.SPANLOOP_TRIGGER_TYPE_VALUE_WORKFLOW
    : header.trigger?.startsWith(`${header.workflow}/command/`)
    ? keys.SPANLOOP_TRIGGER_TYPE_VALUE_COMMAND
    : header.trigger !== undefined
    ? keys.SPANLOOP_TRIGGER_TYPE_VALUE_SCHEDULE
    : keys.SPANLOOP_TRIGGER_TYPE_VALUE_MANUAL;
  return {
    [keys.CICD_PIPELINE_NAME]: header.workflow,
    [keys.CICD_PIPELINE_ACTION_NAME]: keys.CICD_PIPELINE_ACTION_NAME_VALUE_RUN,
    [keys.CICD_PIPELINE_RUN_ID]: header.runId,
    [keys.SPANLOOP_WORKFLOW_DEFINITION]: header.definition,
    [keys.SPANLOOP_TRIGGER_TYPE]: trigger,
    [keys.SPANLOOP_PRIORITY]: header.priority,
    ...(header.reactionDepth === undefined
      ? {}
      : { [keys.SPANLOOP_REACTION_DEPTH]: header.reactionDepth }),
    ...(header.group === undefined ? {} : { [keys.SPANLOOP_GROUP]: header.group }),
    ...(header.snapshot ? parametersVersion(header.snapshot) : {}),
  };
}

/** What a run's end adds to its span. */
export function runEndAttributes(outcome: Outcome, failure: Failure | undefined): Attributes {
  return {
    [keys.CICD_PIPELINE_RESULT]: RESULTS[outcome],
    ...errorType(outcome, failure),
    // A run is skipped for one reason only: another one of its group was under way.
    ...(outcome === "skipped"
      ? { [keys.SPANLOOP_SKIP_REASON]: keys.SPANLOOP_SKIP_REASON_VALUE_CONCURRENCY }
      : {}),
  };
}

/** A task span's attributes at its start: of an attempt, or of a for_each step around its batches. */
export function taskAttributes(task: {
  /** The run. */
  readonly runId: string;
  /** Its workflow's name. */
  readonly workflow: string;
  /** As in the journal. */
  readonly key: string;
  /** The step. */
  readonly stepId: string;
  /** Its type. */
  readonly type: string;
  /** Which try, for an attempt. */
  readonly attempt?: number;
  /** For a batch. */
  readonly batch?: { readonly index: number; readonly range: ItemRange };
}): Attributes {
  const { runId, workflow, key, stepId, type, attempt, batch } = task;
  return {
    [keys.CICD_PIPELINE_NAME]: workflow,
    [keys.CICD_PIPELINE_RUN_ID]: runId,
    [keys.CICD_PIPELINE_TASK_NAME]: stepId,
    [keys.CICD_PIPELINE_TASK_RUN_ID]: `${runId}/${key}${
      attempt === undefined ? "" : `/${attempt}`
    }`,
    [keys.SPANLOOP_STEP_ID]: stepId,
    [keys.SPANLOOP_STEP_TYPE]: type,
    ...(attempt === undefined ? {} : { [keys.SPANLOOP_ATTEMPT]: attempt }),
    ...(batch === undefined ? {} : {
      [keys.SPANLOOP_BATCH_INDEX]: batch.index,
      [keys.SPANLOOP_BATCH_FROM]: batch.range.from,
      [keys.SPANLOOP_BATCH_TO]: batch.range.to,
    }),
  };
}

/** What a task's end adds to its span. */
export function taskEndAttributes(
  outcome: Outcome,
  failure: Failure | undefined,
  items: ItemCount | undefined,
): Attributes {
  return {
    [keys.CICD_PIPELINE_TASK_RUN_RESULT]: RESULTS[outcome],
    ...errorType(outcome, failure),
    ...(items === undefined ? {} : {
      [keys.SPANLOOP_ITEMS_PROCESSED]: items.processed,
      [keys.SPANLOOP_ITEMS_FAILED]: items.failed,
    }),
  };
}

/** What the span of a step that did not run says beside its task's attributes (S4). */
export function skipAttributes(reason: string): Attributes {
  return { [keys.SPANLOOP_SKIP_REASON]: reason };
}

/** The attributes of the span that marks when a process took a run up again. */
export function resumeAttributes(runId: string, workflow: string): Attributes {
  return { [keys.CICD_PIPELINE_NAME]: workflow, [keys.CICD_PIPELINE_RUN_ID]: runId };
}

/** The values that a run has, as span attributes (J3): plain values only, text cut at 256 characters. */
export function parameterAttributes(values: JsonObject): Attributes {
  const attributes: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === "string") {
      attributes[keys.spanloopParameter(name)] = value.slice(0, LONGEST_VALUE);
    } else if (typeof value === "number" || typeof value === "boolean") {
      attributes[keys.spanloopParameter(name)] = value;
    }
  }
  return attributes;
}

/** What a span says when other values than those of the run's start ruled it: the version that they are of (P3). */
export function parametersVersion(version: number): Attributes {
  return { [keys.SPANLOOP_PARAMETERS_VERSION]: version };
}

/** The version of the tuned values that ruled a task's span; undefined for those of the run's start. */
export function ruledBy(attributes: Attributes): number | undefined {
  const version = attributes[keys.SPANLOOP_PARAMETERS_VERSION];
  return typeof version === "number" ? version : undefined;
}

/** The value of a tunable parameter that ruled a task's span; undefined when the span does not say. */
export function ruledValue(attributes: Attributes, name: string): Json | undefined {
  const value = attributes[keys.spanloopParameter(name)];
  return typeof value === "object" ? undefined : value;
}

/** Work that belongs to one arm of an experiment. */
export interface ArmWork {
  /** The experiment. */
  readonly experiment: string;
  /** Whose values ruled. */
  readonly arm: Arm;
  /** Which pair: of a run's slices, or the block of a whole run or step. */
  readonly pair: number;
  /** The slice's items; absent for a whole run or step. */
  readonly slice?: { readonly from: number; readonly to: number };
}

/** What a span says of work that belongs to one arm of an experiment. */
export function armAttributes({ experiment, arm, pair, slice }: ArmWork): Attributes {
  return {
    [keys.SPANLOOP_EXPERIMENT_ID]: experiment,
    [keys.SPANLOOP_EXPERIMENT_ARM]: arm,
    [keys.SPANLOOP_EXPERIMENT_PAIR]: pair,
    ...(slice === undefined ? {} : {
      [keys.SPANLOOP_EXPERIMENT_SLICE_FROM]: slice.from,
      [keys.SPANLOOP_EXPERIMENT_SLICE_TO]: slice.to,
    }),
  };
}

/** The attributes of `armAttributes` that a span has; none for work that belongs to no arm. */
export function armOf(attributes: Attributes): Attributes {
  if (attributes[keys.SPANLOOP_EXPERIMENT_ID] === undefined) return {};
  return Object.fromEntries(ARM_KEYS.flatMap((key) => {
    const value = attributes[key];
    return value === undefined ? [] : [[key, value]];
  }));
}

/** The arm's work that a span says it is of; undefined for work that belongs to none. */
export function armWorkOf(attributes: Attributes): ArmWork | undefined {
  const experiment = attributes[keys.SPANLOOP_EXPERIMENT_ID];
  const arm = attributes[keys.SPANLOOP_EXPERIMENT_ARM];
  const pair = attributes[keys.SPANLOOP_EXPERIMENT_PAIR];
  const from = attributes[keys.SPANLOOP_EXPERIMENT_SLICE_FROM];
  const to = attributes[keys.SPANLOOP_EXPERIMENT_SLICE_TO];
  if (typeof experiment !== "string" || typeof pair !== "number") return undefined;
  if (arm !== "incumbent" && arm !== "candidate") return undefined;
  const sliced = typeof from === "number" && typeof to === "number";
  return { experiment, arm, pair, ...sliced ? { slice: { from, to } } : {} };
}

/** The pair of slices that a span's work belongs to; undefined for work that is not of a slice. */
export function slicePairOf(attributes: Attributes): number | undefined {
  const work = armWorkOf(attributes);
  return work?.slice === undefined ? undefined : work.pair;
}

/** A link to a span: of the try before, the interrupted one, what triggered the run, the run that is rerun. */
export function linkTo(
  span: SpanReference,
  type: "retry" | "resume" | "trigger" | "rerun",
): SpanLink {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    attributes: { [keys.SPANLOOP_LINK_TYPE]: type },
  };
}

function errorType(outcome: Outcome, failure: Failure | undefined): Attributes {
  const error = outcome === "failed" || outcome === "timed_out" || outcome === "interrupted";
  return error ? { [keys.ERROR_TYPE]: failure?.code ?? outcome } : {};
}

const ARM_KEYS = [
  keys.SPANLOOP_EXPERIMENT_ID,
  keys.SPANLOOP_EXPERIMENT_ARM,
  keys.SPANLOOP_EXPERIMENT_PAIR,
  keys.SPANLOOP_EXPERIMENT_SLICE_FROM,
  keys.SPANLOOP_EXPERIMENT_SLICE_TO,
];

// The values of cicd.pipeline.result and cicd.pipeline.task.run.result are the same.
const RESULTS: Readonly<Record<Outcome, string>> = {
  succeeded: keys.CICD_PIPELINE_RESULT_VALUE_SUCCESS,
  failed: keys.CICD_PIPELINE_RESULT_VALUE_FAILURE,
  cancelled: keys.CICD_PIPELINE_RESULT_VALUE_CANCELLATION,
  skipped: keys.CICD_PIPELINE_RESULT_VALUE_SKIP,
  timed_out: keys.CICD_PIPELINE_RESULT_VALUE_TIMEOUT,
  interrupted: keys.CICD_PIPELINE_RESULT_VALUE_ERROR,
};
