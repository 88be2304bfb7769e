import { definePlugin, type Json, type PluginSpan } from "spanloop";
import { SPANLOOP_EXPERIMENT_ARM, spanloopParameter } from "../../semconv/attributes.ts";
import { CONFIG } from "./config.ts";
import { begin, look, parameterOf, type Sample, type Watch } from "./rule.ts";

const MOST_EVIDENCE = 50;

/** Proposes smaller batches, or more concurrency, where work takes longer than its cycle time. */
export default definePlugin({
  name: "cycle_split",
  version: "1.0.0",
  description: "Splits work that takes longer than its cycle time.",
  role: "optimizer",
  subscribe: [{ event: "ended", role: "attempt" }, { event: "ended", role: "step" }],
  actions: ["propose"],
  config: CONFIG,
  async onSpan({ span }, { config, state, parameters }) {
    const { workflow, stepId, role } = span;
    const sample = sampleOf(span);
    if (role !== (config.of === "batch" ? "attempt" : "step")) return;
    if (workflow === undefined || stepId !== config.step || sample === undefined) return;
    const name = parameterOf(config);
    const value = span.attributes[spanloopParameter(name)];
    let watch = state.get(workflow) as Watch | undefined;
    if (watch === undefined || value !== watch.value) {
      // The first under a new value, or one that was handed out before it ruled.
      const { [name]: now } = (await parameters(workflow)).parameters;
      if (now === undefined) {
        throw new Error(`${workflow} has no tunable parameter ${name}; name one of its`);
      }
      if (now.value !== value || typeof value !== "number") return;
      watch = begin(value, watch);
    }
    const full = { ...watch, samples: [...watch.samples, sample] };
    if (full.samples.length < config.attempts) return state.set(workflow, full as unknown as Json);
    const { version, parameters: { [name]: now } } = await parameters(workflow);
    // Another value rules already: this one was handed out before it did.
    if (now?.value !== full.value) return;
    const { watch: after, reason } = look(full, config, now);
    state.set(workflow, after as unknown as Json);
    if (reason === undefined || after.asked === undefined) return;
    return [{
      type: "propose",
      workflow,
      changes: { [name]: after.asked.value },
      reason,
      evidence: full.samples.slice(-MOST_EVIDENCE)
        .map(({ traceId, spanId }) => ({ traceId, spanId })),
      version,
      immediate: true,
    }];
  },
});

// One that failed says nothing of how long the work takes; one that timed out says that it takes long. A candidate's
// work is its experiment's.
function sampleOf(
  { traceId, spanId, attributes, outcome, duration }: PluginSpan,
): Sample | undefined {
  if (attributes[SPANLOOP_EXPERIMENT_ARM] === "candidate" || duration === undefined) return;
  if (outcome !== "succeeded" && outcome !== "timed_out") return undefined;
  return { traceId, spanId, seconds: Number(duration.toPrecision(6)) };
}
