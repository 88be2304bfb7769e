import { isDivisible } from "../core/divisible.ts";
import type { Parameter } from "../core/parameter.ts";
import type { TunableParameter, TunableParameters } from "../core/plugin.ts";
import type { Experiment, Snapshot } from "../core/proposal.ts";
import type { Workflow } from "../core/workflow.ts";
import { boundsOf } from "../parameters/clamp.ts";
import { seconds } from "./plugin_span.ts";

/** A workflow's tunable parameters as plugins see them, in the file's order; bounds are those that a change must keep. */
export function tunableParameters(
  workflow: Pick<Workflow, "params" | "tune">,
  snapshot: Pick<Snapshot, "version" | "values" | "frozen" | "experiment">,
): TunableParameters {
  const parameters: [string, TunableParameter][] = [];
  for (const parameter of workflow.params.values()) {
    const seen = tunableParameter(parameter, snapshot);
    if (seen !== undefined) parameters.push([parameter.name, seen]);
  }
  const { tune } = workflow;
  const { objective, guards = [] } = tune ?? {};
  return {
    version: snapshot.version,
    // Entries become own properties, so that a parameter may have any name.
    parameters: Object.fromEntries(parameters),
    ...objective !== undefined && {
      objective: {
        direction: objective.direction,
        expression: objective.expression.source,
        of: objective.of,
      },
      ...tune !== undefined && !isDivisible(tune) && { whole: true as const },
    },
    guards,
    ...snapshot.experiment !== undefined && { experiment: triedIn(snapshot.experiment) },
  };
}

function triedIn(
  { id, values, incumbent, exposure, since }: Experiment,
): NonNullable<TunableParameters["experiment"]> {
  return { id, values, incumbent, exposure, since: seconds(since) };
}

function tunableParameter(
  parameter: Parameter,
  { values, frozen }: Pick<Snapshot, "values" | "frozen">,
): TunableParameter | undefined {
  const { name, type, tune } = parameter;
  if (tune === undefined || (type !== "integer" && type !== "number" && type !== "enum")) {
    return undefined;
  }
  const byDefault = parameter.default ?? null;
  const [min, max] = boundsOf(parameter);
  const choices = parameter.values?.filter((one) => tune.choices?.includes(one) ?? true);
  return {
    type,
    value: Object.hasOwn(values, name) ? values[name] : byDefault,
    default: byDefault,
    ...(Number.isFinite(min) && { min }),
    ...(Number.isFinite(max) && { max }),
    ...(tune.step !== undefined && { step: tune.step }),
    ...(tune.maxStep !== undefined && { maxStep: tune.maxStep }),
    scale: tune.scale,
    ...(choices !== undefined && { choices }),
    apply: tune.apply,
    mode: tune.mode,
    frozen: frozen.includes(name),
  };
}
