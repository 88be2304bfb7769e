import assert from "node:assert/strict";
import type { Parameter } from "../core/parameter.ts";
import { tunableParameters } from "./tunable.ts";

const PARAMETERS: readonly Parameter[] = [
  {
    name: "batch_size",
    type: "integer",
    default: 20,
    min: 5,
    max: 9_000,
    tune: {
      min: 1,
      max: 5_000,
      scale: "log",
      maxStep: { factor: 4 },
      apply: "live",
      mode: "auto",
    },
  },
  { name: "plain", type: "integer", default: 1 },
  {
    name: "__proto__",
    type: "enum",
    values: ["a", "b", "c"],
    tune: { scale: "linear", choices: ["a", "b"], apply: "next_run", mode: "recommend" },
  },
  {
    name: "toString",
    type: "number",
    default: 0.5,
    tune: { min: 0, step: 0.1, scale: "linear", apply: "next_run", mode: "off" },
  },
];
const WORKFLOW = { params: new Map(PARAMETERS.map((one) => [one.name, one])) };

Deno.test("a plugin sees tunable parameters with the value that rules, and their bounds", () => {
  const seen = tunableParameters(WORKFLOW, {
    version: 3,
    values: { batch_size: 80 },
    frozen: ["batch_size"],
  });
  assert.equal(seen.version, 3);
  assert.deepEqual(Object.entries(seen.parameters), [
    ["batch_size", {
      type: "integer",
      value: 80,
      default: 20,
      min: 5,
      max: 5_000,
      maxStep: { factor: 4 },
      scale: "log",
      apply: "live",
      mode: "auto",
      frozen: true,
    }],
    ["__proto__", {
      type: "enum",
      value: null,
      default: null,
      scale: "linear",
      choices: ["a", "b"],
      apply: "next_run",
      mode: "recommend",
      frozen: false,
    }],
    ["toString", {
      type: "number",
      value: 0.5,
      default: 0.5,
      min: 0,
      step: 0.1,
      scale: "linear",
      apply: "next_run",
      mode: "off",
      frozen: false,
    }],
  ]);
  assert.deepEqual(JSON.parse(JSON.stringify(seen)), seen);
});

Deno.test("a plugin hears that changes are tried in whole runs where slices cannot be compared (A6)", () => {
  const wholeBy = (value: (of: Record<string, number>) => number) => {
    const evaluate = (scope: unknown) => value(scope as Record<string, number>);
    const expression = { source: "", regardless: false, evaluate };
    const objective = { direction: "minimize" as const, expression, of: "load" };
    const tune = { objective, guards: [], blackout: [] };
    return tunableParameters({ ...WORKFLOW, tune }, { version: 1, values: {}, frozen: [] }).whole;
  };
  assert.equal(wholeBy(({ duration, items }) => duration / items), undefined);
  assert.equal(wholeBy(({ duration }) => duration), true);
});
