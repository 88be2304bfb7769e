import type { RunHeader } from "./core/store.ts";

/**
 * The caller's trace from the environment's TRACEPARENT, TRACESTATE and BAGGAGE (W3C Trace Context; the names
 * are OpenTelemetry's for environment variables). A malformed TRACEPARENT is ignored, as that standard says.
 */
export function traceFromEnvironment(
  environment: Readonly<Record<string, string>>,
): Pick<RunHeader, "parentSpanId" | "traceState" | "baggage"> & { readonly traceId?: string } {
  const match = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/.exec(
    environment.TRACEPARENT?.trim() ?? "",
  );
  const baggage = environment.BAGGAGE || undefined;
  if (match === null) return { baggage };
  const [, version, traceId, parentSpanId, more] = match;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentSpanId)) return { baggage };
  // Only a later version may have more fields.
  if (version === "00" && more !== undefined) return { baggage };
  return { traceId, parentSpanId, traceState: environment.TRACESTATE || undefined, baggage };
}
