import type { ConfigOf } from "spanloop";

/** The configuration's JSON Schema. */
export const CONFIG = {
  type: "object",
  additionalProperties: false,
  required: ["step", "seconds"],
  properties: {
    step: { type: "string", description: "The step whose work is watched." },
    seconds: {
      type: "number",
      exclusiveMinimum: 0,
      description: "The cycle time: how long a batch, or the whole step, may take.",
    },
    of: {
      enum: ["batch", "step"],
      default: "batch",
      description:
        "What must keep it: each batch, which is made smaller, or the whole step, which gets more concurrency.",
    },
    parameter: {
      type: "string",
      description:
        "The tunable parameter; batch_size for batches and concurrency for steps when absent.",
    },
    attempts: {
      type: "integer",
      minimum: 2,
      maximum: 200,
      default: 5,
      description: "How many batches, or steps, are looked at.",
    },
    aim: {
      type: "number",
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      default: 0.8,
      description: "The part of the cycle time that a change aims at.",
    },
  },
} as const;

/** The configuration. */
export type Config = ConfigOf<typeof CONFIG>;
