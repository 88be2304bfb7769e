import type { ConfigOf } from "spanloop";

/** The configuration's JSON Schema. */
export const CONFIG = {
  type: "object",
  additionalProperties: false,
  properties: {
    parameters: {
      type: "array",
      items: { type: "string" },
      uniqueItems: true,
      default: [],
      description: "The tunable parameters that it tunes; all when there are none.",
    },
    propose: {
      type: "boolean",
      default: true,
      description: "Whether it proposes by itself; else it only learns, for the step types.",
    },
  },
} as const;

/** The configuration. */
export type Config = ConfigOf<typeof CONFIG>;
