import type { TuneContract } from "../core/workflow.ts";

/** What a workflow is tuned for, as text: the objective's direction, expression and step. */
export function goalOf(
  { direction, expression, of }: NonNullable<TuneContract["objective"]>,
): string {
  return `${direction} ${expression.source} of ${of}`;
}
