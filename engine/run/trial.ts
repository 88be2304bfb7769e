import type { ValueSource } from "../core/parameter.ts";
import type { Arm, Experiment } from "../core/proposal.ts";
import type { Workflow } from "../core/workflow.ts";
import { drawsOf } from "./draw.ts";

// A block is no longer than this: an arm that comes once in many more runs is hardly compared with those beside it.
const LONGEST_BLOCK = 10;

/** Whether a run can take part in an experiment: none of its parameters was given for the run (V3). */
export function takesPart(
  { values }: Pick<Experiment, "values">,
  sources: Readonly<Record<string, ValueSource>>,
): boolean {
  return Object.keys(values).every((name) =>
    sources[name] === "tuned" || sources[name] === "default"
  );
}

/**
 * Whether both arms can have a share of one run: the objective is of a for_each step, whose items are cut into slices
 * (A6), and all of the experiment's parameters are read anew while it goes on. Otherwise a run is of one arm.
 */
export function isSplit(
  { params, steps, tune }: Pick<Workflow, "params" | "steps" | "tune">,
  { values }: Pick<Experiment, "values">,
): boolean {
  const of = tune?.objective?.of;
  return steps.some(({ id, forEach }) => id === of && forEach !== undefined) &&
    Object.keys(values).every((name) => params.get(name)?.tune?.apply === "live");
}

/**
 * The arm of a whole run, by how many had a part in the experiment before. Runs come in blocks of 2 to 10; one run of
 * each, at a place drawn by lot, is the candidate's, so that its share is the exposure and nothing that comes and goes
 * with time favours an arm: a randomised block design (Fisher, The Design of Experiments, 1935).
 */
export function drawArm(
  { id, exposure }: Pick<Experiment, "id" | "exposure">,
  index: number,
): { readonly arm: Arm; readonly pair: number } {
  const length = Math.min(LONGEST_BLOCK, Math.max(2, Math.round(1 / exposure)));
  const pair = Math.floor(index / length);
  const place = Math.floor(drawsOf(`${id}/${pair}`)() * length);
  return { arm: index % length === place ? "candidate" : "incumbent", pair };
}
