import { definePlugin, type Json, type PluginSpan } from "spanloop";
import { spanloopParameter } from "../../semconv/attributes.ts";
import { CONFIG } from "./config.ts";
import { enough, judge, type Sample, type Window } from "./control.ts";

const MOST_EVIDENCE = 50;

/** Proposes more of a live `concurrency` while a step's attempts succeed as fast as they can, and less once they do not. */
export default definePlugin({
  name: "backpressure",
  version: "1.0.0",
  description: "Finds how many attempts at a step a service takes at once.",
  role: "optimizer",
  subscribe: { event: "ended", role: "attempt" },
  actions: ["propose"],
  config: CONFIG,
  async onSpan({ span }, { config, state, parameters }) {
    const { workflow, stepId } = span;
    const sample = sampleOf(span);
    if (workflow === undefined || stepId !== config.step || sample === undefined) return;
    const value = span.attributes[spanloopParameter(config.parameter)];
    let window = state.get(workflow) as Window | undefined;
    if (window === undefined || value !== window.value) {
      // The first under a new value, or one that was handed out before it ruled.
      const { [config.parameter]: now } = (await parameters(workflow)).parameters;
      if (now === undefined) {
        throw new Error(
          `${workflow} has no tunable parameter ${config.parameter}; name one of its`,
        );
      }
      if (now.value !== value || typeof value !== "number") return;
      window = { value, best: window?.best, samples: [] };
    }
    const full = { ...window, samples: [...window.samples, sample] };
    if (full.samples.length < enough(full.value)) {
      return state.set(workflow, full as unknown as Json);
    }
    const { version, parameters: { [config.parameter]: bounds } } = await parameters(workflow);
    const { value: next, best, reason } = judge(full, config, bounds);
    state.set(workflow, { ...full, best, samples: [] } as unknown as Json);
    if (next === full.value) return;
    return [{
      type: "propose",
      workflow,
      changes: { [config.parameter]: next },
      reason,
      evidence: full.samples.slice(-MOST_EVIDENCE)
        .map(({ traceId, spanId }) => ({ traceId, spanId })),
      version,
      // It measures by itself what each of its steps brings, and has to be quick when a service is overloaded.
      immediate: true,
    }];
  },
});

// One that was cancelled, skipped or interrupted says nothing of the service.
function sampleOf({ traceId, spanId, duration, outcome, items }: PluginSpan): Sample | undefined {
  if (outcome === "failed" || outcome === "timed_out") return { traceId, spanId, failed: 1 };
  if (outcome !== "succeeded" || duration === undefined) return undefined;
  const count = items === undefined ? 0 : items.processed + items.failed;
  const seconds = Number((duration / Math.max(1, count)).toPrecision(6));
  return { traceId, spanId, failed: count === 0 ? 0 : items!.failed / count, seconds };
}
