import type { JsonObject } from "../core/json.ts";
import type { RunTrial, TrialArm } from "../core/report.ts";
import { count, counted } from "./figures.ts";
import { percent, valuesText } from "./objective_text.ts";
import type { Style } from "./style.ts";
import { clean, pad, width, wrap } from "./text.ts";

/** What was tried in a run: of each experiment the change, and how much each arm ruled of it, or of one step of it. */
export function trialLines(
  trials: readonly RunTrial[],
  columns: number,
  style: Style,
  step?: string,
): string[] {
  return trials.flatMap((trial) => {
    const arms = trial.arms.filter((arm) => step === undefined || arm.step === step);
    if (step !== undefined && arms.length === 0) return [];
    return ["", style.bold(titleOf(trial)), ...armLines(arms, columns)];
  });
}

/** A run's part in an experiment as `--json` prints it. */
export function trialJson({ experiment, change, arms }: RunTrial): JsonObject {
  return {
    experiment,
    change: change?.number ?? null,
    arms: arms.map(({ arm, step, values, items, of, slices, partly }) => ({
      arm,
      step: step ?? null,
      values,
      items: items ?? null,
      of: of ?? null,
      slices: slices ?? null,
      partly: partly ?? false,
    })),
  };
}

// Beside its slices what rules has the rest of the step as well, which is not compared.
function titleOf({ experiment, change, arms }: RunTrial): string {
  const of = change === undefined ? clean(experiment) : `change ${change.number}`;
  const sliced = arms.some(({ slices }) => slices !== undefined);
  return `trial of ${of}${sliced ? ": what was compared" : ""}`;
}

function armLines(arms: readonly TrialArm[], columns: number): string[] {
  if (arms.length === 0) return ["  no work of this run has been ruled by it"];
  const rows = arms.map((arm) => [
    valuesText(arm.values),
    arm.arm === "candidate" ? "what is tried" : "what rules",
    shareText(arm),
  ]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => width(row[column]))));
  const left = widths[0] + widths[1] + 6;
  const beside = rows.every(([, , share]) => left + width(share) < columns);
  return rows.flatMap(([values, arm, share]) =>
    beside
      ? [`  ${pad(values, widths[0])}  ${pad(arm, widths[1])}  ${share}`]
      : wrap(`${values}, ${arm}: ${share}`, columns - 5)
        .map((line, index) => `  ${index === 0 ? "" : "  "}${line}`)
  );
}

function shareText({ step, items = 0, of = 0, slices, partly }: TrialArm): string {
  if (step === undefined) return partly ? "the run until the trial ended" : "the whole run";
  const share = items === of
    ? `all ${counted(of, "item")} of ${clean(step)}`
    : `${count(items)} of ${counted(of, "item")} of ${clean(step)}, ${percent(items / of)}`;
  return slices === undefined ? share : `${share}, ${counted(slices, "slice")}`;
}
