import type { Json } from "../core/json.ts";
import type { Parameter } from "../core/parameter.ts";
import { boundsOf } from "./clamp.ts";

/** Undefined when a value is of the parameter's type or one of its choices, else what is wrong, a sentence. */
export function typeProblem(parameter: Parameter, value: Json): string | undefined {
  const { name, type, tune, values = [] } = parameter;
  const wrong = (wanted: string) => `${name} must be ${wanted}, not ${show(value)}`;
  switch (type) {
    case "integer":
      return Number.isSafeInteger(value) ? undefined : wrong("a whole number");
    case "number":
      return Number.isFinite(value) ? undefined : wrong("a number");
    case "enum": {
      const choices = values.filter((one) => tune?.choices?.includes(one) ?? true);
      if (typeof value === "string" && choices.includes(value)) return undefined;
      return wrong(`one of ${choices.join(", ")}`);
    }
    default:
      return `${name} is of type ${type}, which nothing tunes`;
  }
}

/** As `typeProblem`, with the bounds; null is well: back to the default. */
export function personsProblem(parameter: Parameter, value: Json): string | undefined {
  if (value === null) return undefined;
  const problem = typeProblem(parameter, value);
  if (problem !== undefined || typeof value !== "number") return problem;
  const [low, high] = boundsOf(parameter);
  if (value >= low && value <= high) return undefined;
  return `${parameter.name} must be from ${low} to ${high}, not ${show(value)}`;
}

/** A value for a sentence, cut when it is long. */
export function show(value: Json): string {
  if (typeof value === "number") return Object.is(value, -0) ? "0" : String(value);
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
