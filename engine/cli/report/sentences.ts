import { isRollBack } from "../../core/proposal.ts";
import { counted } from "../figures.ts";
import { betterBy, median, objectiveTitle, objectiveValue, times } from "../objective_text.ts";
import type { RunPoint, Story } from "./story.ts";

/** What the whole came to, in a sentence or two. */
export function overview({ report, points, runs, marks }: Story): string {
  const { objective, tuned } = report;
  if (objective === undefined) {
    return "It has no objective: nothing says what is better, so nothing is measured.";
  }
  if (points.length === 0) return "Nothing has been measured yet.";
  const [first] = points;
  const old = points.filter(({ values }) => same(values, first.values));
  const now = Object.fromEntries(
    tuned.parameters.map(({ parameter, value }) => [parameter.name, value]),
  );
  const ruling = points.filter(({ values }) => same(values, now));
  const [from, to] = [median(old.map(objectiveIn)), median(ruling.map(objectiveIn))];
  const kept = marks.filter(({ kind }) => kind === "kept").length;
  const rolledBack = marks.filter(({ kind }) => kind === "rolled_back");
  const later = rolledBack.filter(({ entry }) => isRollBack(entry)).length;
  const back = rolledBack.length - later;
  const tries = `${counted(runs, "run")} measured, ${
    counted(kept + back, "verdict")
  }: ${kept} kept, ${back} rolled back${
    later === 0 ? "" : `; ${counted(later, "change")} taken back after that, by a guard`
  }.`;
  const what = objectiveTitle(objective).split(",")[0];
  if (same(first.values, now)) {
    return `${what} is ${
      objectiveValue(from!, objective)
    } with the values that ruled at first, and rule now. ${tries}`;
  }
  return to === undefined
    ? `${what} was ${
      objectiveValue(from!, objective)
    } at first; no run was measured with the values that rule now. ${tries}`
    : `${what} went from ${objectiveValue(from!, objective)} to ${objectiveValue(to, objective)} (${
      times(betterBy(from!, to, objective))
    }, medians of ${runsOf(old)} and ${counted(runsOf(ruling), "run")}). ${tries}`;
}

/** What a person may do next, with the command that does it where there is one. */
export interface NextStep {
  /** A sentence. */
  readonly text: string;
  /** What to type. */
  readonly command?: string;
}

/** The next steps, the most pressing first. `typed` makes a command line. */
export function nextSteps(
  { report, trials }: Story,
  file: string,
  typed: (...words: readonly string[]) => string,
): readonly NextStep[] {
  const { objective, tuned: { held, parameters, tested } } = report;
  if (objective === undefined) {
    return [{ text: "Give the file a `tune.objective`: it says what is better." }];
  }
  if (parameters.length === 0) {
    return [{ text: "Give a parameter a `tune:` with its bounds: nothing may change as it is." }];
  }
  const steps: NextStep[] = held.map(({ number, decision }) => ({
    text: `Change ${number} is held for you: ${decision.message}. Accept or reject it.`,
    command: typed("params", "accept", file, String(number)),
  }));
  if (tested !== undefined) {
    const seen = trials.find(({ entry }) => entry.number === tested.number)?.points ?? [];
    const runs = new Set(seen.map(({ run }) => run)).size;
    steps.push({
      text: `Change ${tested.number} is under measurement, with ${
        counted(runs, "run")
      } so far; more runs bring its verdict.`,
      command: typed("improve", file),
    }, {
      text: "Or end its test without one.",
      command: typed("params", "revert", file, String(tested.number)),
    });
  } else {
    steps.push({
      text: trials.length === 0
        ? "Nothing has been tried; this does so."
        : "Nothing is under measurement; this looks further.",
      command: typed("improve", file),
    });
  }
  if (parameters.some(({ source }) => source === "tuned")) {
    steps.push({
      text: "Write the tuned values into the file as its defaults.",
      command: typed("params", "pin", file),
    });
  }
  return steps;
}

function runsOf(points: readonly RunPoint[]): number {
  return new Set(points.map(({ run }) => run)).size;
}

function objectiveIn({ objective }: RunPoint): number {
  return objective;
}

// Of the parameters that both have: one may have come since.
function same(one: RunPoint["values"], other: RunPoint["values"]): boolean {
  return Object.keys(one).every((name) =>
    !Object.hasOwn(other, name) || JSON.stringify(one[name]) === JSON.stringify(other[name])
  );
}
