import { messageOf, StepError } from "../core/errors.ts";

/** The failure of an attempt whose signal was aborted; its class is the reason's, if that has one. */
export function ended(signal: AbortSignal, tail?: string): StepError {
  const reason: unknown = signal.reason;
  return new StepError("step.ended", `The step was ended: ${messageOf(reason)}`, {
    errorClass: reason instanceof StepError ? reason.errorClass : "error",
    tail,
    cause: reason,
  });
}

/** Whether a person asked twice to stop: the abort's reason says `force: true`, perhaps only later. */
export function isForced(signal: AbortSignal): boolean {
  const reason: unknown = signal.reason;
  return typeof reason === "object" && reason !== null && "force" in reason &&
    reason.force === true;
}
