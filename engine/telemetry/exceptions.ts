/**
 * Why spans failed, as OpenTelemetry's conventions for exceptions have it: events of their spans, or log records,
 * as OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN asks. https://opentelemetry.io/docs/specs/semconv/exceptions/
 */
import type { Logger } from "../core/log.ts";
import type { Attributes, BusEvent, EndEntry, Failure } from "../core/span.ts";
import * as keys from "../../semconv/attributes.ts";
import {
  EVENT_SPANLOOP_RUN_EXCEPTION,
  EVENT_SPANLOOP_STEP_EXCEPTION,
} from "../../semconv/events.ts";
import type { BusListener } from "./bus.ts";
import { placeOf } from "./run_log.ts";

/** The failure that ended a span, if it counts as an exception: a cancelled attempt did not fail. */
export function exceptionOf({ end, failure }: EndEntry): Failure | undefined {
  return end.error ? failure : undefined;
}

/** What describes a failure, which is masked already. It has no stack: the journal keeps none. */
export function exceptionAttributes(failure: Failure): Attributes {
  return { [keys.EXCEPTION_TYPE]: failure.code, [keys.EXCEPTION_MESSAGE]: failure.message };
}

/**
 * Logs each span's failure, at the time of its end. The names of the events and their severity are those that the
 * conventions recommend: the operation's, and a warning for what is tried again.
 */
export function logExceptions(log: Logger): BusListener {
  return (event: BusEvent) => {
    if (event.event !== "ended") return;
    const { record, start } = event;
    const failure = exceptionOf(record);
    if (failure === undefined) return;
    log.log({
      time: record.end.endTime,
      severity: record.retryAt === undefined ? "error" : "warn",
      body: failure.message,
      eventName: record.role === "run"
        ? EVENT_SPANLOOP_RUN_EXCEPTION
        : EVENT_SPANLOOP_STEP_EXCEPTION,
      attributes: exceptionAttributes(failure),
      ...placeOf(start),
    });
  };
}
