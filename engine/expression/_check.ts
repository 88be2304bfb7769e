import { nearest } from "../core/diagnostic.ts";
import { messageOf } from "../core/errors.ts";
import type { Environment } from "./environment.ts";
import { Frame } from "./_frame.ts";
import { FUNCTIONS, METHODS } from "./_functions.ts";
import { MAX_MACROS } from "./_limits.ts";
import { misfit, resultOf } from "./_operators.ts";
import { accepts, formsOf, listOf, type Overload } from "./_overload.ts";
import { patternProblem } from "./pattern.ts";
import type { Problem } from "./problem.ts";
import type { CallNode, MacroNode, Node } from "./_syntax.ts";
import { ANY, BATCH_ROOTS, BOOLEAN, LIST, NUMBER, rootsOf, STRING, type Type } from "./_types.ts";
import { kindOf, nameOf } from "./_values.ts";

/** The functions that only `if` has (S2). */
export const CONDITIONS: ReadonlySet<string> = new Set(["always", "failed", "cancelled"]);

const MACRO_FORMS: ReadonlyMap<string, string> = new Map([
  ["all", "list.all(x, condition)"],
  ["exists", "list.exists(x, condition)"],
  ["exists_one", "list.exists_one(x, condition)"],
  ["map", "list.map(x, value)"],
  ["filter", "list.filter(x, condition)"],
]);

/** Checks names and types (V6) and collects every mistake; what it cannot know is left to the evaluation. */
export class Checker {
  /** What was found, in the order of the text. */
  readonly problems: Problem[] = [];
  /** Whether always(), failed() or cancelled() is called. */
  regardless = false;
  readonly #roots: ReadonlyMap<string, Type>;
  readonly #variables: { name: string; type: Type }[] = [];
  // Text that one problem already speaks of: `orders` in `steps.load-orders`.
  #covered = { from: 0, to: 0 };

  /** Starts a check of `text`. */
  constructor(readonly text: string, readonly environment: Environment) {
    this.#roots = rootsOf(environment);
  }

  /** The type of a value that stands by itself. */
  value(node: Node): Type {
    const type = this.#visit(node);
    if (type.closed === undefined) return type;
    this.#report(node.from, node.to, "not-a-value", `Cannot use this by itself: ${type.closed}`);
    return ANY;
  }

  #report(from: number, to: number, code: string, message: string, suggestion?: string): Type {
    this.problems.push({ from, to, code, message, ...(suggestion && { suggestion }) });
    return ANY;
  }

  #visit(node: Node): Type {
    switch (node.kind) {
      case "literal":
        return { kind: kindOf(node.value) };
      case "name":
        return this.#name(node.name, node.from, node.to);
      case "field":
        return this.#field(this.#visit(node.target), node.target, node.name, {
          from: node.nameFrom,
          to: node.nameFrom + node.name.length,
        });
      case "index":
        return this.#index(node.target, node.key);
      case "unary":
        return this.#unary(node.operator, node.operand);
      case "binary":
        return this.#binary(node);
      case "choice":
        return this.#choice(node.test, node.yes, node.no);
      case "list":
        for (const item of node.items) this.value(item);
        return LIST;
      case "map":
        for (const [key, value] of node.entries) {
          this.#expect(key, "string", "A key of a map is a text");
          this.value(value);
        }
        return { kind: "object" };
      case "has":
        this.#visit(node.field);
        return BOOLEAN;
      case "macro":
        return this.#macro(node);
      case "call":
        return this.#call(node);
    }
  }

  #expect(node: Node, kind: Type["kind"], sentence: string): void {
    const type = this.value(node);
    if (type.kind === kind || type.kind === "any") return;
    this.#report(node.from, node.to, "wrong-type", `${sentence}, not ${nameOf(type.kind)}`);
  }

  #name(name: string, from: number, to: number): Type {
    const bound = this.#variables.findLast((variable) => variable.name === name);
    if (bound !== undefined) return bound.type;
    const root = this.#roots.get(name);
    if (root !== undefined) return root;
    if (from >= this.#covered.from && to <= this.#covered.to) return ANY;
    const before = /([A-Za-z_]\w*)\.([\w-]*-)$/.exec(
      this.text.slice(Math.max(0, from - 200), from),
    );
    if (before !== null) {
      const whole = before[2] + /^[\w-]*/.exec(this.text.slice(from))![0];
      if (this.#roots.get(before[1])?.fields?.(whole) !== undefined) {
        const start = from - before[2].length;
        return this.#hyphen(before[1], whole, start);
      }
    }
    if (BATCH_ROOTS.has(name)) {
      const message = name === "item" && this.environment.batch === "items"
        ? "`item` is there only in a for_each with a batch of 1; use `items`"
        : `\`${name}\` is there only in a step with for_each`;
      return this.#report(from, to, "unknown-name", message);
    }
    for (const root of ["params", "env", "steps"]) {
      if (this.#roots.get(root)?.fields?.(name) === undefined) continue;
      const message = `There is no \`${name}\` by itself`;
      return this.#report(from, to, "unknown-name", message, `${root}.${name}`);
    }
    const message = CONDITIONS.has(name) || FUNCTIONS.has(name)
      ? `\`${name}\` is a function: write \`${name}(...)\``
      : `There is no \`${name}\`; an expression starts from ${[...this.#roots.keys()].join(", ")}`;
    const near = nearest(name, [...this.#roots.keys(), ...this.#variables.map((v) => v.name)]);
    return this.#report(from, to, "unknown-name", message, near);
  }

  #hyphen(target: string, name: string, from: number): Type {
    this.#covered = { from, to: from + name.length };
    const suggestion = `${target}["${name}"]`;
    const message = `A name with a hyphen reads as a subtraction here`;
    return this.#report(from, from + name.length, "hyphen", message, suggestion);
  }

  #field(
    type: Type,
    target: Node,
    name: string,
    place: { readonly from: number; readonly to: number },
  ): Type {
    if (type.fields !== undefined) {
      const field = type.fields(name);
      if (field !== undefined) {
        this.#checkSecret(type, name, place);
        return field;
      }
      return this.#unknownField(type, target, name, place);
    }
    if (type.kind === "object" || type.kind === "any") return ANY;
    const message = `${nameOf(type.kind)} has no fields, so no \`${name}\``;
    return this.#report(place.from, place.to, "wrong-type", capital(message));
  }

  #checkSecret(
    type: Type,
    name: string,
    place: { readonly from: number; readonly to: number },
  ): void {
    const { noSecrets, params } = this.environment;
    if (noSecrets === undefined || type.noun !== "parameter" || params.get(name) !== "secret") {
      return;
    }
    this.#report(
      place.from,
      place.to,
      "secret",
      `The secret \`${name}\` cannot stand here: ${noSecrets}`,
    );
  }

  #unknownField(
    type: Type,
    target: Node,
    name: string,
    place: { readonly from: number; readonly to: number },
  ): Type {
    const whole = /^[\w-]*/.exec(this.text.slice(place.from))![0];
    if (target.kind === "name" && whole !== name && type.fields?.(whole) !== undefined) {
      return this.#hyphen(target.name, whole, place.from);
    }
    const noun = type.noun ?? "field";
    if (noun === "step" && this.environment.otherSteps.has(name)) {
      const message = `\`${name}\` does not run before this step; add it to needs`;
      return this.#report(place.from, place.to, "step-not-upstream", message);
    }
    const names = [...type.names?.() ?? []];
    const near = nearest(
      name,
      noun === "step" ? [...names, ...this.environment.otherSteps] : names,
    );
    const few = names.length > 0 && names.length <= 8 && near === undefined
      ? `; there is ${names.join(", ")}`
      : "";
    const code = {
      parameter: "unknown-parameter",
      "env name": "unknown-env",
      step: "unknown-step",
    };
    return this.#report(
      place.from,
      place.to,
      code[noun as keyof typeof code] ?? "unknown-field",
      `There is no ${noun} \`${name}\`${few}`,
      near,
    );
  }

  #index(target: Node, key: Node): Type {
    const type = this.#visit(target);
    if (key.kind === "literal" && typeof key.value === "string" && type.kind !== "list") {
      return this.#field(type, target, key.value, key);
    }
    const by = this.value(key);
    if (type.closed !== undefined) {
      return this.#report(
        key.from,
        key.to,
        "not-a-value",
        `Not by a computed name: ${type.closed}`,
      );
    }
    if (type.kind === "any") return ANY;
    if (type.kind === "list" || type.kind === "object") {
      const wanted = type.kind === "list" ? "number" : "string";
      if (by.kind === "any" || by.kind === wanted) return ANY;
      const message = `${nameOf(type.kind)} is indexed by ${nameOf(wanted)}, not ${
        nameOf(by.kind)
      }`;
      return this.#report(key.from, key.to, "wrong-type", capital(message));
    }
    const message = `${nameOf(type.kind)} cannot be indexed`;
    return this.#report(target.from, target.to, "wrong-type", capital(message));
  }

  #unary(operator: "!" | "-", operand: Node): Type {
    const { kind } = this.value(operand);
    const [wanted, gives] = operator === "!" ? ["boolean", BOOLEAN] : ["number", NUMBER];
    if (kind === "any" || kind === wanted || (operator === "-" && kind === "duration")) {
      return operator === "-" && kind !== "number" ? { kind } : gives as Type;
    }
    const message = `\`${operator}\` does not take ${nameOf(kind)}`;
    return this.#report(operand.from, operand.to, "wrong-type", message);
  }

  #binary(node: Node & { kind: "binary" }): Type {
    const before = this.problems.length;
    const [left, right] = [this.value(node.left), this.value(node.right)];
    if (this.problems.length > before) return ANY; // one mistake, one problem
    const { operator } = node;
    const kind = resultOf(operator, left.kind, right.kind);
    if (kind === undefined) {
      const message = capital(misfit(operator, left.kind, right.kind));
      return this.#report(node.from, node.to, "wrong-type", message);
    }
    const { right: divisor } = node;
    if ((operator === "/" || operator === "%") && divisor.kind === "literal" && !divisor.value) {
      return this.#report(divisor.from, divisor.to, "division-by-zero", "This divides by zero");
    }
    return { kind };
  }

  #choice(test: Node, yes: Node, no: Node): Type {
    this.#expect(test, "boolean", "The condition of `? :` is true or false");
    const [a, b] = [this.value(yes), this.value(no)];
    if (a === b) return a;
    return a.kind === b.kind ? { kind: a.kind } : ANY;
  }

  #macro(node: MacroNode): Type {
    const { macro, target, variable, predicate, transform } = node;
    const over = this.value(target);
    if (over.kind !== "list" && over.kind !== "object" && over.kind !== "any") {
      const message = `${macro}() goes over a list or an object's keys, not ${nameOf(over.kind)}`;
      this.#report(target.from, target.to, "wrong-type", message);
    }
    if (this.#variables.length >= MAX_MACROS) {
      const message = `At most ${MAX_MACROS} of ${
        [...MACRO_FORMS.keys()].join(", ")
      } inside each other`;
      return this.#report(node.from, node.to, "macro-nesting", message);
    }
    this.#variables.push({ name: variable, type: over.kind === "object" ? STRING : ANY });
    if (predicate !== undefined) {
      this.#expect(predicate, "boolean", `The condition of ${macro}() is true or false`);
    }
    if (transform !== undefined) this.value(transform);
    this.#variables.pop();
    return macro === "map" || macro === "filter" ? LIST : BOOLEAN;
  }

  #call(node: CallNode): Type {
    const { name, nameFrom, target, args } = node;
    const nameTo = nameFrom + name.length;
    if (target === undefined && CONDITIONS.has(name)) return this.#condition(node);
    const form = target === undefined ? undefined : MACRO_FORMS.get(name);
    if (form !== undefined) {
      return this.#report(nameFrom, node.to, "unknown-function", `Write \`${form}\``);
    }
    const given = target === undefined ? args : [target, ...args];
    const overloads = (target === undefined ? FUNCTIONS : METHODS).get(name);
    if (overloads === undefined) {
      for (const each of given) this.value(each);
      return this.#unknownFunction(name, nameFrom, nameTo, target !== undefined);
    }
    const kinds = given.map((each) => this.value(each).kind);
    const fits = overloads.filter((one) => accepts(one, kinds));
    if (fits.length === 0) {
      const message = `${name}() takes ${formsOf(overloads, target !== undefined)}, not ${
        listOf(target === undefined ? kinds : kinds.slice(1), target && kinds[0])
      }`;
      return this.#report(nameFrom, node.to, "wrong-type", message);
    }
    this.#literals(node, given, fits[0]);
    return fits.every((one) => one.gives === fits[0].gives) ? { kind: fits[0].gives } : ANY;
  }

  #condition({ name, nameFrom, to, args }: CallNode): Type {
    if (!this.environment.conditions) {
      return this.#report(nameFrom, to, "condition-outside-if", `${name}() is only for \`if\``);
    }
    if (args.length > 0) {
      return this.#report(nameFrom, to, "wrong-type", `${name}() takes nothing in its brackets`);
    }
    this.regardless = true;
    return BOOLEAN;
  }

  #unknownFunction(name: string, from: number, to: number, method: boolean): Type {
    if (name === "raw") {
      const message =
        "raw() is only for `run:`, around a whole expression: `${{ raw(...) }}`; elsewhere leave it out";
      return this.#report(from, to, "unknown-function", message);
    }
    if (name === "has") {
      const message = "has() takes one field, such as `has(params.name)`";
      return this.#report(from, to, "unknown-function", message);
    }
    const other = method ? FUNCTIONS.has(name) : METHODS.has(name) || MACRO_FORMS.has(name);
    if (other) {
      const form = method ? `${name}(x)` : MACRO_FORMS.get(name) ?? `x.${name}(...)`;
      return this.#report(from, to, "unknown-function", `Write \`${form}\``);
    }
    const known = method
      ? [...METHODS.keys(), ...MACRO_FORMS.keys()]
      : [...FUNCTIONS.keys(), "has", ...(this.environment.conditions ? CONDITIONS : [])];
    const message = `There is no function \`${name}\``;
    return this.#report(from, to, "unknown-function", message, nearest(name, known));
  }

  // What is wrong with constants is wrong with every run: `duration("5 minutes")`, a bad pattern.
  #literals(node: CallNode, given: readonly Node[], overload: Overload): void {
    if (node.name === "matches" && given[1].kind === "literal") {
      const pattern = given[1];
      const problem = patternProblem(pattern.value as string);
      if (problem !== undefined) this.#report(pattern.from, pattern.to, "bad-pattern", problem);
      return;
    }
    const values = given.flatMap((each) => each.kind === "literal" ? [each.value] : []);
    if (node.target !== undefined || values.length < given.length) return;
    try {
      overload.run(values, new Frame(NOTHING));
    } catch (thrown) {
      this.#report(node.from, node.to, "bad-value", messageOf(thrown));
    }
  }
}

const NOTHING = {
  params: {},
  env: {},
  steps: {},
  run: { id: "", name: "", status: "queued" as const, error: null },
};

function capital(message: string): string {
  return message[0].toUpperCase() + message.slice(1);
}
