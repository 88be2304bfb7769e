import { isDivisible } from "../core/divisible.ts";
import { blockOf } from "../core/exposure.ts";
import type { ValueSource } from "../core/parameter.ts";
import type { Arm, Experiment } from "../core/proposal.ts";
import type { Workflow } from "../core/workflow.ts";
import { drawsOf } from "./draw.ts";

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
 * Whether a person has to have a say in one of an experiment's parameters: what `improve` tries of those is tried in its
 * own runs alone (A4).
 */
export function isRecommended(
  { params }: Pick<Workflow, "params">,
  { values }: Pick<Experiment, "values">,
): boolean {
  return Object.keys(values).some((name) => params.get(name)?.tune?.mode === "recommend");
}

/**
 * Whether both arms can have a share of one run: the objective is of a for_each step, whose items are cut into slices
 * (A6), they tell all that it is judged by, and all of the experiment's parameters are read anew while it goes on. Otherwise
 * a run is of one arm.
 */
export function isSplit(
  { params, steps, tune }: Pick<Workflow, "params" | "steps" | "tune">,
  { values }: Pick<Experiment, "values">,
): boolean {
  if (tune === undefined || !isDivisible(tune)) return false;
  return steps.some(({ id, forEach }) => id === tune.objective?.of && forEach !== undefined) &&
    Object.keys(values).every((name) => params.get(name)?.tune?.apply === "live");
}

/**
 * The arm of a whole run, by how many had a part in the experiment before. Runs come in blocks; one run of
 * each, at a place drawn by lot, is the candidate's, so that its share is the exposure and nothing that comes and goes
 * with time favours an arm: a randomised block design (Fisher, The Design of Experiments, 1935).
 */
export function drawArm(
  experiment: Pick<Experiment, "id" | "exposure">,
  index: number,
): { readonly arm: Arm; readonly pair: number } {
  const { block, place, length } = blockOf(experiment, index);
  const drawn = Math.floor(drawsOf(`${experiment.id}/${block}`)() * length);
  return { arm: place === drawn ? "candidate" : "incumbent", pair: block };
}
