import type { EmitAction } from "spanloop";
import {
  CICD_PIPELINE_NAME,
  SPANLOOP_FINDING_AFTER,
  SPANLOOP_FINDING_BEFORE,
  SPANLOOP_FINDING_CONFIDENCE,
  SPANLOOP_FINDING_EXPECTED,
  SPANLOOP_FINDING_HIGH,
  SPANLOOP_FINDING_HOUR,
  SPANLOOP_FINDING_LOW,
  SPANLOOP_FINDING_MESSAGE,
  SPANLOOP_FINDING_RATIO,
  SPANLOOP_FINDING_RUNS,
  SPANLOOP_FINDING_SCORE,
  SPANLOOP_FINDING_SINCE,
  SPANLOOP_FINDING_VALUE,
  SPANLOOP_PARAMETERS_VERSION,
  SPANLOOP_STEP_ID,
} from "../../semconv/attributes.ts";
import type { EndedRun } from "./flow.ts";
import { hourOf } from "./hours.ts";
import { seconds } from "./rules.ts";
import type { Anomaly, Change } from "./series.ts";
import type { StepWork } from "./step.ts";

const DAYS = ["Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"];

/** The finding that a step cost out of the ordinary in a run. */
export function anomalyOf(
  workflow: string,
  step: string,
  { cost = 0, time, unit }: StepWork,
  { expected, score }: Anomaly,
): EmitAction {
  const usual = Math.exp(expected);
  const hour = hourOf(time);
  const message = `${step}: an ${unit} cost ${seconds(cost)}, where ${seconds(usual)} is ` +
    `usual on ${DAYS[Math.floor(hour / 24)]} at ${hour % 24}:00 UTC (${
      Math.abs(score).toFixed(1)
    } standard deviations ${score > 0 ? "more" : "less"})`;
  return {
    type: "emit",
    name: "finding.anomaly",
    attributes: {
      [CICD_PIPELINE_NAME]: workflow,
      [SPANLOOP_STEP_ID]: step,
      [SPANLOOP_FINDING_MESSAGE]: message,
      [SPANLOOP_FINDING_VALUE]: cost,
      [SPANLOOP_FINDING_EXPECTED]: usual,
      [SPANLOOP_FINDING_SCORE]: score,
      [SPANLOOP_FINDING_HOUR]: hour,
    },
  };
}

/** The finding that what a step costs has changed for good; `runs`: the last ones. */
export function changeOf(
  workflow: string,
  step: string,
  { unit }: StepWork,
  runs: readonly EndedRun[],
  change: Change,
): EmitAction {
  const since = runs.find(({ run }) => run === change.run) ?? runs[0];
  const previous = runs.find(({ run }) => run === since.run - 1);
  const [ratio, low, high] = [change.by, change.low, change.high].map(Math.exp);
  const [before, after] = [Math.exp(change.before), Math.exp(change.after)];
  const retuned = previous !== undefined && previous.version !== since.version;
  const message =
    `${step}: since run ${since.id.slice(-8)} an ${unit} costs ${
      ratio.toFixed(2)
    } times as much (95 % ${low.toFixed(2)} to ${high.toFixed(2)}): ${seconds(before)} before, ${
      seconds(after)
    } in the ${change.runs[1]} runs since` +
    (retuned ? `; that run was the first with version ${since.version} of the tuned values` : "");
  return {
    type: "emit",
    name: "finding.change_point",
    attributes: {
      [CICD_PIPELINE_NAME]: workflow,
      [SPANLOOP_STEP_ID]: step,
      [SPANLOOP_FINDING_MESSAGE]: message,
      [SPANLOOP_FINDING_SINCE]: since.id,
      [SPANLOOP_FINDING_BEFORE]: before,
      [SPANLOOP_FINDING_AFTER]: after,
      [SPANLOOP_FINDING_RATIO]: ratio,
      [SPANLOOP_FINDING_LOW]: low,
      [SPANLOOP_FINDING_HIGH]: high,
      [SPANLOOP_FINDING_CONFIDENCE]: 1 - change.chance,
      [SPANLOOP_FINDING_RUNS]: change.runs[1],
      ...retuned ? { [SPANLOOP_PARAMETERS_VERSION]: since.version } : {},
    },
    links: [{ traceId: since.traceId, spanId: since.spanId }],
  };
}
