import { definePlugin, type Json, type PluginSpan } from "spanloop";
import { SPANLOOP_EXPERIMENT_ARM, spanloopParameter } from "../../semconv/attributes.ts";
import { CONFIG } from "./config.ts";
import { begin, look, type Sample, type Watch } from "./rule.ts";

const MOST_EVIDENCE = 50;

/** Proposes a lower priority for a workflow whose runs fail, and the old one again once they succeed. */
export default definePlugin({
  name: "success_priority",
  version: "1.0.0",
  description: "Lets workflows whose runs succeed come before those whose runs fail.",
  role: "optimizer",
  subscribe: { event: "ended", role: "run" },
  actions: ["propose"],
  config: CONFIG,
  async onSpan({ span }, { config, state, parameters }) {
    const { workflow } = span;
    const sample = sampleOf(span);
    if (workflow === undefined || sample === undefined) return;
    const value = span.attributes[spanloopParameter(config.parameter)];
    // Used for all workflows it leaves alone those whose priority is not bound to a parameter.
    if (typeof value !== "number") return;
    let watch = state.get(workflow) as Watch | undefined;
    if (watch === undefined || value !== watch.value) {
      // The first under a new value, or one that began before it ruled.
      const { [config.parameter]: now } = (await parameters(workflow)).parameters;
      if (now === undefined || now.value !== value) return;
      watch = begin(value, watch);
    }
    const full = { ...watch, samples: [...watch.samples, sample] };
    if (full.samples.length < config.runs && sample.succeeded) {
      return state.set(workflow, full as unknown as Json);
    }
    const { version, parameters: { [config.parameter]: now } } = await parameters(workflow);
    // Another value rules already: this one began before it did.
    if (now?.value !== full.value) return;
    const { watch: after, reason } = look(full, config, now.min ?? 0);
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

// One that was cancelled or skipped says nothing of the workflow, and a candidate's failures are its experiment's.
function sampleOf({ traceId, spanId, attributes, outcome }: PluginSpan): Sample | undefined {
  if (attributes[SPANLOOP_EXPERIMENT_ARM] === "candidate") return undefined;
  if (outcome !== "succeeded" && outcome !== "failed" && outcome !== "timed_out") return undefined;
  return { traceId, spanId, succeeded: outcome === "succeeded" };
}
