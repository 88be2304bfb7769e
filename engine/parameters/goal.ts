import type { TuneContract } from "../core/workflow.ts";
import type { ObjectiveText } from "./verdict_sentence.ts";

/** An objective as its file says it. */
export function objectiveText(
  { direction, expression: { source: expression }, of }: NonNullable<TuneContract["objective"]>,
): ObjectiveText {
  return { direction, expression, of };
}

/** What a workflow is tuned for, as text: the objective's direction, expression and step. */
export function goalOf(objective: NonNullable<TuneContract["objective"]>): string {
  return goalText(objectiveText(objective));
}

/** The same of an objective that is text. */
export function goalText({ direction, expression, of }: ObjectiveText): string {
  return `${direction} ${expression} of ${of}`;
}
