import { definePlugin } from "spanloop";

export default definePlugin({
  name: "my_plugin",
  version: "0.1.0",
  description: "Says when an attempt takes longer than it may.",
  role: "analyzer",
  subscribe: { event: "ended", role: "attempt" },
  actions: ["emit"],
  config: {
    type: "object",
    additionalProperties: false,
    properties: { seconds: { type: "number", exclusiveMinimum: 0, default: 60 } },
  },
  onSpan({ span }, { config, state }) {
    if (span.stepId === undefined || span.duration === undefined) return;
    if (span.duration <= config.seconds) return;
    const count = Number(state.get(span.stepId) ?? 0) + 1;
    state.set(span.stepId, count);
    return [{
      type: "emit",
      name: "finding.long_attempt",
      attributes: { step: span.stepId, seconds: span.duration, count },
    }];
  },
});
