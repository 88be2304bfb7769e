import { messageOf } from "../core/errors.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { PluginSpan } from "../core/plugin.ts";
import type { Expression, Scope } from "../core/scope.ts";
import { compileExpression } from "../expression/compile.ts";
import type { Environment } from "../expression/environment.ts";
import type { Heard } from "./heard.ts";
import { attributeOf, attributesOf, durationOf, toSpanEvent } from "./plugin_span.ts";

/** What subscriptions ask of one event, worked out once for all of them; the scope of their CEL. */
export class Facts implements Scope {
  /** The event. */
  readonly heard: Heard;
  #attributes: JsonObject | undefined;
  #span: PluginSpan | undefined;

  /** Works nothing out yet. */
  constructor(heard: Heard) {
    this.heard = heard;
  }

  /** All its attributes. */
  get attributes(): JsonObject {
    return this.#attributes ??= attributesOf(this.heard);
  }

  /** One of them; undefined when there is none. */
  attribute(key: string): Json | undefined {
    return attributeOf(this.heard, key);
  }

  /** The span as plugins get it. */
  get span(): PluginSpan {
    return this.#span ??= toSpanEvent(this.heard).span;
  }

  /** Its seconds; undefined while it is open. */
  get duration(): number | undefined {
    return durationOf(this.heard);
  }

  /** Of a scope; no subscription reads it. */
  get params(): Scope["params"] {
    return {};
  }

  /** Of a scope; no subscription reads it. */
  get env(): Scope["env"] {
    return {};
  }

  /** Of a scope; no subscription reads it. */
  get steps(): Scope["steps"] {
    return {};
  }

  /** Of a scope; no subscription reads it. */
  get run(): Scope["run"] {
    return { id: "", name: "", status: "running", error: null };
  }
}

const NONE: ReadonlySet<string> = new Set();
const WHERE: Environment = {
  params: new Map(),
  env: NONE,
  steps: NONE,
  otherSteps: NONE,
  batch: "none",
  conditions: false,
  variables: new Set(["span", "attributes", "duration"]),
  variablesOnly: true,
};

/** Compiles a condition, or says what is wrong with it, as the rest of a sentence. */
export function compileWhere(source: string): Where | { readonly problem: string } {
  const { expression, problems, kind } = compileExpression(source, WHERE);
  if (expression === undefined) {
    const { from, message, suggestion } = problems[0];
    const near = suggestion === undefined ? "" : `; write \`${suggestion}\``;
    return { problem: `does not hold at character ${from + 1}: ${message}${near}` };
  }
  if (kind !== "boolean" && kind !== "any") {
    return { problem: "must be a condition such as `duration > 2.0`" };
  }
  return new Where(expression);
}

/** A `where`, which is true of nothing that it cannot be evaluated for. */
export class Where {
  readonly #expression: Expression;
  /** How many events it could not be evaluated for: an attribute is missing, or is no number. */
  failed = 0;
  /** Why not for the first of them, a sentence. */
  failure: string | undefined;

  /** Of a checked expression. */
  constructor(expression: Expression) {
    this.#expression = expression;
  }

  /** Its text. */
  get source(): string {
    return this.#expression.source;
  }

  /** Whether it is true of that event. */
  holds(facts: Facts): boolean {
    let value: Json;
    try {
      value = this.#expression.evaluate(facts);
    } catch (error) {
      return this.#fail(messageOf(error));
    }
    if (typeof value === "boolean") return value;
    return this.#fail(`\`${this.source}\` is neither true nor false`);
  }

  #fail(why: string): false {
    this.failed++;
    this.failure ??= why;
    return false;
  }
}
