import { definePlugin, type EmitAction, type JsonObject, type PluginSpan } from "spanloop";
import {
  SPANLOOP_BATCH_INDEX,
  SPANLOOP_EXPERIMENT_ARM,
  SPANLOOP_EXPERIMENT_ARM_VALUE_CANDIDATE,
  SPANLOOP_FINDING_MESSAGE,
  SPANLOOP_FINDING_STATE,
  SPANLOOP_PARAMETERS_VERSION,
} from "../../semconv/attributes.ts";
import { CONFIG, type Config } from "./config.ts";
import { anomalyOf, changeOf } from "./events.ts";
import type { EndedRun, Flow, OpenStep } from "./flow.ts";
import { healthOf, vitalsOf } from "./health.ts";
import { heldFlow, heldStep } from "./keys.ts";
import { report } from "./report.ts";
import { errorsOf, judgeFlow, type Judgement, judgeStep, totalOf } from "./rules.ts";
import type { Step, StepWork } from "./step.ts";

/** Knows how each step does, and says what has changed, what is out of the ordinary and what is beyond its threshold. */
export default definePlugin({
  name: "analyzer",
  version: "1.0.0",
  description: "Knows how each step does, and says what has changed or is beyond its threshold.",
  role: "analyzer",
  subscribe: [
    { event: "ended", role: "attempt" },
    { event: "ended", role: "step" },
    { event: "ended", role: "run" },
  ],
  actions: ["emit"],
  config: CONFIG,
  onSpan({ span }, { config, state, now, log }) {
    const { workflow, stepId, runId, role } = span;
    if (workflow === undefined || runId === undefined) return;
    const flow = heldFlow(state, workflow, now, log);
    if (flow === undefined) return;
    const held = (step: string) => heldStep(state, workflow, step, now, log);
    if (role === "run") return ended(span, flow, workflow, held, config);
    if (stepId === undefined || span.outcome === "skipped") return;
    const open = flow.openStep(runId, stepId, span.startTime);
    if (role === "step") return wholeStep(open, span);
    const step = held(stepId);
    if (step !== undefined) attempt(open, step, span);
  },
  steps: {
    report: {
      with: {
        type: "object",
        additionalProperties: false,
        properties: { workflow: { type: "string" } },
      },
      async run({ with: given, config, kept }) {
        const { workflow } = given as { readonly workflow?: string };
        return report(await kept(workflow), config as Config, workflow) as unknown as JsonObject;
      },
    },
  },
});

function wholeStep(open: OpenStep, { items, startTime, endTime = startTime }: PluginSpan): void {
  open.start = Math.min(open.start, startTime);
  open.end = Math.max(open.end, endTime);
  if (items === undefined) return;
  open.items = items.processed + items.failed;
  open.failedItems = items.failed;
}

function attempt(open: OpenStep, step: Step, span: PluginSpan): void {
  const { startTime, endTime = startTime, duration = 0, outcome, items, attributes } = span;
  open.start = Math.min(open.start, startTime);
  open.end = Math.max(open.end, endTime);
  // What was cancelled or interrupted says nothing of the step.
  if (outcome !== "succeeded" && outcome !== "failed" && outcome !== "timed_out") return;
  const failed = outcome !== "succeeded";
  step.attempt(span, failed);
  open.attempts++;
  if (failed) open.failures++;
  open.busy += duration;
  const count = items === undefined ? 0 : items.processed + items.failed;
  // The span around batches says how many items there were in the end.
  if (items !== undefined && attributes[SPANLOOP_BATCH_INDEX] === undefined) {
    open.items = count;
    open.failedItems = items.failed;
  }
  // An attempt that failed says nothing of how long the work takes; one that timed out says that it takes long. What is
  // only tried on a share of the work is no change.
  const isTried = attributes[SPANLOOP_EXPERIMENT_ARM] === SPANLOOP_EXPERIMENT_ARM_VALUE_CANDIDATE;
  if (outcome === "failed" || isTried) return;
  open.costBusy += duration;
  open.costItems += Math.max(1, count);
  if (count > 0) open.counts = true;
}

// One of a run that has ended, or of one of its steps.
function ended(
  span: PluginSpan,
  flow: Flow,
  workflow: string,
  held: (step: string) => Step | undefined,
  config: Config,
): EmitAction[] {
  const version = Number(span.attributes[SPANLOOP_PARAMETERS_VERSION] ?? 0);
  const works = flow.end(span, version);
  if (works === undefined) return [];
  const run = flow.runs[flow.runs.length - 1];
  const at = span.endTime ?? span.startTime;
  const tell = { flow, at, run };
  const actions: EmitAction[] = [];
  for (const [id, work] of works) {
    const step = held(id);
    if (step === undefined) continue;
    actions.push(...happened(tell, workflow, id, step, work));
    const { failed, count } = errorsOf(totalOf(step.recent.slice(-config.window)));
    flow.note(id, {
      run: run.run,
      errors: count === 0 ? 0 : failed / count,
      factor: step.slowdown,
    });
    actions.push(...judged(tell, judgeStep(workflow, id, step, config)));
  }
  const health = healthOf(vitalsOf(flow, config.window));
  actions.push(...judged(tell, judgeFlow(workflow, flow, health, config)));
  return actions;
}

interface Telling {
  readonly flow: Flow;
  readonly at: number;
  readonly run: EndedRun;
}

function happened(
  { flow, at, run }: Telling,
  workflow: string,
  id: string,
  step: Step,
  work: StepWork,
): EmitAction[] {
  const { anomaly, change } = step.run(work);
  const actions: EmitAction[] = [];
  if (anomaly !== undefined) actions.push(anomalyOf(workflow, id, work, anomaly));
  if (change !== undefined) actions.push(changeOf(workflow, id, work, flow.runs, change));
  for (const { name, attributes } of actions) {
    const message = String(attributes?.[SPANLOOP_FINDING_MESSAGE]);
    flow.tell({ name, step: id, at, run: run.id, message });
  }
  return actions;
}

// Told once when it begins, and once when it is over.
function judged({ flow, at, run }: Telling, judgements: readonly Judgement[]): EmitAction[] {
  const actions: EmitAction[] = [];
  for (const judgement of judgements) {
    const { name, step } = judgement;
    const holds = flow.holds(name, step) !== undefined;
    if (holds ? !judgement.isOver : !judgement.fires || flow.isFull) continue;
    const message = judgement.message();
    const state = holds ? "over" as const : "begun" as const;
    flow.tell({ name, ...step === undefined ? {} : { step }, at, run: run.id, state, message });
    actions.push({
      type: "emit",
      name,
      attributes: {
        ...judgement.attributes(),
        [SPANLOOP_FINDING_STATE]: state,
        [SPANLOOP_FINDING_MESSAGE]: message,
      },
    });
  }
  return actions;
}
