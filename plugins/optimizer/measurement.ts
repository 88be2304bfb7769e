/** What the engine says of experiments, from the attributes of its spans. */
import type { Json, JsonObject, PluginSpan } from "spanloop";
import {
  SPANLOOP_EXPERIMENT_ID,
  SPANLOOP_EXPERIMENT_VALUES,
  SPANLOOP_MEASUREMENT_FAILED,
  SPANLOOP_MEASUREMENT_ITEMS,
  SPANLOOP_MEASUREMENT_OBJECTIVES,
  SPANLOOP_MEASUREMENT_VALUES,
  SPANLOOP_VERDICT_ACTION,
  SPANLOOP_VERDICT_ENDED,
  SPANLOOP_VERDICT_MESSAGE,
  SPANLOOP_VERDICT_OUTCOME,
} from "../../semconv/attributes.ts";
import type { Outcome, Values } from "./tuner.ts";

/** The engine's own plugin that measures. What calls itself a measurement otherwise is none (A7). */
export const ENGINE = "experiments";
/** The name of the span that says what a run's work came to. */
export const MEASUREMENT = "experiment.measurement";
/** The name of the span that says what an experiment came to. */
export const VERDICT = "experiment.verdict";

/** What a run's work came to. */
export interface Measured {
  /** Its run; a verdict in its middle parts what is measured of it. */
  readonly run: string;
  /** The experiment that was open; absent for none. */
  readonly experiment?: string;
  /** What ran, with the values of all tunable parameters; the incumbent first. */
  readonly arms: Outcome["arms"];
}

/** What an experiment came to. */
export interface Concluded {
  /** The values that were tried. */
  readonly values: Values;
  /** improved, regressed or inconclusive. */
  readonly outcome: string;
  /** kept or rolled_back. */
  readonly action: string;
  /** What ended it. */
  readonly ended: string;
  /** All that in a sentence. */
  readonly message: string;
}

// Work that counts no items is one item, which says nothing of how much there was: it is taken for so many.
const WHOLE = 20;

/** A measurement, without what a tuner cannot learn from. */
export function measuredBy(
  { attributes, runId = "" }: Pick<PluginSpan, "attributes" | "runId">,
): Measured {
  const objectives = list(attributes[SPANLOOP_MEASUREMENT_OBJECTIVES]);
  const items = list(attributes[SPANLOOP_MEASUREMENT_ITEMS]);
  const failed = list(attributes[SPANLOOP_MEASUREMENT_FAILED]);
  const experiment = attributes[SPANLOOP_EXPERIMENT_ID];
  return {
    run: runId,
    ...typeof experiment === "string" && { experiment },
    arms: list(attributes[SPANLOOP_MEASUREMENT_VALUES]).flatMap((text, i) => {
      const objective = Number(objectives[i]);
      if (!(objective > 0 && objective < Infinity)) return [];
      const count = Number(items[i]);
      const broken = Math.min(count, Number(failed[i]));
      return [{
        values: valuesOf(text),
        objective,
        items: count > 1 ? count : WHOLE,
        failed: count > 1 ? broken : broken > 0 ? WHOLE : 0,
      }];
    }),
  };
}

/** A verdict. */
export function concludedBy(attributes: JsonObject): Concluded {
  return {
    values: valuesOf(attributes[SPANLOOP_EXPERIMENT_VALUES]),
    outcome: String(attributes[SPANLOOP_VERDICT_OUTCOME]),
    action: String(attributes[SPANLOOP_VERDICT_ACTION]),
    ended: String(attributes[SPANLOOP_VERDICT_ENDED]),
    message: String(attributes[SPANLOOP_VERDICT_MESSAGE]),
  };
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function valuesOf(text: Json | undefined): Values {
  return JSON.parse(String(text)) as Values;
}
