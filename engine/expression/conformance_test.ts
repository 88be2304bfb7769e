import assert from "node:assert/strict";
import { Environment as Cel } from "@marcbachmann/cel-js";
import { compileExpression } from "./compile.ts";
import { environment, random, scope } from "./_fixture_test.ts";

// Where JSON and CEL numbers agree (reals), the library's own evaluator is the oracle.

type Kind = "number" | "boolean" | "string" | "list";

function generate(next: (bound: number) => number, kind: Kind, depth: number): string {
  const pick = (choices: readonly (() => string)[]) => choices[next(choices.length)]();
  const make = (of: Kind) => generate(next, of, depth - 1);
  const leaf: Readonly<Record<Kind, readonly (() => string)[]>> = {
    number: [() => `${next(20)}.5`, () => "params.ratio", () => "-2.25"],
    boolean: [() => "true", () => "params.flag", () => "has(params.name)"],
    string: [() => "params.name", () => "'a b'", () => '"it\'s"', () => "''"],
    list: [() => "[1.5, 2.5]", () => "[0.5, 1.5, 2.5].filter(v, v > 1.0)"],
  };
  if (depth === 0) return pick(leaf[kind]);
  const inner: Readonly<Record<Kind, readonly (() => string)[]>> = {
    number: [
      () => `(${make("number")} ${["+", "-", "*"][next(3)]} ${make("number")})`,
      () => `(${make("boolean")} ? ${make("number")} : ${make("number")})`,
      () => `double(string(${make("number")}))`,
    ],
    boolean: [
      () => `(${make("number")} ${["<", "<=", ">", ">=", "==", "!="][next(6)]} ${make("number")})`,
      () => `(${make("boolean")} ${["&&", "||"][next(2)]} ${make("boolean")})`,
      () => `!${make("boolean")}`,
      () =>
        `${make("string")}.${["startsWith", "endsWith", "contains"][next(3)]}(${make("string")})`,
      () => `${make("list")}.${["all", "exists", "exists_one"][next(3)]}(v, v > ${make("number")})`,
      () => `(${make("number")} in ${make("list")})`,
      () => `(${make("string")} < ${make("string")})`,
    ],
    string: [
      () => `(${make("string")} + ${make("string")})`,
      () => `${make("string")}.trim()`,
      () => `${make("string")}.split(' ').join('-')`,
    ],
    list: [
      () => `${make("list")}.map(v, v * 2.0)`,
      () => `(${make("list")} + ${make("list")})`,
    ],
  };
  return pick(inner[kind]);
}

Deno.test("expressions give what the library's own evaluator gives", () => {
  const seed = 20_260_131;
  const next = random(seed);
  const oracle = new Cel({ unlistedVariablesAreDyn: true });
  const context = { params: { name: "orders", ratio: 0.5, flag: true } };
  const kinds: readonly Kind[] = ["number", "boolean", "string", "list"];
  for (let i = 0; i < 1_500; i++) {
    const text = generate(next, kinds[i % kinds.length], 1 + i % 4);
    const { expression, problems } = compileExpression(text, environment());
    if (problems.length > 0 && problems.every((p) => p.code === "macro-nesting")) continue;
    assert.deepEqual(problems, [], `seed ${seed}, case ${i}: ${text}`);
    // A sum of zeros may differ in its sign there: JSON has no negative zero.
    const expected = JSON.parse(JSON.stringify(oracle.evaluate(text, context)));
    assert.deepEqual(expression!.evaluate(scope()), expected, `seed ${seed}, case ${i}: ${text}`);
  }
});
