/**
 * What the author of a script step imports: the types of its context, and the error that says "try again".
 *
 * @module
 */
export type { Json, JsonObject } from "./engine/core/json.ts";
export type { Script, StepContext } from "./engine/core/step.ts";
export { type ErrorClass, SpanloopError, StepError, TransientError } from "./engine/core/errors.ts";
