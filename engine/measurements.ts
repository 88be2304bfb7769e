import {
  SPANLOOP_EXPERIMENT_ARM_VALUE_CANDIDATE,
  SPANLOOP_EXPERIMENT_ARM_VALUE_INCUMBENT,
  SPANLOOP_EXPERIMENT_ID,
  SPANLOOP_MEASUREMENT_ARMS,
  SPANLOOP_MEASUREMENT_DURATIONS,
  SPANLOOP_MEASUREMENT_FAILED,
  SPANLOOP_MEASUREMENT_GOAL,
  SPANLOOP_MEASUREMENT_ITEMS,
  SPANLOOP_MEASUREMENT_OBJECTIVES,
  SPANLOOP_MEASUREMENT_VALUES,
} from "../semconv/attributes.ts";
import type { MeasuredArm, Measurement } from "./core/improve.ts";
import { isObject } from "./core/json.ts";
import type { Arm } from "./core/proposal.ts";
import type { EmittedSpan } from "./core/span.ts";

/** The plugin of the engine's own that measures, and the name of the spans with which it says what. */
export const MEASURED = { plugin: "experiments", name: "experiment.measurement" } as const;

/** What a span of that name says; undefined for one that has not its form, such as another plugin's. */
export function measurementOf({ attributes, runId, time }: EmittedSpan): Measurement | undefined {
  const list = (key: string): readonly unknown[] => {
    const value = attributes[key];
    return Array.isArray(value) ? value : [];
  };
  const names = list(SPANLOOP_MEASUREMENT_ARMS);
  const columns = {
    values: list(SPANLOOP_MEASUREMENT_VALUES),
    objectives: list(SPANLOOP_MEASUREMENT_OBJECTIVES),
    durations: list(SPANLOOP_MEASUREMENT_DURATIONS),
    items: list(SPANLOOP_MEASUREMENT_ITEMS),
    failed: list(SPANLOOP_MEASUREMENT_FAILED),
  };
  const arms = names.map((arm, i): MeasuredArm | undefined => {
    const values = parsed(columns.values[i]);
    const [objective, duration, items, failed] = [
      columns.objectives[i],
      columns.durations[i],
      columns.items[i],
      columns.failed[i],
    ];
    return isArm(arm) && isObject(values) && isFigure(objective) && isFigure(duration) &&
        isFigure(items) && isFigure(failed)
      ? { arm, values, objective, duration, items, failed }
      : undefined;
  });
  const goal = attributes[SPANLOOP_MEASUREMENT_GOAL];
  const experiment = attributes[SPANLOOP_EXPERIMENT_ID];
  if (
    runId === undefined || typeof goal !== "string" || arms.length === 0 ||
    !arms.every((arm) => arm !== undefined)
  ) return undefined;
  return {
    runId,
    at: time,
    ...typeof experiment === "string" ? { experiment } : {},
    goal,
    arms,
  };
}

function isArm(value: unknown): value is Arm {
  return value === SPANLOOP_EXPERIMENT_ARM_VALUE_INCUMBENT ||
    value === SPANLOOP_EXPERIMENT_ARM_VALUE_CANDIDATE;
}

function isFigure(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function parsed(text: unknown): unknown {
  try {
    return typeof text === "string" ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
