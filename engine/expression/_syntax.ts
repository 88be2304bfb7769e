import { celParser } from "./_library.ts";
import { MAX_DEPTH, MAX_SOURCE } from "./_limits.ts";
import type { Problem } from "./problem.ts";

/** Operators that take two values. */
export type BinaryOperator =
  | "||"
  | "&&"
  | "=="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "in"
  | "+"
  | "-"
  | "*"
  | "/"
  | "%";

/** CEL's macros over a list or over an object's keys. */
export type MacroName = "all" | "exists" | "exists_one" | "map" | "filter";

interface Place {
  readonly from: number;
  readonly to: number;
}

/** An access to a field by name. */
export type FieldNode = Place & {
  readonly kind: "field";
  readonly target: Node;
  readonly name: string;
  readonly nameFrom: number;
};

/** A call of a macro; `filter` and `map` of three have both a predicate and, for map, a transform. */
export type MacroNode = Place & {
  readonly kind: "macro";
  readonly macro: MacroName;
  readonly target: Node;
  readonly variable: string;
  readonly predicate?: Node;
  readonly transform?: Node;
};

/** A call of a function, or of a method when it has a target. */
export type CallNode = Place & {
  readonly kind: "call";
  readonly name: string;
  readonly nameFrom: number;
  readonly target?: Node;
  readonly args: readonly Node[];
};

/** The syntax tree, with offsets into the expression's text. */
export type Node =
  | (Place & { readonly kind: "literal"; readonly value: null | boolean | number | string })
  | (Place & { readonly kind: "name"; readonly name: string })
  | FieldNode
  | (Place & { readonly kind: "index"; readonly target: Node; readonly key: Node })
  | (Place & { readonly kind: "unary"; readonly operator: "!" | "-"; readonly operand: Node })
  | (Place & {
    readonly kind: "binary";
    readonly operator: BinaryOperator;
    readonly left: Node;
    readonly right: Node;
  })
  | (Place & {
    readonly kind: "choice";
    readonly test: Node;
    readonly yes: Node;
    readonly no: Node;
  })
  | (Place & { readonly kind: "list"; readonly items: readonly Node[] })
  | (Place & { readonly kind: "map"; readonly entries: readonly (readonly [Node, Node])[] })
  | (Place & { readonly kind: "has"; readonly field: FieldNode })
  | CallNode
  | MacroNode;

// What is used of the library's nodes.
interface Tree {
  readonly op: string;
  readonly args: unknown;
  readonly start: number;
  readonly end: number;
  readonly pos: number;
}

const MACROS: ReadonlySet<string> = new Set(["all", "exists", "exists_one", "map", "filter"]);

/** Parses CEL. One problem at most: the parser stops at the first. */
export function parse(text: string): { node: Node } | { problem: Problem } {
  if (text.length > MAX_SOURCE) {
    const message =
      `An expression may have at most ${MAX_SOURCE} characters; this one has ${text.length}`;
    return { problem: { from: 0, to: text.length, code: "expression-too-large", message } };
  }
  if (text.trim() === "") {
    const message = "The expression is empty; write one, such as `params.name`";
    return { problem: { from: 0, to: text.length, code: "expression-syntax", message } };
  }
  try {
    return { node: convert(celParser().parse(text).ast as unknown as Tree, text, 0) };
  } catch (thrown) {
    return { problem: thrown instanceof Refusal ? thrown.problem : explain(thrown, text) };
  }
}

class Refusal extends Error {
  constructor(readonly problem: Problem) {
    super(problem.message);
  }
}

function refuse(tree: Tree, code: string, message: string): never {
  throw new Refusal({ from: tree.start, to: tree.end, code, message });
}

function convert(tree: Tree, text: string, depth: number): Node {
  if (depth > MAX_DEPTH) {
    refuse(tree, "expression-too-deep", `The expression is deeper than ${MAX_DEPTH}; split it up`);
  }
  const place = { from: tree.start, to: tree.end };
  const one = (child: unknown) => convert(child as Tree, text, depth + 1);
  const pair = tree.args as readonly [unknown, unknown, unknown];
  switch (tree.op) {
    case "value":
      return { ...place, kind: "literal", value: literal(tree) };
    case "id":
      return { ...place, kind: "name", name: tree.args as string };
    case ".":
      return {
        ...place,
        kind: "field",
        target: one(pair[0]),
        name: pair[1] as string,
        nameFrom: tree.pos,
      };
    case "[]":
      return { ...place, kind: "index", target: one(pair[0]), key: one(pair[1]) };
    case "!_":
      return { ...place, kind: "unary", operator: "!", operand: one(tree.args) };
    case "-_": {
      const operand = one(tree.args);
      if (operand.kind === "literal" && typeof operand.value === "number") {
        return { ...place, kind: "literal", value: 0 - operand.value };
      }
      return { ...place, kind: "unary", operator: "-", operand };
    }
    case "?:":
      return { ...place, kind: "choice", test: one(pair[0]), yes: one(pair[1]), no: one(pair[2]) };
    case "list":
      return { ...place, kind: "list", items: (tree.args as unknown[]).map(one) };
    case "map":
      return {
        ...place,
        kind: "map",
        entries: (tree.args as [unknown, unknown][]).map(([key, value]) => [one(key), one(value)]),
      };
    case "call":
      return call(tree, pair[0] as string, undefined, pair[1] as Tree[], one, text);
    case "rcall":
      return call(tree, pair[0] as string, one(pair[1]), pair[2] as Tree[], one, text);
    default:
      return {
        ...place,
        kind: "binary",
        operator: tree.op as BinaryOperator,
        left: one(pair[0]),
        right: one(pair[1]),
      };
  }
}

function call(
  tree: Tree,
  name: string,
  target: Node | undefined,
  args: readonly Tree[],
  one: (child: unknown) => Node,
  text: string,
): Node {
  const place = { from: tree.start, to: tree.end };
  if (target === undefined && name === "has" && args.length === 1) {
    const field = one(args[0]);
    if (field.kind !== "field") {
      refuse(tree, "expression-syntax", "has() takes a field, such as `has(params.name)`");
    }
    return { ...place, kind: "has", field };
  }
  if (target !== undefined && MACROS.has(name) && args[0]?.op === "id") {
    const variable = args[0].args as string;
    const macro = name as MacroName;
    const [, second, third] = args;
    if (args.length === 2 && macro === "map") {
      return { ...place, kind: "macro", macro, target, variable, transform: one(second) };
    }
    if (args.length === 2) {
      return { ...place, kind: "macro", macro, target, variable, predicate: one(second) };
    }
    if (args.length === 3 && macro === "map") {
      const [predicate, transform] = [one(second), one(third)];
      return { ...place, kind: "macro", macro, target, variable, predicate, transform };
    }
  }
  // The library keeps no place for a method's name: it follows the target's dot.
  const nameFrom = target === undefined ? tree.start : text.indexOf(name, target.to);
  return { ...place, kind: "call", name, nameFrom, target, args: args.map(one) };
}

function literal(tree: Tree): null | boolean | number | string {
  const value = tree.args;
  if (typeof value === "bigint") {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    refuse(tree, "number-too-large", "Integers go up to 2^53 - 1, as in JSON; write it as text");
  }
  if (value === null) return value;
  if (typeof value === "string" || typeof value === "boolean" || typeof value === "number") {
    return value;
  }
  if (value instanceof Uint8Array) {
    refuse(tree, "expression-syntax", 'There are no byte strings here; write text: "..."');
  }
  refuse(tree, "expression-syntax", "There are no unsigned integers here; drop the `u`");
}

const HINTS: Readonly<Record<string, string>> = {
  "=": "; equality is `==`",
  "&": "; and is `&&`",
  "|": "; or is `||`",
  and: "; write `&&`",
  or: "; write `||`",
  not: "; write `!`",
  is: "; write `==`",
};

const TOKENS: Readonly<Record<string, string>> = {
  EOF: "the end",
  RPAREN: "`)`",
  LPAREN: "`(`",
  RBRACKET: "`]`",
  LBRACKET: "`[`",
  RBRACE: "`}`",
  LBRACE: "`{`",
  COLON: "`:`",
  COMMA: "`,`",
  DOT: "`.`",
  QUESTION: "`?`",
  IDENTIFIER: "a name",
  NUMBER: "a number",
  STRING: "a text",
  BYTES: "bytes",
  BOOLEAN: "true or false",
  NULL: "null",
};

function explain(thrown: unknown, text: string): Problem {
  if (thrown instanceof RangeError) {
    const message = "The expression is nested too deeply; split it up";
    return { from: 0, to: text.length, code: "expression-too-deep", message };
  }
  const { code, summary, range } = thrown as {
    code?: string;
    summary?: string;
    range?: { start: number; end: number };
  };
  const from = Math.min(range?.start ?? 0, text.length);
  const to = Math.max(from, Math.min(range?.end ?? from, text.length));
  if (code === "limit_exceeded") {
    const message = `The expression is too large or nested too deeply: ${summary}; split it up`;
    return { from, to, code: "expression-too-deep", message };
  }
  const rest = text.slice(from);
  const word = /^(\w+|[^\s\w])/.exec(rest)?.[1];
  const hint = word === undefined || !Object.hasOwn(HINTS, word) ? "" : HINTS[word];
  return { from, to, code: "expression-syntax", message: sentence(code, summary, word) + hint };
}

function sentence(code: string | undefined, summary: string | undefined, word?: string): string {
  const name = (token: string) => TOKENS[token] ?? `\`${token.toLowerCase()}\``;
  const expected = /^Expected (\w+), got (\w+)$/.exec(summary ?? "");
  if (expected !== null) return `Expected ${name(expected[1])}, found ${name(expected[2])}`;
  const unexpected = /^Unexpected token: (\w+)$/.exec(summary ?? "");
  if (unexpected !== null) {
    if (unexpected[1] === "EOF") return "The expression ends too early";
    return `Did not expect ${word === undefined ? name(unexpected[1]) : `\`${word}\``} here`;
  }
  if (code === "unexpected_character") return `Did not expect \`${word ?? ""}\` here`;
  return `Cannot read the expression: ${summary ?? "unknown fault"}`;
}
