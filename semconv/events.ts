// Generated from registry/*.yaml by `deno task semconv`; do not edit.

/** As OpenTelemetry defines it. */
export const EVENT_EXCEPTION = "exception";

/** A line of a step's output; the record's body is the line, masked. */
export const EVENT_SPANLOOP_STEP_OUTPUT = "spanloop.step.output";

/**
 * An attempt at a step or at a batch has ended, a for_each step has, or a step was skipped; the
 * record's body says how, in words.
 */
export const EVENT_SPANLOOP_STEP_END = "spanloop.step.end";

/** A run has ended; the record's body says how, in words. */
export const EVENT_SPANLOOP_RUN_END = "spanloop.run.end";

/** Why a step, or an attempt at it, did not succeed. */
export const EVENT_SPANLOOP_STEP_EXCEPTION = "spanloop.step.exception";

/** Why a run failed. */
export const EVENT_SPANLOOP_RUN_EXCEPTION = "spanloop.run.exception";

/** A line of a plugin's own log; the record's body is the line. */
export const EVENT_SPANLOOP_PLUGIN_OUTPUT = "spanloop.plugin.output";

/**
 * A workflow's tuned values have changed, or a change is tested, waits to be tested, or is held
 * for a person; the body says which, in words.
 */
export const EVENT_SPANLOOP_PARAMETERS_CHANGE = "spanloop.parameters.change";
