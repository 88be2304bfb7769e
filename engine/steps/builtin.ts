import type { StepType, StepTypes } from "../core/step.ts";
import { SpanloopError } from "../core/errors.ts";
import type { StepPorts } from "./ports.ts";

/** The names of the built-in step types, as `uses` knows them. */
export const BUILTIN_STEP_TYPES = ["shell", "http", "script", "workflow", "wait", "emit"] as const;

/**
 * The built-in step types, and those that plugins bring. A type's module is loaded on its first use, so that a run pays at its start for
 * what it uses only. Rejects with `step.unknown` for any other name.
 */
export function builtinStepTypes(ports: StepPorts): StepTypes {
  const loaded = new Map<string, Promise<StepType>>();
  return (name) => {
    let type = loaded.get(name);
    if (type === undefined) loaded.set(name, type = load(name, ports));
    return type;
  };
}

async function load(name: string, ports: StepPorts): Promise<StepType> {
  switch (name) {
    case "shell":
      return (await import("./shell.ts")).shellStep(ports);
    case "http":
      return (await import("./http.ts")).httpStep(ports);
    case "script":
      return (await import("./script.ts")).scriptStep(ports);
    case "workflow":
      return (await import("./workflow.ts")).workflowStep();
    case "wait":
      return (await import("./wait.ts")).waitStep();
    case "emit":
      return (await import("./emit.ts")).emitStep();
  }
  if (name.includes("/")) return (await import("./plugin.ts")).pluginStep(name, ports);
  throw new SpanloopError(
    "step.unknown",
    `There is no step type ${JSON.stringify(name)}; built in are ${BUILTIN_STEP_TYPES.join(", ")}`,
    { exitCode: 2 },
  );
}
