import type { EndedRun, Flow } from "./flow.ts";

/** A part of a workflow's health. */
export interface HealthPart {
  /** What it is. */
  readonly part: "success" | "errors" | "speed" | "waiting";
  /** How well it is, 0 to 100. */
  readonly score: number;
  /** How much it counts; all parts together 1. */
  readonly weight: number;
  /** The number behind it, a sentence. */
  readonly message: string;
}

/** How well a workflow is. */
export interface Health {
  /** 0 to 100: the parts' weighted geometric mean, so that nothing makes up for a part that is 0. */
  readonly score: number;
  /** Its parts. */
  readonly parts: readonly HealthPart[];
}

/** What health is made of: of the last runs. */
export interface Vitals {
  /** Runs, and those that succeeded. */
  readonly runs: number;
  /** Those that succeeded. */
  readonly succeeded: number;
  /** The share of items, or attempts, that failed, of the step where it is greatest; absent without steps. */
  readonly errors?: { readonly step: string; readonly rate: number };
  /** How many times its usual cost the step costs that has slowed down most; absent when none can be compared. */
  readonly slowdown?: { readonly step: string; readonly factor: number };
  /** The share of their time from order to end that runs waited. */
  readonly waiting: number;
}

const WEIGHTS = { success: 0.4, errors: 0.3, speed: 0.2, waiting: 0.1 } as const;

/** What the last `window` runs of a workflow, and its steps, say of its health. */
export function vitalsOf(flow: Flow, window: number): Vitals {
  const runs = flow.recent(window);
  const errors = [...flow.vitals].sort(([, a], [, b]) => b.errors - a.errors)[0];
  const slow = [...flow.vitals].sort(([, a], [, b]) => (b.factor ?? 1) - (a.factor ?? 1))[0];
  const [waited, took] = [sum(runs, "queue"), sum(runs, "duration")];
  return {
    runs: runs.length,
    succeeded: runs.filter(({ succeeded }) => succeeded).length,
    ...errors === undefined ? {} : { errors: { step: errors[0], rate: errors[1].errors } },
    ...slow?.[1].factor === undefined
      ? {}
      : { slowdown: { step: slow[0], factor: Math.max(1, slow[1].factor) } },
    waiting: waited === 0 ? 0 : waited / (waited + took),
  };
}

function sum(runs: readonly EndedRun[], what: "queue" | "duration"): number {
  return runs.reduce((sum, run) => sum + run[what], 0);
}

/** Health from 0 to 100, with its parts. */
export function healthOf(vitals: Vitals): Health {
  const { runs, succeeded, errors, slowdown, waiting } = vitals;
  const part = (part: HealthPart["part"], share: number, message: string): HealthPart => ({
    part,
    score: Math.round(1_000 * Math.max(0, Math.min(1, share))) / 10,
    weight: WEIGHTS[part],
    message,
  });
  const parts = [
    part(
      "success",
      runs === 0 ? 1 : succeeded / runs,
      `${succeeded} of ${runs === 1 ? "1 run" : `the last ${runs} runs`} succeeded`,
    ),
    part(
      "errors",
      1 - (errors?.rate ?? 0),
      errors === undefined || errors.rate === 0
        ? "nothing failed"
        : `${percent(errors.rate)} failed at ${errors.step}`,
    ),
    part(
      "speed",
      1 / (slowdown?.factor ?? 1),
      slowdown === undefined || slowdown.factor < 1.05
        ? "as fast as usual"
        : `${slowdown.step} costs ${slowdown.factor.toFixed(1)} times as much as usual`,
    ),
    part("waiting", 1 - waiting, `${percent(waiting)} of the time was waiting to begin`),
  ];
  const log = parts.reduce((sum, { score, weight }) => sum + weight * Math.log(score / 100), 0);
  return { score: Math.round(1_000 * Math.exp(log)) / 10, parts };
}

/** A share as people read it: `3.2 %`. */
export function percent(share: number): string {
  const value = 100 * share;
  return `${value >= 9.95 ? Math.round(value) : Number(value.toFixed(1))} %`;
}
