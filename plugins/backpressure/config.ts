import type { ConfigOf } from "spanloop";

/** The configuration's JSON Schema. */
export const CONFIG = {
  type: "object",
  additionalProperties: false,
  required: ["step"],
  properties: {
    step: { type: "string", description: "The step whose attempts are watched." },
    parameter: {
      type: "string",
      default: "concurrency",
      description: "The tunable parameter that says how many of them are under way at once.",
    },
    target_error_rate: {
      type: "number",
      minimum: 0,
      exclusiveMaximum: 1,
      default: 0.01,
      description: "The share of attempts, or of items, that may fail.",
    },
    latency_factor: {
      type: "number",
      exclusiveMinimum: 1,
      default: 2.5,
      description:
        "How many times as long as at best an attempt, or an item, may take at the median.",
    },
    increase: {
      type: "integer",
      minimum: 1,
      default: 1,
      description: "What is added while neither is exceeded.",
    },
    decrease: {
      type: "number",
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      default: 0.75,
      description: "What it is multiplied by when one is.",
    },
  },
} as const;

/** The configuration. */
export type Config = ConfigOf<typeof CONFIG>;
