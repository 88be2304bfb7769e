import type { Site } from "./kernel.ts";
import type { Values } from "./space.ts";

/** What one arm of one run showed. */
export interface Observation extends Site {
  /** The values that were applied. */
  readonly values: Values;
  /** One text for equal values. */
  readonly key: string;
  /** Which run it belongs to: arms of one run share what disturbed it. */
  readonly run: number;
  /** The natural logarithm of the objective. */
  readonly log: number;
  /** How many items it had. */
  readonly items: number;
  /** How many of them failed. */
  readonly failed: number;
}
