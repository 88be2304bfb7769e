import { definePlugin, type Json, type PluginSpan } from "spanloop";
import { SPANLOOP_EXPERIMENT_ARM, spanloopParameter } from "../../semconv/attributes.ts";
import { CONFIG } from "./config.ts";
import { begin, look, type Sample, type Watch } from "./rule.ts";

const MOST_EVIDENCE = 50;

/** Proposes a smaller batch while many attempts at a step fail, and the old one again once they no longer do. */
export default definePlugin({
  name: "error_backoff",
  version: "1.0.0",
  description: "Makes batches smaller while errors are high, and lets them grow back.",
  role: "optimizer",
  subscribe: { event: "ended", role: "attempt" },
  actions: ["propose"],
  config: CONFIG,
  async onSpan({ span }, { config, state, parameters }) {
    const { workflow, stepId } = span;
    const sample = sampleOf(span);
    if (workflow === undefined || stepId !== config.step || sample === undefined) return;
    const value = span.attributes[spanloopParameter(config.parameter)];
    let watch = state.get(workflow) as Watch | undefined;
    if (watch === undefined || value !== watch.value) {
      // The first under a new value, or one that was handed out before it ruled.
      const { [config.parameter]: now } = (await parameters(workflow)).parameters;
      if (now === undefined) {
        throw new Error(
          `${workflow} has no tunable parameter ${config.parameter}; name one of its`,
        );
      }
      if (now.value !== value || typeof value !== "number") return;
      watch = begin(value, watch);
    }
    const full = { ...watch, samples: [...watch.samples, sample] };
    if (full.samples.length < config.attempts && sample.failed === 0) {
      return state.set(workflow, full as unknown as Json);
    }
    const { version, parameters: { [config.parameter]: now } } = await parameters(workflow);
    // Another value rules already: this one was handed out before it did.
    if (now?.value !== full.value) return;
    const { watch: after, reason } = look(full, config, now.min ?? 1);
    state.set(workflow, after as unknown as Json);
    if (reason === undefined || after.asked === undefined) return;
    return [{
      type: "propose",
      workflow,
      changes: { [config.parameter]: after.asked.value },
      reason,
      evidence: full.samples.slice(-MOST_EVIDENCE)
        .map(({ traceId, spanId }) => ({ traceId, spanId })),
      version,
      immediate: true,
    }];
  },
});

// One that was cancelled, skipped or interrupted says nothing of the step, and a candidate's errors are its experiment's.
function sampleOf(
  { traceId, spanId, attributes, outcome, items }: PluginSpan,
): Sample | undefined {
  if (attributes[SPANLOOP_EXPERIMENT_ARM] === "candidate") return undefined;
  if (outcome === "failed" || outcome === "timed_out") return { traceId, spanId, failed: 1 };
  if (outcome !== "succeeded") return undefined;
  const count = items === undefined ? 0 : items.processed + items.failed;
  return { traceId, spanId, failed: count === 0 ? 0 : items!.failed / count };
}
