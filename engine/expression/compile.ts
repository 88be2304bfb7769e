import type { Json } from "../core/json.ts";
import type { Expression, Scope } from "../core/scope.ts";
import { Checker } from "./_check.ts";
import type { Environment } from "./environment.ts";
import { ExpressionError } from "./error.ts";
import { Compiler, type Run } from "./_evaluate.ts";
import { Frame, measure } from "./_frame.ts";
import { toJson } from "./_functions.ts";
import type { Problem } from "./problem.ts";
import { type Node, parse } from "./_syntax.ts";
import { Duration, type Kind, kindOf, Timestamp, type Value } from "./_values.ts";

export type { Problem } from "./problem.ts";

/** What compiling gave: an expression, or every mistake that was found. */
export interface Compiled {
  /** The expression, when there is no problem. */
  readonly expression?: Expression;
  /** Whether it was wrapped in raw(). */
  readonly raw: boolean;
  /** The kind of its value as far as it is known. */
  readonly kind: Kind | "any";
  /** The mistakes, with offsets into the given text. */
  readonly problems: Problem[];
}

/**
 * Compiles bare CEL and checks its names and types (V1, V6). `kind` says what the value will be (a time becomes
 * text), so that the caller can refuse an `if` that is no condition.
 */
export function compileExpression(
  text: string,
  environment: Environment,
): { expression?: Expression; problems: Problem[]; kind: Kind | "any" } {
  return compilePart(text, environment, false);
}

/** Compiles an expression that may be wrapped in raw(), which only a shell text allows (V2). */
export function compilePart(text: string, environment: Environment, mayBeRaw: boolean): Compiled {
  const parsed = parse(text);
  if ("problem" in parsed) return { problems: [parsed.problem], raw: false, kind: "any" };
  let { node } = parsed;
  let raw = false;
  if (mayBeRaw && node.kind === "call" && node.name === "raw" && node.target === undefined) {
    if (node.args.length === 1) [raw, node] = [true, node.args[0]];
  }
  const checker = new Checker(text, environment);
  const { kind } = checker.value(node);
  const { problems, regardless } = checker;
  if (problems.length > 0) return { problems: distinct(problems), raw, kind: "any" };
  const run = new Compiler(text).compile(node);
  const expression = new CompiledExpression(text, regardless, run, isPath(node));
  const known = kind === "timestamp" || kind === "duration" ? "string" : kind;
  return { expression, problems, raw, kind: known };
}

function distinct(problems: readonly Problem[]): Problem[] {
  const places = new Set<string>();
  return problems.toSorted((a, b) => a.from - b.from)
    .filter(({ from, to }) => !places.has(`${from},${to}`) && places.add(`${from},${to}`));
}

// A value that is only looked up is plain JSON of the scope, however large: it needs no measuring.
function isPath(node: Node): boolean {
  if (node.kind === "field" || node.kind === "index") return isPath(node.target);
  return node.kind === "name";
}

class CompiledExpression implements Expression {
  readonly #run: Run;
  readonly #path: boolean;

  constructor(readonly source: string, readonly regardless: boolean, run: Run, path: boolean) {
    this.#run = run;
    this.#path = path;
  }

  evaluate(scope: Scope): Json {
    try {
      const value = this.#run(new Frame(scope));
      return this.#path || typeof value !== "object" ? value as Json : made(value);
    } catch (thrown) {
      throw this.#explain(thrown);
    }
  }

  #explain(thrown: unknown): unknown {
    const source = this.source.trim().replaceAll(/\s+/g, " ");
    const where = `in \`${source.length <= 80 ? source : `${source.slice(0, 77)}...`}\``;
    if (thrown instanceof ExpressionError) {
      const code = thrown.code as "expression.value" | "expression.limit";
      return new ExpressionError(`${thrown.message} (${where})`, { code, cause: thrown.cause });
    }
    if (thrown instanceof RangeError) { // the stack's end: JSON nested some thousand levels deep
      const message = `A value is nested too deeply (${where})`;
      return new ExpressionError(message, { code: "expression.limit", cause: thrown });
    }
    return thrown;
  }
}

function made(value: Value): Json {
  if (value === null) return null;
  if (value instanceof Timestamp || value instanceof Duration) return toJson(value);
  measure(value);
  return hasTimes(value) ? toJson(value) : value as Json;
}

function hasTimes(value: Value): boolean {
  switch (kindOf(value)) {
    case "timestamp":
    case "duration":
      return true;
    case "list":
      return (value as readonly Value[]).some(hasTimes);
    case "object":
      return Object.values(value as { readonly [key: string]: Value }).some(hasTimes);
    default:
      return false;
  }
}
