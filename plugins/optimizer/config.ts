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
  },
} as const;

/** The configuration. */
export type Config = ConfigOf<typeof CONFIG>;
