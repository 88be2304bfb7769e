import type { AnalysedDurations, Analysis, Json, StepAnalysis, WorkflowAnalysis } from "spanloop";
import type { Config } from "./config.ts";
import { FLOW, type Flow } from "./flow.ts";
import { healthOf, vitalsOf } from "./health.ts";
import { readKey } from "./keys.ts";
import { rateOf } from "./rate.ts";
import { errorsOf } from "./rules.ts";
import { quantileOf, type Sketch } from "./sketch.ts";
import { RECENT, STEP, type Step } from "./step.ts";
import { trendOf } from "./trend.ts";

/** What is known, of one workflow or of all, from what the plugin keeps. */
export function report(
  kept: Readonly<Record<string, Json>>,
  config: Config,
  only?: string,
): Analysis {
  const flows = new Map<string, Flow>();
  const steps = new Map<string, (readonly [id: string, step: Step])[]>();
  for (const [key, value] of Object.entries(kept)) {
    const of = readKey(key);
    if (of === undefined || (only !== undefined && of.workflow !== only)) continue;
    if (of.step === undefined) flows.set(of.workflow, FLOW.read(value));
    else {
      const others = steps.get(of.workflow) ?? [];
      steps.set(of.workflow, [...others, [of.step, STEP.read(value)]]);
    }
  }
  const workflows = [...flows]
    .filter(([, { count }]) => count > 0)
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([workflow, flow]) => ofFlow(workflow, flow, steps.get(workflow) ?? [], config));
  const health = workflows.length === 0
    ? null
    : Math.min(...workflows.map(({ health }) => health.score));
  return { health, workflows };
}

function ofFlow(
  workflow: string,
  flow: Flow,
  steps: readonly (readonly [id: string, step: Step])[],
  config: Config,
): WorkflowAnalysis {
  const { count, succeeded, duration, queue, first, last, durations } = flow;
  return {
    workflow,
    runs: count,
    since: first,
    until: last,
    success: rateOf(succeeded, count),
    durations: ofDurations(durations, duration / count),
    queue: queue / count,
    health: healthOf(vitalsOf(flow, config.window)),
    recent: flow.recent(RECENT).map(({ duration }) => duration),
    steps: steps
      .filter(([, { totals }]) => totals.attempts > 0)
      .sort(([, a], [, b]) => b.totals.path - a.totals.path || b.totals.busy - a.totals.busy)
      .map(([id, step]) => ofStep(id, step, duration)),
    standing: flow.standing,
    findings: flow.told,
  };
}

function ofStep(step: string, { totals, durations, costs }: Step, took: number): StepAnalysis {
  const { attempts, retries, runs, busy, wall, path, wait } = totals;
  const { unit, failed, count } = errorsOf(totals);
  const trend = trendOf(costs.filter((cost) => cost !== null));
  return {
    step,
    runs,
    attempts,
    unit,
    throughput: wall === 0 ? 0 : count / wall,
    cost: count === 0 ? 0 : busy / count,
    durations: ofDurations(durations, busy / attempts),
    errors: rateOf(failed, count),
    retries: retries / attempts,
    wait: runs === 0 ? 0 : wait / runs,
    path: took === 0 ? 0 : Math.min(1, path / took),
    ...trend === undefined ? {} : { trend },
    recent: costs,
  };
}

function ofDurations(sketch: Sketch, mean: number): AnalysedDurations {
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => quantileOf(sketch, share));
  return { mean, p50, p95, p99 };
}
