import type { ConfigOf } from "spanloop";

/** The configuration's JSON Schema. */
export const CONFIG = {
  type: "object",
  additionalProperties: false,
  properties: {
    parameter: {
      type: "string",
      default: "concurrency",
      description:
        "The tunable parameter that says how much is done at once: concurrency, workers.",
    },
    seconds: {
      type: "number",
      exclusiveMinimum: 0,
      default: 10,
      description: "How long half of the runs may wait before they begin.",
    },
    health: {
      type: "number",
      exclusiveMinimum: 0,
      maximum: 100,
      default: 80,
      description: "Below which health nothing grows, and there is less.",
    },
    runs: {
      type: "integer",
      minimum: 2,
      maximum: 200,
      default: 5,
      description: "How many runs are looked at.",
    },
    increase: {
      type: "number",
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.25,
      description: "Which part of it is added while runs wait; at least one.",
    },
    decrease: {
      type: "number",
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      default: 0.5,
      description: "What it is multiplied by when health falls.",
    },
  },
} as const;

/** The configuration. */
export type Config = ConfigOf<typeof CONFIG>;
