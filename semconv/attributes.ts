// Generated from registry/*.yaml by `deno task semconv`; do not edit.

/** Always `RUN`. Defined by OpenTelemetry. */
export const CICD_PIPELINE_ACTION_NAME = "cicd.pipeline.action.name";

/** `cicd.pipeline.action.name`: as OpenTelemetry defines it. */
export const CICD_PIPELINE_ACTION_NAME_VALUE_BUILD = "BUILD";

/** `cicd.pipeline.action.name`: as OpenTelemetry defines it. */
export const CICD_PIPELINE_ACTION_NAME_VALUE_RUN = "RUN";

/** `cicd.pipeline.action.name`: as OpenTelemetry defines it. */
export const CICD_PIPELINE_ACTION_NAME_VALUE_SYNC = "SYNC";

/** The workflow's name. Defined by OpenTelemetry. */
export const CICD_PIPELINE_NAME = "cicd.pipeline.name";

/** How the run ended; set at its end. Defined by OpenTelemetry. */
export const CICD_PIPELINE_RESULT = "cicd.pipeline.result";

/** `cicd.pipeline.result`: as OpenTelemetry defines it. */
export const CICD_PIPELINE_RESULT_VALUE_CANCELLATION = "cancellation";

/** `cicd.pipeline.result`: as OpenTelemetry defines it. */
export const CICD_PIPELINE_RESULT_VALUE_ERROR = "error";

/** `cicd.pipeline.result`: as OpenTelemetry defines it. */
export const CICD_PIPELINE_RESULT_VALUE_FAILURE = "failure";

/** `cicd.pipeline.result`: as OpenTelemetry defines it. */
export const CICD_PIPELINE_RESULT_VALUE_SKIP = "skip";

/** `cicd.pipeline.result`: as OpenTelemetry defines it. */
export const CICD_PIPELINE_RESULT_VALUE_SUCCESS = "success";

/** `cicd.pipeline.result`: as OpenTelemetry defines it. */
export const CICD_PIPELINE_RESULT_VALUE_TIMEOUT = "timeout";

/** The run's id, a UUIDv7. Defined by OpenTelemetry. */
export const CICD_PIPELINE_RUN_ID = "cicd.pipeline.run.id";

/**
 * Where the run is in its life; for metrics, as a span has a beginning and an end. Defined by
 * OpenTelemetry.
 */
export const CICD_PIPELINE_RUN_STATE = "cicd.pipeline.run.state";

/** `cicd.pipeline.run.state`: as OpenTelemetry defines it. */
export const CICD_PIPELINE_RUN_STATE_VALUE_EXECUTING = "executing";

/** `cicd.pipeline.run.state`: as OpenTelemetry defines it. */
export const CICD_PIPELINE_RUN_STATE_VALUE_FINALIZING = "finalizing";

/** `cicd.pipeline.run.state`: as OpenTelemetry defines it. */
export const CICD_PIPELINE_RUN_STATE_VALUE_PENDING = "pending";

/** Where the run can be looked at. Defined by OpenTelemetry. */
export const CICD_PIPELINE_RUN_URL_FULL = "cicd.pipeline.run.url.full";

/** The step's id. Defined by OpenTelemetry. */
export const CICD_PIPELINE_TASK_NAME = "cicd.pipeline.task.name";

/**
 * The run's id, the step's key and the attempt, as in `0190…/load[0,20)/1`. Defined by
 * OpenTelemetry.
 */
export const CICD_PIPELINE_TASK_RUN_ID = "cicd.pipeline.task.run.id";

/**
 * How the attempt ended; `error` for one that an engine's end interrupted. Set at its end. Defined
 * by OpenTelemetry.
 */
export const CICD_PIPELINE_TASK_RUN_RESULT = "cicd.pipeline.task.run.result";

/** `cicd.pipeline.task.run.result`: as OpenTelemetry defines it. */
export const CICD_PIPELINE_TASK_RUN_RESULT_VALUE_CANCELLATION = "cancellation";

/** `cicd.pipeline.task.run.result`: as OpenTelemetry defines it. */
export const CICD_PIPELINE_TASK_RUN_RESULT_VALUE_ERROR = "error";

/** `cicd.pipeline.task.run.result`: as OpenTelemetry defines it. */
export const CICD_PIPELINE_TASK_RUN_RESULT_VALUE_FAILURE = "failure";

/** `cicd.pipeline.task.run.result`: as OpenTelemetry defines it. */
export const CICD_PIPELINE_TASK_RUN_RESULT_VALUE_SKIP = "skip";

/** `cicd.pipeline.task.run.result`: as OpenTelemetry defines it. */
export const CICD_PIPELINE_TASK_RUN_RESULT_VALUE_SUCCESS = "success";

/** `cicd.pipeline.task.run.result`: as OpenTelemetry defines it. */
export const CICD_PIPELINE_TASK_RUN_RESULT_VALUE_TIMEOUT = "timeout";

/** Where the attempt can be looked at. Defined by OpenTelemetry. */
export const CICD_PIPELINE_TASK_RUN_URL_FULL = "cicd.pipeline.task.run.url.full";

/** What the step is for, when its author says so in `span.attributes`. Defined by OpenTelemetry. */
export const CICD_PIPELINE_TASK_TYPE = "cicd.pipeline.task.type";

/** `cicd.pipeline.task.type`: as OpenTelemetry defines it. */
export const CICD_PIPELINE_TASK_TYPE_VALUE_BUILD = "build";

/** `cicd.pipeline.task.type`: as OpenTelemetry defines it. */
export const CICD_PIPELINE_TASK_TYPE_VALUE_DEPLOY = "deploy";

/** `cicd.pipeline.task.type`: as OpenTelemetry defines it. */
export const CICD_PIPELINE_TASK_TYPE_VALUE_TEST = "test";

/** The engine process that holds the run's lease. Defined by OpenTelemetry. */
export const CICD_WORKER_ID = "cicd.worker.id";

/** The host of the engine process that holds the run's lease. Defined by OpenTelemetry. */
export const CICD_WORKER_NAME = "cicd.worker.name";

/** The code of the error that ended it, such as `shell.exit`. Defined by OpenTelemetry. */
export const ERROR_TYPE = "error.type";

/** `error.type`: as OpenTelemetry defines it. */
export const ERROR_TYPE_VALUE_OTHER = "_OTHER";

/**
 * The step's id in the workflow file, the same over all attempts and runs. Type string, such as
 * `load`, `count`.
 */
export const SPANLOOP_STEP_ID = "spanloop.step.id";

/**
 * The step type's name, as `uses` gives it; `shell` for a step with `run`. Type string, such as
 * `shell`, `http`, `script`, `workflow`, `wait`, `emit`.
 */
export const SPANLOOP_STEP_TYPE = "spanloop.step.type";

/** Which try at the step, or at one batch of it, counted from 1. Type int, such as `1`, `2`. */
export const SPANLOOP_ATTEMPT = "spanloop.attempt";

/** Why a step, or a run, was skipped. Type enum, such as `if`, `upstream`. */
export const SPANLOOP_SKIP_REASON = "spanloop.skip.reason";

/** `spanloop.skip.reason`: Its own `if` was false. */
export const SPANLOOP_SKIP_REASON_VALUE_IF = "if";

/** `spanloop.skip.reason`: A step that it needs did not succeed. */
export const SPANLOOP_SKIP_REASON_VALUE_UPSTREAM = "upstream";

/** `spanloop.skip.reason`: A rerun took its outcome over from the run before. */
export const SPANLOOP_SKIP_REASON_VALUE_REUSE = "reuse";

/**
 * `spanloop.skip.reason`: Nothing asked for it, as for a step of `on_failure` in a run that
 * succeeded.
 */
export const SPANLOOP_SKIP_REASON_VALUE_NOT_NEEDED = "not needed";

/** `spanloop.skip.reason`: The run was cancelled before it could start. */
export const SPANLOOP_SKIP_REASON_VALUE_CANCELLED = "cancelled";

/** `spanloop.skip.reason`: Another run of the group, or of the schedule, was under way. */
export const SPANLOOP_SKIP_REASON_VALUE_CONCURRENCY = "concurrency";

/**
 * The batch's number in the order in which batches were handed out, from 0. Type int, such as `0`,
 * `41`.
 */
export const SPANLOOP_BATCH_INDEX = "spanloop.batch.index";

/** The first item of the batch, by its position from 0. Type int, such as `0`, `2000`. */
export const SPANLOOP_BATCH_FROM = "spanloop.batch.from";

/** One past the last item of the batch. Type int, such as `20`, `2050`. */
export const SPANLOOP_BATCH_TO = "spanloop.batch.to";

/**
 * Items that the attempt, the step or the run has processed, without those that failed. Type int,
 * such as `20`.
 */
export const SPANLOOP_ITEMS_PROCESSED = "spanloop.items.processed";

/** Items that failed. Type int, such as `0`, `3`. */
export const SPANLOOP_ITEMS_FAILED = "spanloop.items.failed";

/**
 * The SHA-256 of the workflow file's text, in hexadecimal. Type string, such as
 * `9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08`.
 */
export const SPANLOOP_WORKFLOW_DEFINITION = "spanloop.workflow.definition";

/** What started the run. Type enum, such as `manual`, `schedule`. */
export const SPANLOOP_TRIGGER_TYPE = "spanloop.trigger.type";

/**
 * `spanloop.trigger.type`: A person or a program started it, by the command line or by
 * createEngine().
 */
export const SPANLOOP_TRIGGER_TYPE_VALUE_MANUAL = "manual";

/** `spanloop.trigger.type`: A tick of its cron schedule. */
export const SPANLOOP_TRIGGER_TYPE_VALUE_SCHEDULE = "schedule";

/** `spanloop.trigger.type`: A step of another run called it. */
export const SPANLOOP_TRIGGER_TYPE_VALUE_WORKFLOW = "workflow";

/** The run's priority, 0 to 9; 9 is the most urgent. Type int, such as `5`. */
export const SPANLOOP_PRIORITY = "spanloop.priority";

/** The concurrency group of which one run goes at a time. Type string, such as `orders-db`. */
export const SPANLOOP_GROUP = "spanloop.group";

/** What stands before the name in `spanloop.parameter.<key>`. */
export const SPANLOOP_PARAMETER_PREFIX = "spanloop.parameter.";

/**
 * The value of the parameter `<key>` that ruled; never a secret's value. A boolean, a number or a
 * text keeps its type; a list or an object is written as JSON text. The value of an `apply: live`
 * parameter is the one read when the step or the batch was handed out. Type template[any], such as
 * `batch_size=20`.
 */
export function spanloopParameter(key: string): string {
  return SPANLOOP_PARAMETER_PREFIX + key;
}

/** What a link to another span means. Type enum, such as `retry`, `rerun`. */
export const SPANLOOP_LINK_TYPE = "spanloop.link.type";

/** `spanloop.link.type`: From an attempt to the one before it, which failed. */
export const SPANLOOP_LINK_TYPE_VALUE_RETRY = "retry";

/** `spanloop.link.type`: From an attempt to the one that an engine's end interrupted. */
export const SPANLOOP_LINK_TYPE_VALUE_RESUME = "resume";

/** `spanloop.link.type`: From a run to the span that started it. */
export const SPANLOOP_LINK_TYPE_VALUE_TRIGGER = "trigger";

/** `spanloop.link.type`: From a run to the one whose outcomes it reuses. */
export const SPANLOOP_LINK_TYPE_VALUE_RERUN = "rerun";
