import type { ConfigOf } from "spanloop";

const SHARE = { type: "number", minimum: 0, maximum: 1 } as const;

/** The configuration's JSON Schema. */
export const CONFIG = {
  type: "object",
  additionalProperties: false,
  properties: {
    error_rate: {
      ...SHARE,
      default: 0.1,
      description: "The greatest share of a step's items, or attempts, that may fail.",
    },
    success_rate: {
      ...SHARE,
      default: 0.8,
      description: "The least share of a workflow's runs that must succeed.",
    },
    mean_duration: {
      type: "number",
      exclusiveMinimum: 0,
      default: 10,
      description: "How long an attempt at a step may take on average, seconds.",
    },
    health: {
      type: "number",
      minimum: 0,
      maximum: 100,
      default: 80,
      description: "The least health of a workflow, 0 to 100.",
    },
    window: {
      type: "integer",
      minimum: 3,
      maximum: 32,
      default: 20,
      description: "Of how many of the last runs these are.",
    },
  },
} as const;

/** The configuration. */
export type Config = ConfigOf<typeof CONFIG>;
