import { StepError } from "../core/errors.ts";
import { isObject, type Json } from "../core/json.ts";
import { type Attributes, type AttributeValue, isAttributeValue } from "../core/span.ts";
import type { StepType } from "../core/step.ts";

/**
 * The step type `emit`: a span of a given `name` and `attributes`, which commits with the attempt's end
 * (T3). Attributes are what OpenTelemetry allows: text, numbers, booleans and lists of one of these; one
 * that is null is left out.
 */
export function emitStep(): StepType {
  return {
    name: "emit",
    interruption: "retry",
    // deno-lint-ignore require-await
    async run(context) {
      const { name, attributes = {} } = context.with;
      if (typeof name !== "string" || name === "") {
        throw new StepError("step.input", "An emit step needs `name`, the name of its span");
      }
      if (!isObject(attributes)) {
        throw new StepError("step.input", "`attributes` of an emit step must be a map of values");
      }
      return { outputs: {}, spans: [{ name, attributes: attributesOf(attributes) }] };
    },
  };
}

function attributesOf(values: Readonly<Record<string, Json>>): Attributes {
  const attributes: Record<string, AttributeValue> = {};
  for (const [key, value] of Object.entries(values)) {
    if (key === "") throw new StepError("step.input", "An attribute needs a name");
    if (value === null) continue;
    if (!isAttributeValue(value)) {
      throw new StepError(
        "step.input",
        `Attribute \`${key}\` must be text, a number, a boolean or a list of one of these, not ${
          shown(value)
        }; give each field an attribute of its own`,
      );
    }
    attributes[key] = value;
  }
  return attributes;
}

function shown(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
