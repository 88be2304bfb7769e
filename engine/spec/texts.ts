import { nearest } from "../core/diagnostic.ts";
import type { Json } from "../core/json.ts";
import type { Expression, Template } from "../core/scope.ts";
import { compileExpression } from "../expression/compile.ts";
import type { Environment } from "../expression/environment.ts";
import type { Problem } from "../expression/problem.ts";
import { compileShell } from "../expression/shell.ts";
import { compileText, constant, listOf, objectOf } from "../expression/template.ts";
import { sourceOffset } from "./offsets.ts";
import type { Report } from "./report.ts";
import { type Node, type Scalar, toJson } from "./tree.ts";

/** Gives the names that one expression may use; `text` tells which steps it mentions. */
export interface Names {
  (text: string): Environment;
  /** Whether the place is evaluated before the first step, so that no `needs` can help. */
  readonly early?: boolean;
}

/** Compiles the texts of one file and reports their faults where they stand in it. */
export class Texts {
  /** The file's text. */
  readonly text: string;
  /** Where faults go. */
  readonly report: Report;

  /** Compiles for the file `text`. */
  constructor(text: string, report: Report) {
    this.text = text;
    this.report = report;
  }

  /** A value with `${{ }}` anywhere in it, lists and mappings all through. */
  template(node: Node, names: Names): Template {
    if (!mayHoldExpression(node)) return constant(toJson(node));
    if (node.kind === "list") return listOf(node.items.map((item) => this.template(item, names)));
    if (node.kind === "mapping") {
      return objectOf(
        node.entries.map((entry) => [entry.key, this.template(entry.value, names)] as const),
      );
    }
    const text = String(node.value);
    const { template, problems } = compileText(text, names(text));
    return this.#take(node, 0, template, problems, names) ?? constant(null);
  }

  /** As `template`, but a literal is text as it is written: `1.10` stays `1.10`. */
  written(node: Node, names: Names): Template {
    if (node.kind !== "scalar" || typeof node.value === "string") return this.template(node, names);
    return constant(this.text.slice(node.from, node.to));
  }

  /** A mapping of templates by name; none when it is absent or no mapping. */
  record(
    node: Node | undefined,
    names: Names,
    how: "template" | "written" = "template",
  ): Record<string, Template> {
    if (node?.kind !== "mapping") return {};
    return Object.fromEntries(
      node.entries.map((entry) => [entry.key, this[how](entry.value, names)]),
    );
  }

  /** A shell command (V2), and where it lets values in raw, as offsets in the file. */
  shell(node: Scalar, names: Names): { template: Template; raw: number[] } {
    const text = String(node.value);
    if (!text.includes("${{")) return { template: constant(text), raw: [] };
    const { template, problems, raw } = compileShell(text, names(text));
    return {
      template: this.#take(node, 0, template, problems, names) ?? constant(null),
      raw: raw.map((place) => this.#offset(node, place.from) ?? node.from),
    };
  }

  /** A bare CEL expression of a kind; one whole `${{ }}` around it is taken off. */
  expression(
    node: Node | undefined,
    names: Names,
    wanted: "boolean" | "number",
  ): Expression | undefined {
    if (node?.kind !== "scalar" || node.value === null) return undefined;
    let text = String(node.value);
    let shift = 0;
    const wrapped = /^\s*\$\{\{((?:(?!\$\{\{)[\s\S])*)\}\}\s*$/.exec(text);
    if (wrapped !== null) {
      shift = text.indexOf("${{") + 3;
      text = wrapped[1];
    } else if (text.includes("${{")) {
      this.fault(node, "expression", "a condition is one bare expression, without `${{ }}`");
      return undefined;
    }
    const { expression, problems, kind } = compileExpression(text, names(text));
    if (problems.length === 0 && kind !== "any" && kind !== wanted) {
      const form = wanted === "boolean" ? "true or false" : "a number";
      this.fault(node, "kind", `this expression must give ${form}, and gives a ${kind}`);
      return undefined;
    }
    return this.#take(node, shift, expression, problems, names);
  }

  /** Reports a fault at a node. */
  fault(node: { from: number; to: number }, code: string, message: string, suggestion?: string) {
    this.report.add({
      from: node.from,
      to: Math.max(node.to, node.from + 1),
      code,
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }

  /** Reports a name that is not among `known`, with the nearest. */
  unknown(node: Node, message: string, known: Iterable<string>): void {
    this.fault(
      node,
      "unknown-name",
      message,
      node.kind === "scalar" ? nearest(String(node.value), known) : undefined,
    );
  }

  #take<T>(
    node: Scalar,
    shift: number,
    compiled: T | undefined,
    problems: readonly Problem[],
    names: Names,
  ): T | undefined {
    for (const problem of problems) {
      const from = this.#offset(node, problem.from + shift);
      const to = this.#offset(node, problem.to + shift);
      this.report.add({
        // A folded block's characters have no place of their own.
        from: from ?? node.from,
        to: from === undefined || to === undefined ? node.from + 1 : Math.max(to, from + 1),
        code: problem.code,
        message: names.early && problem.code === "step-not-upstream"
          ? "no step has run yet where this is evaluated; `steps` can be read in steps and outputs"
          : lower(problem.message),
        ...(problem.suggestion === undefined ? {} : { suggestion: problem.suggestion }),
      });
    }
    return problems.length > 0 ? undefined : compiled;
  }

  #offset(node: Scalar, offset: number): number | undefined {
    return sourceOffset(this.text, node, offset);
  }
}

// Reports are sentences after a colon.
function lower(message: string): string {
  return /^[A-Z]([a-z]| )/.test(message) ? message[0].toLowerCase() + message.slice(1) : message;
}

/** The literal JSON of a node that holds no expression; otherwise undefined. */
export function literal(node: Node): Json | undefined {
  return mayHoldExpression(node) ? undefined : toJson(node);
}

/** Whether some text in it has `${{`. */
export function mayHoldExpression(node: Node): boolean {
  if (node.kind === "scalar") return typeof node.value === "string" && node.value.includes("${{");
  if (node.kind === "list") return node.items.some(mayHoldExpression);
  return node.entries.some((entry) => mayHoldExpression(entry.value));
}
