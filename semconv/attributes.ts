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

/** The run's id. Defined by OpenTelemetry. */
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

/** As OpenTelemetry defines it. */
export const CICD_SYSTEM_COMPONENT = "cicd.system.component";

/** The engine process that holds the run's lease. Defined by OpenTelemetry. */
export const CICD_WORKER_ID = "cicd.worker.id";

/** The host of the engine process that holds the run's lease. Defined by OpenTelemetry. */
export const CICD_WORKER_NAME = "cicd.worker.name";

/** As OpenTelemetry defines it. */
export const CICD_WORKER_STATE = "cicd.worker.state";

/** `cicd.worker.state`: as OpenTelemetry defines it. */
export const CICD_WORKER_STATE_VALUE_AVAILABLE = "available";

/** `cicd.worker.state`: as OpenTelemetry defines it. */
export const CICD_WORKER_STATE_VALUE_BUSY = "busy";

/** `cicd.worker.state`: as OpenTelemetry defines it. */
export const CICD_WORKER_STATE_VALUE_OFFLINE = "offline";

/** The container's id. Defined by OpenTelemetry. */
export const CONTAINER_ID = "container.id";

/** Where it is deployed, such as `production`. Defined by OpenTelemetry. */
export const DEPLOYMENT_ENVIRONMENT_NAME = "deployment.environment.name";

/** `deployment.environment.name`: as OpenTelemetry defines it. */
export const DEPLOYMENT_ENVIRONMENT_NAME_VALUE_DEVELOPMENT = "development";

/** `deployment.environment.name`: as OpenTelemetry defines it. */
export const DEPLOYMENT_ENVIRONMENT_NAME_VALUE_PRODUCTION = "production";

/** `deployment.environment.name`: as OpenTelemetry defines it. */
export const DEPLOYMENT_ENVIRONMENT_NAME_VALUE_STAGING = "staging";

/** `deployment.environment.name`: as OpenTelemetry defines it. */
export const DEPLOYMENT_ENVIRONMENT_NAME_VALUE_TEST = "test";

/** The code of the error that ended it, such as `http.status`. Defined by OpenTelemetry. */
export const ERROR_TYPE = "error.type";

/** `error.type`: as OpenTelemetry defines it. */
export const ERROR_TYPE_VALUE_OTHER = "_OTHER";

/** What happened, masked. Defined by OpenTelemetry. */
export const EXCEPTION_MESSAGE = "exception.message";

/** As OpenTelemetry defines it. */
export const EXCEPTION_STACKTRACE = "exception.stacktrace";

/** The error's code, such as `shell.exit`. Defined by OpenTelemetry. */
export const EXCEPTION_TYPE = "exception.type";

/** The processor's architecture. Defined by OpenTelemetry. */
export const HOST_ARCH = "host.arch";

/** `host.arch`: as OpenTelemetry defines it. */
export const HOST_ARCH_VALUE_AMD64 = "amd64";

/** `host.arch`: as OpenTelemetry defines it. */
export const HOST_ARCH_VALUE_ARM32 = "arm32";

/** `host.arch`: as OpenTelemetry defines it. */
export const HOST_ARCH_VALUE_ARM64 = "arm64";

/** `host.arch`: as OpenTelemetry defines it. */
export const HOST_ARCH_VALUE_IA64 = "ia64";

/** `host.arch`: as OpenTelemetry defines it. */
export const HOST_ARCH_VALUE_PPC32 = "ppc32";

/** `host.arch`: as OpenTelemetry defines it. */
export const HOST_ARCH_VALUE_PPC64 = "ppc64";

/** `host.arch`: as OpenTelemetry defines it. */
export const HOST_ARCH_VALUE_S390X = "s390x";

/** `host.arch`: as OpenTelemetry defines it. */
export const HOST_ARCH_VALUE_X86 = "x86";

/** The machine id. Defined by OpenTelemetry. */
export const HOST_ID = "host.id";

/** The host's name. Defined by OpenTelemetry. */
export const HOST_NAME = "host.name";

/** The request's method. Defined by OpenTelemetry. */
export const HTTP_REQUEST_METHOD = "http.request.method";

/** `http.request.method`: as OpenTelemetry defines it. */
export const HTTP_REQUEST_METHOD_VALUE_CONNECT = "CONNECT";

/** `http.request.method`: as OpenTelemetry defines it. */
export const HTTP_REQUEST_METHOD_VALUE_DELETE = "DELETE";

/** `http.request.method`: as OpenTelemetry defines it. */
export const HTTP_REQUEST_METHOD_VALUE_GET = "GET";

/** `http.request.method`: as OpenTelemetry defines it. */
export const HTTP_REQUEST_METHOD_VALUE_HEAD = "HEAD";

/** `http.request.method`: as OpenTelemetry defines it. */
export const HTTP_REQUEST_METHOD_VALUE_OPTIONS = "OPTIONS";

/** `http.request.method`: as OpenTelemetry defines it. */
export const HTTP_REQUEST_METHOD_VALUE_OTHER = "_OTHER";

/** `http.request.method`: as OpenTelemetry defines it. */
export const HTTP_REQUEST_METHOD_VALUE_PATCH = "PATCH";

/** `http.request.method`: as OpenTelemetry defines it. */
export const HTTP_REQUEST_METHOD_VALUE_POST = "POST";

/** `http.request.method`: as OpenTelemetry defines it. */
export const HTTP_REQUEST_METHOD_VALUE_PUT = "PUT";

/** `http.request.method`: as OpenTelemetry defines it. */
export const HTTP_REQUEST_METHOD_VALUE_QUERY = "QUERY";

/** `http.request.method`: as OpenTelemetry defines it. */
export const HTTP_REQUEST_METHOD_VALUE_TRACE = "TRACE";

/** How often the request had been sent before, for whatever reason. Defined by OpenTelemetry. */
export const HTTP_REQUEST_RESEND_COUNT = "http.request.resend_count";

/** The answer's status. Defined by OpenTelemetry. */
export const HTTP_RESPONSE_STATUS_CODE = "http.response.status_code";

/** The stream that the line was written to. Defined by OpenTelemetry. */
export const LOG_IOSTREAM = "log.iostream";

/** `log.iostream`: as OpenTelemetry defines it. */
export const LOG_IOSTREAM_VALUE_STDERR = "stderr";

/** `log.iostream`: as OpenTelemetry defines it. */
export const LOG_IOSTREAM_VALUE_STDOUT = "stdout";

/** The operating system. Defined by OpenTelemetry. */
export const OS_TYPE = "os.type";

/** `os.type`: as OpenTelemetry defines it. */
export const OS_TYPE_VALUE_AIX = "aix";

/** `os.type`: as OpenTelemetry defines it. */
export const OS_TYPE_VALUE_DARWIN = "darwin";

/** `os.type`: as OpenTelemetry defines it. */
export const OS_TYPE_VALUE_DRAGONFLYBSD = "dragonflybsd";

/** `os.type`: as OpenTelemetry defines it. */
export const OS_TYPE_VALUE_FREEBSD = "freebsd";

/** `os.type`: as OpenTelemetry defines it. */
export const OS_TYPE_VALUE_HPUX = "hpux";

/** `os.type`: as OpenTelemetry defines it. */
export const OS_TYPE_VALUE_LINUX = "linux";

/** `os.type`: as OpenTelemetry defines it. */
export const OS_TYPE_VALUE_NETBSD = "netbsd";

/** `os.type`: as OpenTelemetry defines it. */
export const OS_TYPE_VALUE_OPENBSD = "openbsd";

/** `os.type`: as OpenTelemetry defines it. */
export const OS_TYPE_VALUE_SOLARIS = "solaris";

/** `os.type`: as OpenTelemetry defines it. */
export const OS_TYPE_VALUE_WINDOWS = "windows";

/** `os.type`: as OpenTelemetry defines it. */
export const OS_TYPE_VALUE_Z_OS = "z_os";

/** `os.type`: as OpenTelemetry defines it. */
export const OS_TYPE_VALUE_ZOS = "zos";

/** Its version; on Linux the kernel's. Defined by OpenTelemetry. */
export const OS_VERSION = "os.version";

/** The executable's file name, without its folder. Defined by OpenTelemetry. */
export const PROCESS_EXECUTABLE_NAME = "process.executable.name";

/** The exit code of the attempt's process. Defined by OpenTelemetry. */
export const PROCESS_EXIT_CODE = "process.exit.code";

/** The process's id. Defined by OpenTelemetry. */
export const PROCESS_PID = "process.pid";

/** Deno's version with that of V8. Defined by OpenTelemetry. */
export const PROCESS_RUNTIME_DESCRIPTION = "process.runtime.description";

/** Always `deno`. Defined by OpenTelemetry. */
export const PROCESS_RUNTIME_NAME = "process.runtime.name";

/** Deno's version. Defined by OpenTelemetry. */
export const PROCESS_RUNTIME_VERSION = "process.runtime.version";

/** The host of the URL. Defined by OpenTelemetry. */
export const SERVER_ADDRESS = "server.address";

/** The port of the URL, the scheme's own if it names none. Defined by OpenTelemetry. */
export const SERVER_PORT = "server.port";

/** A UUID, another one for each process. Defined by OpenTelemetry. */
export const SERVICE_INSTANCE_ID = "service.instance.id";

/** What OTEL_SERVICE_NAME says, else `spanloop`. Defined by OpenTelemetry. */
export const SERVICE_NAME = "service.name";

/** Spanloop's version. Defined by OpenTelemetry. */
export const SERVICE_VERSION = "service.version";

/**
 * Always `nodejs`, OpenTelemetry's word for JavaScript outside a browser. Defined by
 * OpenTelemetry.
 */
export const TELEMETRY_SDK_LANGUAGE = "telemetry.sdk.language";

/** `telemetry.sdk.language`: as OpenTelemetry defines it. */
export const TELEMETRY_SDK_LANGUAGE_VALUE_CPP = "cpp";

/** `telemetry.sdk.language`: as OpenTelemetry defines it. */
export const TELEMETRY_SDK_LANGUAGE_VALUE_DOTNET = "dotnet";

/** `telemetry.sdk.language`: as OpenTelemetry defines it. */
export const TELEMETRY_SDK_LANGUAGE_VALUE_ERLANG = "erlang";

/** `telemetry.sdk.language`: as OpenTelemetry defines it. */
export const TELEMETRY_SDK_LANGUAGE_VALUE_GO = "go";

/** `telemetry.sdk.language`: as OpenTelemetry defines it. */
export const TELEMETRY_SDK_LANGUAGE_VALUE_JAVA = "java";

/** `telemetry.sdk.language`: as OpenTelemetry defines it. */
export const TELEMETRY_SDK_LANGUAGE_VALUE_KOTLIN = "kotlin";

/** `telemetry.sdk.language`: as OpenTelemetry defines it. */
export const TELEMETRY_SDK_LANGUAGE_VALUE_NODEJS = "nodejs";

/** `telemetry.sdk.language`: as OpenTelemetry defines it. */
export const TELEMETRY_SDK_LANGUAGE_VALUE_PHP = "php";

/** `telemetry.sdk.language`: as OpenTelemetry defines it. */
export const TELEMETRY_SDK_LANGUAGE_VALUE_PYTHON = "python";

/** `telemetry.sdk.language`: as OpenTelemetry defines it. */
export const TELEMETRY_SDK_LANGUAGE_VALUE_RUBY = "ruby";

/** `telemetry.sdk.language`: as OpenTelemetry defines it. */
export const TELEMETRY_SDK_LANGUAGE_VALUE_RUST = "rust";

/** `telemetry.sdk.language`: as OpenTelemetry defines it. */
export const TELEMETRY_SDK_LANGUAGE_VALUE_SWIFT = "swift";

/** `telemetry.sdk.language`: as OpenTelemetry defines it. */
export const TELEMETRY_SDK_LANGUAGE_VALUE_WEBJS = "webjs";

/** Always `opentelemetry`. Defined by OpenTelemetry. */
export const TELEMETRY_SDK_NAME = "telemetry.sdk.name";

/** The version of OpenTelemetry's SDK. Defined by OpenTelemetry. */
export const TELEMETRY_SDK_VERSION = "telemetry.sdk.version";

/**
 * The URL, with credentials and the values of the query replaced by `REDACTED`. Defined by
 * OpenTelemetry.
 */
export const URL_FULL = "url.full";

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

/** Why a step, or a run, was skipped. Type string, such as `if`, `upstream`. */
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

/** What started the run. Type string, such as `manual`, `schedule`. */
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

/** `spanloop.trigger.type`: A plugin gave a command that the workflow listens to. */
export const SPANLOOP_TRIGGER_TYPE_VALUE_COMMAND = "command";

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

/** What a link to another span means. Type string, such as `retry`, `rerun`. */
export const SPANLOOP_LINK_TYPE = "spanloop.link.type";

/** `spanloop.link.type`: From an attempt to the one before it, which failed. */
export const SPANLOOP_LINK_TYPE_VALUE_RETRY = "retry";

/** `spanloop.link.type`: From an attempt to the one that an engine's end interrupted. */
export const SPANLOOP_LINK_TYPE_VALUE_RESUME = "resume";

/** `spanloop.link.type`: From a run to the span that started it. */
export const SPANLOOP_LINK_TYPE_VALUE_TRIGGER = "trigger";

/** `spanloop.link.type`: From a run to the one whose outcomes it reuses. */
export const SPANLOOP_LINK_TYPE_VALUE_RERUN = "rerun";

/** `spanloop.link.type`: From a batch that is a trace of its own to the span of its step. */
export const SPANLOOP_LINK_TYPE_VALUE_BATCH = "batch";

/**
 * The experiment, by the id of the proposal that it tests. Type string, such as
 * `optimizer@quickstart/412/0`.
 */
export const SPANLOOP_EXPERIMENT_ID = "spanloop.experiment.id";

/** Whose values ruled. Type string, such as `candidate`. */
export const SPANLOOP_EXPERIMENT_ARM = "spanloop.experiment.arm";

/** `spanloop.experiment.arm`: The values that rule without the experiment. */
export const SPANLOOP_EXPERIMENT_ARM_VALUE_INCUMBENT = "incumbent";

/** `spanloop.experiment.arm`: The values that it tests. */
export const SPANLOOP_EXPERIMENT_ARM_VALUE_CANDIDATE = "candidate";

/**
 * Which pair of arms of the experiment it belongs to, from 0; of slices, counted in their run.
 * Type int, such as `0`, `3`.
 */
export const SPANLOOP_EXPERIMENT_PAIR = "spanloop.experiment.pair";

/** The first item of the slice in which one arm ruled alone, from 0. Type int, such as `2000`. */
export const SPANLOOP_EXPERIMENT_SLICE_FROM = "spanloop.experiment.slice.from";

/** One past the last item of that slice. Type int, such as `4000`. */
export const SPANLOOP_EXPERIMENT_SLICE_TO = "spanloop.experiment.slice.to";

/** The candidate's values by parameter, as JSON. Type string, such as `{"batch_size":640}`. */
export const SPANLOOP_EXPERIMENT_VALUES = "spanloop.experiment.values";

/**
 * The incumbent's values of the same parameters, as JSON. Type string, such as
 * `{"batch_size":160}`.
 */
export const SPANLOOP_EXPERIMENT_INCUMBENT = "spanloop.experiment.incumbent";

/**
 * Which arms of the experiment were measured; without an experiment the incumbent alone. Type
 * string[], such as `incumbent`, `candidate`.
 */
export const SPANLOOP_MEASUREMENT_ARMS = "spanloop.measurement.arms";

/**
 * The values of the tunable parameters that were applied, as JSON, by arm. Type string[], such as
 * `{"batch_size":160}`, `{"batch_size":640}`.
 */
export const SPANLOOP_MEASUREMENT_VALUES = "spanloop.measurement.values";

/**
 * What the workflow was tuned for; figures of different goals cannot be compared. Type string,
 * such as `minimize duration / items of load`.
 */
export const SPANLOOP_MEASUREMENT_GOAL = "spanloop.measurement.goal";

/** The objective's value, by arm. Type double[], such as `0.0021`, `0.0012`. */
export const SPANLOOP_MEASUREMENT_OBJECTIVES = "spanloop.measurement.objectives";

/**
 * For how long the arm's values ruled alone, seconds, by arm. Type double[], such as `2.5`, `1.1`.
 */
export const SPANLOOP_MEASUREMENT_DURATIONS = "spanloop.measurement.durations";

/**
 * Items, processed and failed, by arm; a step that counts none is one item. Type int[], such as
 * `1200`, `800`.
 */
export const SPANLOOP_MEASUREMENT_ITEMS = "spanloop.measurement.items";

/** Items that failed, by arm. Type int[], such as `2`, `0`. */
export const SPANLOOP_MEASUREMENT_FAILED = "spanloop.measurement.failed";

/** What an experiment came to. Type string, such as `improved`. */
export const SPANLOOP_VERDICT_OUTCOME = "spanloop.verdict.outcome";

/** `spanloop.verdict.outcome`: The whole interval is on the better side. */
export const SPANLOOP_VERDICT_OUTCOME_VALUE_IMPROVED = "improved";

/** `spanloop.verdict.outcome`: The whole interval is on the worse side, or a guard was breached. */
export const SPANLOOP_VERDICT_OUTCOME_VALUE_REGRESSED = "regressed";

/** `spanloop.verdict.outcome`: Neither. */
export const SPANLOOP_VERDICT_OUTCOME_VALUE_INCONCLUSIVE = "inconclusive";

/** What was done about it. Type string, such as `kept`. */
export const SPANLOOP_VERDICT_ACTION = "spanloop.verdict.action";

/** `spanloop.verdict.action`: The candidate rules from now on. */
export const SPANLOOP_VERDICT_ACTION_VALUE_KEPT = "kept";

/** `spanloop.verdict.action`: The incumbent rules as before. */
export const SPANLOOP_VERDICT_ACTION_VALUE_ROLLED_BACK = "rolled_back";

/** What ended it. Type string, such as `interval`. */
export const SPANLOOP_VERDICT_ENDED = "spanloop.verdict.ended";

/** `spanloop.verdict.ended`: The interval left zero. */
export const SPANLOOP_VERDICT_ENDED_VALUE_INTERVAL = "interval";

/** `spanloop.verdict.ended`: A guard was breached, or is not believed to be kept. */
export const SPANLOOP_VERDICT_ENDED_VALUE_GUARD = "guard";

/** `spanloop.verdict.ended`: A harm was clear before the interval was. */
export const SPANLOOP_VERDICT_ENDED_VALUE_HARM = "harm";

/** `spanloop.verdict.ended`: It could not come to more than is worth having. */
export const SPANLOOP_VERDICT_ENDED_VALUE_FUTILE = "futile";

/** `spanloop.verdict.ended`: The work that it was given was used up. */
export const SPANLOOP_VERDICT_ENDED_VALUE_BUDGET = "budget";

/** `spanloop.verdict.ended`: Somebody changed the values meanwhile. */
export const SPANLOOP_VERDICT_ENDED_VALUE_WITHDRAWN = "withdrawn";

/**
 * How many times better the candidate is by the objective; above 1 is better. Type double, such as
 * `1.8`.
 */
export const SPANLOOP_VERDICT_RATIO = "spanloop.verdict.ratio";

/**
 * The lower end of that ratio's interval, which is valid at every look. Type double, such as
 * `1.6`.
 */
export const SPANLOOP_VERDICT_LOW = "spanloop.verdict.low";

/** The upper end of it. Type double, such as `2`. */
export const SPANLOOP_VERDICT_HIGH = "spanloop.verdict.high";

/** How many pairs of arms were compared. Type int, such as `14`. */
export const SPANLOOP_VERDICT_PAIRS = "spanloop.verdict.pairs";

/**
 * The verdict in one sentence. Type string, such as `batch_size 160 -> 640: 1.8x faster per item
 * (95 % 1.6 to 2.0, 14 pairs), errors 0.1 %, kept`.
 */
export const SPANLOOP_VERDICT_MESSAGE = "spanloop.verdict.message";

/** How many attempts it is about, the last ones. Type int, such as `40`. */
export const SPANLOOP_FINDING_ATTEMPTS = "spanloop.finding.attempts";

/**
 * The 95th percentile of these attempts' durations, seconds; per item, where they count items.
 * Type double, such as `4.2`, `0.013`.
 */
export const SPANLOOP_FINDING_P95_NOW = "spanloop.finding.p95.now";

/** The 95th percentile of the step's history, likewise. Type double, such as `2.1`, `0.006`. */
export const SPANLOOP_FINDING_P95_BEFORE = "spanloop.finding.p95.before";

/** Whether a finding begins or is over. Type string, such as `begun`. */
export const SPANLOOP_FINDING_STATE = "spanloop.finding.state";

/** `spanloop.finding.state`: It holds from now on. */
export const SPANLOOP_FINDING_STATE_VALUE_BEGUN = "begun";

/** `spanloop.finding.state`: It no longer holds. */
export const SPANLOOP_FINDING_STATE_VALUE_OVER = "over";

/**
 * The finding in one sentence. Type string, such as `load: 14 % of 2,000 items failed in the last
 * 20 runs, more than 10 %`.
 */
export const SPANLOOP_FINDING_MESSAGE = "spanloop.finding.message";

/** The number that fired, in the finding's own unit. Type double, such as `0.14`, `12.5`. */
export const SPANLOOP_FINDING_VALUE = "spanloop.finding.value";

/** The lower end of that number's 95 % interval. Type double, such as `0.125`. */
export const SPANLOOP_FINDING_LOW = "spanloop.finding.low";

/** The upper end of it. Type double, such as `0.156`. */
export const SPANLOOP_FINDING_HIGH = "spanloop.finding.high";

/** What it was held against. Type double, such as `0.1`, `10`. */
export const SPANLOOP_FINDING_THRESHOLD = "spanloop.finding.threshold";

/** Of how many items, attempts or runs the number is. Type int, such as `2000`. */
export const SPANLOOP_FINDING_COUNT = "spanloop.finding.count";

/** Of how many of the last runs it is. Type int, such as `20`. */
export const SPANLOOP_FINDING_RUNS = "spanloop.finding.runs";

/** The part of health that is runs that succeed, 0 to 100. Type double, such as `95`. */
export const SPANLOOP_FINDING_HEALTH_SUCCESS = "spanloop.finding.health.success";

/**
 * The part of health that is items and attempts that do not fail, 0 to 100. Type double, such as
 * `99.2`.
 */
export const SPANLOOP_FINDING_HEALTH_ERRORS = "spanloop.finding.health.errors";

/**
 * The part of health that is steps that cost no more than usual, 0 to 100. Type double, such as
 * `48`.
 */
export const SPANLOOP_FINDING_HEALTH_SPEED = "spanloop.finding.health.speed";

/**
 * The part of health that is runs that do not wait before they begin, 0 to 100. Type double, such
 * as `100`.
 */
export const SPANLOOP_FINDING_HEALTH_WAITING = "spanloop.finding.health.waiting";

/** The run with which it began. Type string, such as `01932f6e-7f01-7b3c-9c4e-1f2a3b4c5d6e`. */
export const SPANLOOP_FINDING_SINCE = "spanloop.finding.since";

/** What an item, or an attempt, cost before, seconds. Type double, such as `0.0021`. */
export const SPANLOOP_FINDING_BEFORE = "spanloop.finding.before";

/** What it has cost since. Type double, such as `0.0042`. */
export const SPANLOOP_FINDING_AFTER = "spanloop.finding.after";

/**
 * How many times as much it costs since; the interval is that of this number. Type double, such as
 * `2`.
 */
export const SPANLOOP_FINDING_RATIO = "spanloop.finding.ratio";

/**
 * One less the chance of as clear a change in a step that is as it was. Type double, such as
 * `0.9991`.
 */
export const SPANLOOP_FINDING_CONFIDENCE = "spanloop.finding.confidence";

/** What was expected at that hour of the week, seconds. Type double, such as `0.0021`. */
export const SPANLOOP_FINDING_EXPECTED = "spanloop.finding.expected";

/**
 * By how many robust standard deviations of its logarithm it is off. Type double, such as `7.4`.
 */
export const SPANLOOP_FINDING_SCORE = "spanloop.finding.score";

/** The hour of the week, from Monday 00:00 UTC. Type int, such as `8`. */
export const SPANLOOP_FINDING_HOUR = "spanloop.finding.hour";

/** The name of the spans that are counted. Type string, such as `orders.load`, `count`. */
export const SPANLOOP_SPAN_NAME = "spanloop.span.name";

/**
 * How what a span stands for ended, as the journal says it. Type string, such as `succeeded`,
 * `timed_out`.
 */
export const SPANLOOP_OUTCOME = "spanloop.outcome";

/** `spanloop.outcome`: It did what it was to do. */
export const SPANLOOP_OUTCOME_VALUE_SUCCEEDED = "succeeded";

/** `spanloop.outcome`: It failed. */
export const SPANLOOP_OUTCOME_VALUE_FAILED = "failed";

/** `spanloop.outcome`: It was cancelled. */
export const SPANLOOP_OUTCOME_VALUE_CANCELLED = "cancelled";

/** `spanloop.outcome`: It did not run. */
export const SPANLOOP_OUTCOME_VALUE_SKIPPED = "skipped";

/** `spanloop.outcome`: Its time was up. */
export const SPANLOOP_OUTCOME_VALUE_TIMED_OUT = "timed_out";

/** `spanloop.outcome`: The engine ended during it. */
export const SPANLOOP_OUTCOME_VALUE_INTERRUPTED = "interrupted";

/** What became of an item of a for_each step. Type string, such as `processed`, `failed`. */
export const SPANLOOP_ITEM_OUTCOME = "spanloop.item.outcome";

/** `spanloop.item.outcome`: It was processed. */
export const SPANLOOP_ITEM_OUTCOME_VALUE_PROCESSED = "processed";

/** `spanloop.item.outcome`: It failed. */
export const SPANLOOP_ITEM_OUTCOME_VALUE_FAILED = "failed";

/** What waits. Type string, such as `run`, `attempt`. */
export const SPANLOOP_QUEUE_KIND = "spanloop.queue.kind";

/** `spanloop.queue.kind`: Runs that wait for their concurrency group. */
export const SPANLOOP_QUEUE_KIND_VALUE_RUN = "run";

/** `spanloop.queue.kind`: Steps and batches that wait for a slot of their run's max_concurrency. */
export const SPANLOOP_QUEUE_KIND_VALUE_ATTEMPT = "attempt";

/** Which of OpenTelemetry's signals. Type string, such as `traces`. */
export const SPANLOOP_SIGNAL = "spanloop.signal";

/** `spanloop.signal`: Spans. */
export const SPANLOOP_SIGNAL_VALUE_TRACES = "traces";

/** `spanloop.signal`: Metrics. */
export const SPANLOOP_SIGNAL_VALUE_METRICS = "metrics";

/** `spanloop.signal`: Log records. */
export const SPANLOOP_SIGNAL_VALUE_LOGS = "logs";

/**
 * Where a signal is sent to, without credentials. Type string, such as `otlp
 * http://localhost:4318/v1/traces`.
 */
export const SPANLOOP_EXPORTER = "spanloop.exporter";

/** Why something was not exported. Type string, such as `queue_full`. */
export const SPANLOOP_DROP_REASON = "spanloop.drop.reason";

/** `spanloop.drop.reason`: More came than could be sent. */
export const SPANLOOP_DROP_REASON_VALUE_QUEUE_FULL = "queue_full";

/** `spanloop.drop.reason`: The other side refused it. */
export const SPANLOOP_DROP_REASON_VALUE_REJECTED = "rejected";

/** `spanloop.drop.reason`: Sending it failed for good. */
export const SPANLOOP_DROP_REASON_VALUE_FAILED = "failed";

/** `spanloop.drop.reason`: It was not sent in time when the engine ended. */
export const SPANLOOP_DROP_REASON_VALUE_SHUTDOWN = "shutdown";

/** Why the receiver did not take something. Type string, such as `duplicate`, `invalid`. */
export const SPANLOOP_REJECT_REASON = "spanloop.reject.reason";

/**
 * The version of the workflow's tuned values that ruled; it grows by one with each change. A run's
 * span has the version that the run began with. The span of a step or a batch has one only when an
 * `apply: live` parameter had another value than at the run's start as it was handed out. Type
 * int, such as `3`, `12`.
 */
export const SPANLOOP_PARAMETERS_VERSION = "spanloop.parameters.version";

/** The plugin's name. Type string, such as `slow_step`, `backpressure`. */
export const SPANLOOP_PLUGIN_NAME = "spanloop.plugin.name";

/**
 * How many reactions of plugins led to the span, from 1; a chain of them has a limit. Type int,
 * such as `1`, `2`.
 */
export const SPANLOOP_REACTION_DEPTH = "spanloop.reaction.depth";

/**
 * What became of an action that a plugin asked for. Type string, such as `carried_out`, `grant`.
 */
export const SPANLOOP_ACTION_OUTCOME = "spanloop.action.outcome";

/** `spanloop.action.outcome`: It was carried out; of a proposal, it was decided on. */
export const SPANLOOP_ACTION_OUTCOME_VALUE_CARRIED_OUT = "carried_out";

/** `spanloop.action.outcome`: Refused, because the plugin does not list actions of its kind. */
export const SPANLOOP_ACTION_OUTCOME_VALUE_UNDECLARED = "undeclared";

/** `spanloop.action.outcome`: Refused, because it goes past the plugin's grant. */
export const SPANLOOP_ACTION_OUTCOME_VALUE_GRANT = "grant";

/** `spanloop.action.outcome`: Refused, because the plugin's rate was used up. */
export const SPANLOOP_ACTION_OUTCOME_VALUE_RATE = "rate";

/** `spanloop.action.outcome`: Refused, because a chain of reactions was as long as it may get. */
export const SPANLOOP_ACTION_OUTCOME_VALUE_DEPTH = "depth";

/** `spanloop.action.outcome`: Refused, because it has not the form of an action. */
export const SPANLOOP_ACTION_OUTCOME_VALUE_INVALID = "invalid";

/** `spanloop.action.outcome`: Refused, because there were too many at once, or it was too large. */
export const SPANLOOP_ACTION_OUTCOME_VALUE_SIZE = "size";
