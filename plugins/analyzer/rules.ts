import type { Attributes } from "spanloop";
import {
  CICD_PIPELINE_NAME,
  SPANLOOP_FINDING_COUNT,
  SPANLOOP_FINDING_HEALTH_ERRORS,
  SPANLOOP_FINDING_HEALTH_SPEED,
  SPANLOOP_FINDING_HEALTH_SUCCESS,
  SPANLOOP_FINDING_HEALTH_WAITING,
  SPANLOOP_FINDING_HIGH,
  SPANLOOP_FINDING_LOW,
  SPANLOOP_FINDING_RUNS,
  SPANLOOP_FINDING_THRESHOLD,
  SPANLOOP_FINDING_VALUE,
  SPANLOOP_STEP_ID,
} from "../../semconv/attributes.ts";
import type { Config } from "./config.ts";
import type { Flow } from "./flow.ts";
import { type Health, percent } from "./health.ts";
import { rateOf } from "./rate.ts";
import type { Step } from "./step.ts";

/** A rule held against the last runs. */
export interface Judgement {
  /** The finding's name. */
  readonly name: string;
  /** The step; absent for a workflow's. */
  readonly step?: string;
  /** Whether it is beyond the threshold. */
  readonly fires: boolean;
  /** Whether it is far enough on the good side to be over, if it has fired before. */
  readonly isOver: boolean;
  /** A sentence with the numbers. */
  message(): string;
  /** The numbers. */
  attributes(): Attributes;
}

// Of fewer runs nothing is told.
const FEWEST_RUNS = 3;
// What has fired is over a tenth of the threshold away from it, so that what wavers is told once.
const MARGIN = 0.1;

/** What a workflow's step comes to in the last runs; none of too few. */
export function judgeStep(
  workflow: string,
  id: string,
  { recent }: Step,
  config: Config,
): readonly Judgement[] {
  const runs = recent.slice(-config.window);
  if (runs.length < FEWEST_RUNS) return [];
  const sum = totalOf(runs);
  const of = { [CICD_PIPELINE_NAME]: workflow, [SPANLOOP_STEP_ID]: id };
  const last = `in the last ${runs.length} runs`;
  const judged: Judgement[] = [];
  const { unit, failed, count } = errorsOf(sum);
  if (count > 0) {
    const { rate, low, high } = rateOf(failed, count);
    const { error_rate: most } = config;
    judged.push({
      name: "finding.error_rate",
      step: id,
      fires: rate > most,
      isOver: rate <= most * (1 - MARGIN),
      message: () =>
        `${id}: ${percent(rate)} of ${count} ${unit}s failed ${last} (95 % ${percent(low)} to ` +
        `${percent(high)}); at most ${percent(most)} may`,
      attributes: () => ({
        ...of,
        ...numbers(rate, most, runs.length),
        ...{ [SPANLOOP_FINDING_LOW]: low, [SPANLOOP_FINDING_HIGH]: high },
        [SPANLOOP_FINDING_COUNT]: count,
      }),
    });
  }
  if (sum.attempts > 0) {
    const mean = sum.busy / sum.attempts;
    const { mean_duration: most } = config;
    judged.push({
      name: "finding.slow",
      step: id,
      fires: mean > most,
      isOver: mean <= most * (1 - MARGIN),
      message: () =>
        `${id}: an attempt took ${seconds(mean)} on average of ${sum.attempts} ${last}; at most ${
          seconds(most)
        } may be`,
      attributes: () => ({
        ...of,
        ...numbers(mean, most, runs.length),
        [SPANLOOP_FINDING_COUNT]: sum.attempts,
      }),
    });
  }
  return judged;
}

/** What a workflow comes to in the last runs; none of too few. */
export function judgeFlow(
  workflow: string,
  flow: Flow,
  health: Health,
  config: Config,
): readonly Judgement[] {
  const runs = flow.recent(config.window);
  if (runs.length < FEWEST_RUNS) return [];
  const of = { [CICD_PIPELINE_NAME]: workflow };
  const succeeded = runs.filter((run) => run.succeeded).length;
  const { rate, low, high } = rateOf(succeeded, runs.length);
  const { success_rate: least, health: leastHealth } = config;
  const { score, parts: [success, errors, speed, waiting] } = health;
  const worst = health.parts.toSorted((a, b) => lossOf(b) - lossOf(a))[0];
  return [{
    name: "finding.success_rate",
    fires: rate < least,
    isOver: rate >= least + (1 - least) * MARGIN,
    message: () =>
      `${succeeded} of the last ${runs.length} runs succeeded, ${percent(rate)} (95 % ${
        percent(low)
      } to ${percent(high)}); at least ${percent(least)} must`,
    attributes: () => ({
      ...of,
      ...numbers(rate, least, runs.length),
      ...{ [SPANLOOP_FINDING_LOW]: low, [SPANLOOP_FINDING_HIGH]: high },
      [SPANLOOP_FINDING_COUNT]: runs.length,
    }),
  }, {
    name: "finding.health",
    fires: score < leastHealth,
    isOver: score >= leastHealth + (100 - leastHealth) * MARGIN,
    message: () =>
      `health is ${score} of 100, and must be ${leastHealth}; most of it is lost by ${
        LOSSES[worst.part]
      }: ${worst.message}`,
    attributes: () => ({
      ...of,
      ...numbers(score, leastHealth, runs.length),
      [SPANLOOP_FINDING_HEALTH_SUCCESS]: success.score,
      [SPANLOOP_FINDING_HEALTH_ERRORS]: errors.score,
      [SPANLOOP_FINDING_HEALTH_SPEED]: speed.score,
      [SPANLOOP_FINDING_HEALTH_WAITING]: waiting.score,
    }),
  }];
}

/** What of a step's work failed: items where it counts any, else attempts. */
export function errorsOf(
  sum: { readonly items: number; readonly failedItems: number } & {
    readonly attempts: number;
    readonly failures: number;
  },
): { readonly unit: "item" | "attempt"; readonly failed: number; readonly count: number } {
  return sum.items > 0
    ? { unit: "item", failed: sum.failedItems, count: sum.items }
    : { unit: "attempt", failed: sum.failures, count: sum.attempts };
}

/** The sum of what runs came to. */
export function totalOf(runs: Step["recent"]): Omit<Step["recent"][number], "run" | "wall"> {
  const sum = { attempts: 0, failures: 0, items: 0, failedItems: 0, busy: 0 };
  for (const run of runs) {
    sum.attempts += run.attempts;
    sum.failures += run.failures;
    sum.items += run.items;
    sum.failedItems += run.failedItems;
    sum.busy += run.busy;
  }
  return sum;
}

/** Seconds as people read them: `12.4 s`, `3.1 ms`. */
export function seconds(value: number): string {
  const [shown, unit] = value >= 0.9995
    ? [value, "s"]
    : value >= 0.9995e-3
    ? [value * 1e3, "ms"]
    : [value * 1e6, "µs"];
  return `${shown >= 99.95 ? Math.round(shown) : Number(shown.toPrecision(3))} ${unit}`;
}

const LOSSES = {
  success: "runs that do not succeed",
  errors: "errors",
  speed: "slowness",
  waiting: "waiting",
} as const;

function lossOf({ score, weight }: Health["parts"][number]): number {
  return -weight * Math.log(Math.max(1e-9, score / 100));
}

function numbers(value: number, threshold: number, runs: number): Attributes {
  return {
    [SPANLOOP_FINDING_VALUE]: value,
    [SPANLOOP_FINDING_THRESHOLD]: threshold,
    [SPANLOOP_FINDING_RUNS]: runs,
  };
}
