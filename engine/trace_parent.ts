import type { RunHeader } from "./core/store.ts";

/**
 * The caller's trace from the environment's TRACEPARENT, TRACESTATE and BAGGAGE (W3C Trace Context; the names
 * are OpenTelemetry's for environment variables). A malformed TRACEPARENT is ignored, as that standard says.
 */
export function traceFromEnvironment(
  environment: Readonly<Record<string, string>>,
): Pick<RunHeader, "parentSpanId" | "traceState" | "baggage"> & { readonly traceId?: string } {
  const match = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/.exec(
    environment.TRACEPARENT?.trim() ?? "",
  );
  const baggage = environment.BAGGAGE || undefined;
  if (match === null || /^0+$/.test(match[1]) || /^0+$/.test(match[2])) return { baggage };
  return {
    traceId: match[1],
    parentSpanId: match[2],
    traceState: environment.TRACESTATE || undefined,
    baggage,
  };
}
