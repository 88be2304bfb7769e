import type { Parameter } from "../core/parameter.ts";
import type { TunableParameter, TunableParameters } from "../core/plugin.ts";
import type { Snapshot } from "../core/proposal.ts";
import type { Workflow } from "../core/workflow.ts";
import { boundsOf } from "../parameters/clamp.ts";

/** A workflow's tunable parameters as plugins see them, in the file's order; bounds are those that a change must keep. */
export function tunableParameters(
  workflow: Pick<Workflow, "params">,
  snapshot: Pick<Snapshot, "version" | "values" | "frozen">,
): TunableParameters {
  const parameters: [string, TunableParameter][] = [];
  for (const parameter of workflow.params.values()) {
    const seen = tunableParameter(parameter, snapshot);
    if (seen !== undefined) parameters.push([parameter.name, seen]);
  }
  // Entries become own properties, so that a parameter may have any name.
  return { version: snapshot.version, parameters: Object.fromEntries(parameters) };
}

function tunableParameter(
  parameter: Parameter,
  { values, frozen }: Pick<Snapshot, "values" | "frozen">,
): TunableParameter | undefined {
  const { name, tune } = parameter;
  if (tune === undefined) return undefined;
  const byDefault = parameter.default ?? null;
  const [min, max] = boundsOf(parameter);
  const choices = parameter.values?.filter((one) => tune.choices?.includes(one) ?? true);
  return {
    value: Object.hasOwn(values, name) ? values[name] : byDefault,
    default: byDefault,
    ...(Number.isFinite(min) && { min }),
    ...(Number.isFinite(max) && { max }),
    ...(tune.step !== undefined && { step: tune.step }),
    scale: tune.scale,
    ...(choices !== undefined && { choices }),
    apply: tune.apply,
    mode: tune.mode,
    frozen: frozen.includes(name),
  };
}
