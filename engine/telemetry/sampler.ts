import { ROOT_CONTEXT, TraceFlags } from "@opentelemetry/api";
import { SamplingDecision, TraceIdRatioBasedSampler } from "@opentelemetry/sdk-trace-base";
import type { SamplerSettings } from "./settings.ts";

/**
 * Whether a run's spans are exported, by its trace id and by the W3C trace flags of its parent in another
 * process, if it has one.
 */
export type Sampled = (traceId: string, parentFlags?: number) => boolean;

/** The sampler that the environment asks for. A run is exported whole or not at all. */
export function sampler({ parentBased, ratio }: SamplerSettings): Sampled {
  const byRatio = new TraceIdRatioBasedSampler(ratio);
  return (traceId, parentFlags) => {
    if (parentBased && parentFlags !== undefined) return (parentFlags & TraceFlags.SAMPLED) !== 0;
    // The SDK's leaves out one trace in four thousand million at a ratio of 1.
    return ratio >= 1 ||
      byRatio.shouldSample(ROOT_CONTEXT, traceId).decision === SamplingDecision.RECORD_AND_SAMPLED;
  };
}
