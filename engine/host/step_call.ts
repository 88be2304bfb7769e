import { StepError } from "../core/errors.ts";
import type { PluginStepCall } from "../core/step.ts";
import { checkConfig } from "./config.ts";
import type { PluginDescription } from "./protocol.ts";

/**
 * An attempt at one of a plugin's step types, by name, with the defaults that its schema fills in. Throws StepError
 * `step.unknown` and `step.input`.
 */
export function checkedCall(
  plugin: string,
  steps: PluginDescription["steps"],
  call: PluginStepCall,
): PluginStepCall {
  const names = Object.keys(steps);
  if (!names.includes(call.step)) {
    const has = names.length === 0 ? "it brings none" : `it brings ${names.join(", ")}`;
    throw new StepError(
      "step.unknown",
      `The plugin ${plugin} has no step type ${call.step}; ${has}`,
    );
  }
  const schema = steps[call.step];
  if (schema === null) return call;
  const found = checkConfig(schema, call.with);
  if ("config" in found) return { ...call, with: found.config };
  throw new StepError(
    "step.input",
    `\`with\` of ${plugin}/${call.step} does not hold: ${found.problems.join("; ")}`,
  );
}
