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
      default: "batch_size",
      description: "The tunable parameter that is lowered.",
    },
    attempts: {
      type: "integer",
      minimum: 2,
      maximum: 200,
      default: 20,
      description: "How many attempts are looked at.",
    },
    high: {
      type: "number",
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      default: 0.1,
      description: "From which share of failures on it is lowered.",
    },
    low: {
      type: "number",
      minimum: 0,
      exclusiveMaximum: 1,
      default: 0.02,
      description: "Up to which share of failures it grows back.",
    },
    shrink: {
      type: "number",
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      default: 0.5,
      description: "What it is multiplied by when it is lowered.",
    },
    grow: {
      type: "number",
      minimum: 1,
      default: 1.5,
      description: "What it is multiplied by when it grows back; 1: it does not.",
    },
  },
} as const;

/** The configuration. */
export type Config = ConfigOf<typeof CONFIG>;
