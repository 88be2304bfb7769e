import type { ConfigOf } from "spanloop";

/** The configuration's JSON Schema. */
export const CONFIG = {
  type: "object",
  additionalProperties: false,
  properties: {
    parameter: {
      type: "string",
      default: "priority",
      description: "The tunable parameter that the workflow's priority is bound to.",
    },
    runs: {
      type: "integer",
      minimum: 2,
      maximum: 200,
      default: 20,
      description: "How many runs are looked at.",
    },
    low: {
      type: "number",
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.8,
      description: "Below which share of runs that succeed the priority is lowered.",
    },
    high: {
      type: "number",
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.95,
      description: "From which share on it is raised again.",
    },
  },
} as const;

/** The configuration. */
export type Config = ConfigOf<typeof CONFIG>;
