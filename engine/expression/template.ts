import type { Json } from "../core/json.ts";
import type { Expression, Scope, Template } from "../core/scope.ts";
import { compilePart } from "./compile.ts";
import type { Environment } from "./environment.ts";
import { ExpressionError } from "./error.ts";
import { MAX_TEXT } from "./_limits.ts";
import { hasExpressions, OPENING, partsOf } from "./_parts.ts";
import type { Problem } from "./problem.ts";
import { textOf } from "./_values.ts";

/**
 * Compiles a text that may hold `${{ }}` (V1): one whole expression keeps its type, otherwise the value is text,
 * in which null is empty, numbers are as JSON writes them, and lists and objects are JSON. `$${{` stands for
 * `${{` itself. Offsets of the problems are into `text`.
 */
export function compileText(
  text: string,
  environment: Environment,
): { template?: Template; problems: Problem[] } {
  if (!hasExpressions(text)) return { template: constant(text), problems: [] };
  const { parts, problems } = partsOf(text);
  const compiled: (string | Expression)[] = [];
  for (const part of parts) {
    if (part.kind === "text") {
      compiled.push(part.text);
      continue;
    }
    const { expression, problems: found } = compilePart(part.source, environment, false);
    problems.push(...found.map((problem) => shifted(problem, part.from + OPENING)));
    if (expression !== undefined) compiled.push(expression);
  }
  if (problems.length > 0) return { problems };
  const [only] = compiled;
  if (compiled.length === 1 && typeof only !== "string") {
    return { template: { constant: false, evaluate: (scope) => only.evaluate(scope) }, problems };
  }
  if (compiled.every((part) => typeof part === "string")) {
    return { template: constant(compiled.join("")), problems };
  }
  return { template: joined(compiled, textOf), problems };
}

/** A problem found in a part of a text, as a problem of the whole text. */
export function shifted(problem: Problem, by: number): Problem {
  return { ...problem, from: problem.from + by, to: problem.to + by };
}

/** A template that joins texts and the values of expressions, which `write` turns into text. */
export function joined(
  parts: readonly (string | Expression)[],
  write: (value: Json, index: number) => string,
): Template {
  return {
    constant: false,
    evaluate(scope) {
      let text = "";
      for (let i = 0; i < parts.length; i++) {
        const part = parts[i];
        text += typeof part === "string" ? part : write(part.evaluate(scope), i);
        if (text.length > MAX_TEXT) {
          throw new ExpressionError("The text is longer than 1 MiB; pass large data in a file", {
            code: "expression.limit",
          });
        }
      }
      return text;
    },
  };
}

/** A template that is always `value`, which it freezes. */
export function constant(value: Json): Template {
  const frozen = freeze(value);
  return { constant: true, evaluate: () => frozen };
}

/** A list of templates; constant when all of them are. */
export function listOf(items: readonly Template[]): Template {
  const evaluate = (scope: Scope): Json => items.map((item) => item.evaluate(scope));
  return items.every((item) => item.constant) ? constant(evaluate(NOWHERE)) : {
    constant: false,
    evaluate,
  };
}

/** An object of templates; constant when all of them are. A later key replaces an earlier equal one. */
export function objectOf(entries: readonly (readonly [string, Template])[]): Template {
  // fromEntries defines own properties, so that `__proto__` is a key like any other.
  const evaluate = (scope: Scope): Json =>
    Object.fromEntries(entries.map(([key, value]) => [key, value.evaluate(scope)]));
  return entries.every(([, value]) => value.constant) ? constant(evaluate(NOWHERE)) : {
    constant: false,
    evaluate,
  };
}

// Constants look at no scope.
const NOWHERE: Scope = {
  params: {},
  env: {},
  steps: {},
  run: { id: "", name: "", status: "queued", error: null },
};

function freeze(value: Json): Json {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value) as Json;
}
