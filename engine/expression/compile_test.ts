import assert from "node:assert/strict";
import type { Json } from "../core/json.ts";
import type { Scope } from "../core/scope.ts";
import { compileExpression } from "./compile.ts";
import type { Environment } from "./environment.ts";
import { ExpressionError } from "./error.ts";
import { environment, scope } from "./_fixture_test.ts";

function evaluate(text: string, at: Scope = scope(), names: Environment = environment()): Json {
  const { expression, problems } = compileExpression(text, names);
  assert.deepEqual(problems, [], text);
  return expression!.evaluate(at);
}

function problem(text: string, names: Environment = environment()) {
  const { expression, problems } = compileExpression(text, names);
  assert.equal(expression, undefined, text);
  assert.equal(problems.length, 1, `${text}: ${JSON.stringify(problems)}`);
  const [{ from, to, code, message, suggestion }] = problems;
  return { at: text.slice(from, to), code, message, suggestion };
}

function fails(text: string, sentence: RegExp, at: Scope = scope(), names = environment()) {
  const { expression, problems } = compileExpression(text, names);
  assert.deepEqual(problems, [], text);
  assert.throws(() => expression!.evaluate(at), (thrown) => {
    assert(thrown instanceof ExpressionError, String(thrown));
    assert.match(thrown.message, sentence);
    return true;
  });
}

Deno.test("numbers are JSON's: integers and reals mix (V1)", () => {
  const values: readonly (readonly [string, Json])[] = [
    ["params.batch_size * 2", 14],
    ["params.batch_size / 2", 3.5],
    ["7 / 2", 3.5],
    ["6 / 2", 3],
    ["params.batch_size % 4", 3],
    ["params.batch_size + params.ratio", 7.5],
    ["params.batch_size * 0.1 < 1", true],
    ["int(steps.count.outputs.stdout) > 0", true],
    ["int(steps.count.outputs.stdout) + params.batch_size", 19],
    ["params.list.size() > 0", true],
    ["size(params.list) == 3.0", true],
    ["-params.batch_size", -7],
    ["params.batch_size == 7.0 && params.batch_size != 8", true],
    ["int(7.9) + int(-7.9)", 0],
    ["0x10 + 1e3", 1016],
    ["double('1e3')", 1000],
    ["string(1.0) + string(0.5)", "10.5"],
    ["params.list[params.batch_size - 5]", 3],
    ["0 * -1", 0],
    ["-0", 0],
  ];
  for (const [text, value] of values) {
    const found = evaluate(text);
    assert.deepEqual(found, value, text);
    assert(!Object.is(found, -0), text);
  }
});

Deno.test("what JSON numbers cannot hold is an error, not Infinity, NaN or a rounded integer (V1)", () => {
  fails("1 / (params.batch_size - 7)", /Cannot divide 1 by zero; test the divisor first/);
  fails("1 % (params.batch_size - 7)", /Cannot take 1 modulo zero/);
  fails("9007199254740991 + params.batch_size", /beyond 2\^53 - 1/);
  fails("params.batch_size * 9007199254740991", /beyond 2\^53 - 1/);
});

Deno.test("constants that cannot work are problems", () => {
  assert.equal(problem("1/0").at, "0");
  assert.equal(problem("params.batch_size % 0").code, "division-by-zero");
  assert.equal(problem("9007199254740993").code, "number-too-large");
  assert.equal(problem("int('9007199254740993')").code, "bad-value");
  assert.equal(problem("int('3.7')").code, "bad-value");
  assert.match(problem("duration('5 minutes')").message, /not a duration; write one such as/);
  assert.equal(problem("json('{')").code, "bad-value");
});

Deno.test("functions and macros", () => {
  const values: readonly (readonly [string, Json])[] = [
    ["int(' 42 ')", 42],
    ["bool('true') && !bool('0')", true],
    ["string(true)", "true"],
    ["size('\u00e9\u{1F44D}')", 2],
    ["size({'a': 1})", 1],
    ["params.name.startsWith('or') && params.name.endsWith('s')", true],
    ["params.name.contains('der')", true],
    ["params.name.matches('^[a-z]+$') && matches(params.name, 'd.r')", true],
    ["' A-Z '.trim().lowerAscii()", "a-z"],
    ["'stra\u00dfe'.upperAscii()", "STRA\u00dfE"],
    ["'a,b,c'.split(',').join('-')", "a-b-c"],
    ["'aaa'.replace('a', 'bc')", "bcbcbc"],
    ["'hello'.substring(1, 3) + string('hello'.indexOf('l'))", "el2"],
    ["json('{\"a\": [1, 2.5]}').a[1]", 2.5],
    ["toJson(params.object)", '{"a":{"b":1}}'],
    ["toJson([1, 'x', null])", '[1,"x",null]'],
    ["params.list.all(x, x > 0)", true],
    ["params.list.exists(x, x == 2)", true],
    ["params.list.exists_one(x, x > 1)", false],
    ["params.list.map(x, x * 2)", [2, 4, 6]],
    ["params.list.map(x, x > 1, x * 2)", [4, 6]],
    ["params.list.filter(x, x % 2 == 1)", [1, 3]],
    ["params.list.map(x, params.list.map(y, x * y))", [[1, 2, 3], [2, 4, 6], [3, 6, 9]]],
    ["params.object.all(key, key == 'a')", true],
    ["params.list + [4]", [1, 2, 3, 4]],
    ["2 in params.list && 'a' in params.object && !('b' in params.object)", true],
    ["params.flag ? 'yes' : 'no'", "yes"],
    ["[1, [2]] == [1.0, [2.0]] && {'a': 1} == {'a': 1}", true],
    ["run.error == null && run.name == 'import'", true],
    ["env.HOME", "/home/me"],
    ["duration(params.window) > duration('1h')", true],
    ["duration('90m')", "5400s"],
    ["duration('1h30m').getMinutes()", 90],
    ["timestamp('2026-01-31T23:30:00+01:00')", "2026-01-31T22:30:00Z"],
    ["timestamp('2026-01-31T12:00:00Z') + duration('1d')", "2026-02-01T12:00:00Z"],
    ["[timestamp('2026-01-31T12:00:00Z') - timestamp('2026-01-31T11:00:00Z')]", ["3600s"]],
    ["timestamp(0).getFullYear()", 1970],
  ];
  for (const [text, value] of values) assert.deepEqual(evaluate(text), value, text);
});

Deno.test("names are checked, with the nearest valid one", () => {
  const cases: readonly (readonly [string, string, string, string?])[] = [
    ["param.name", "param", "unknown-name", "params"],
    ["1 + params.batch_sizes", "batch_sizes", "unknown-parameter", "batch_size"],
    ["params['batch_sizes']", "'batch_sizes'", "unknown-parameter", "batch_size"],
    ["has(params.nam)", "nam", "unknown-parameter", "name"],
    ["steps.cuont.status", "cuont", "unknown-step", "count"],
    ["steps.count.output.stdout", "output", "unknown-field", "outputs"],
    ["steps.count.error.mesage", "mesage", "unknown-field", "message"],
    ["run.nam", "nam", "unknown-field", "name"],
    ["env.HOM", "HOM", "unknown-env", "HOME"],
    ["batch_size * 2", "batch_size", "unknown-name", "params.batch_size"],
    ["sise(params.list)", "sise", "unknown-function", "size"],
    ["params.name.trimm()", "trimm", "unknown-function", "trim"],
    ["steps.load-orders.status", "load-orders", "hyphen", 'steps["load-orders"]'],
    ["params.batch-size * 2", "batch-size", "hyphen", 'params["batch-size"]'],
    ["items.size()", "items", "unknown-name"],
    ["steps", "steps", "not-a-value"],
    ["steps[params.name].status", "params.name", "not-a-value"],
    ["params.list.map(x, y)", "y", "unknown-name"],
    ["params.list.map(x, x) + [x]", "x", "unknown-name"],
  ];
  for (const [text, at, code, suggestion] of cases) {
    const found = problem(text);
    assert.deepEqual([found.at, found.code], [at, code], text);
    if (suggestion !== undefined) assert.equal(found.suggestion, suggestion, text);
  }
  assert.equal(
    problem("steps.later.status").message,
    "`later` does not run before this step; add it to needs",
  );
});

Deno.test('params.batch_size does not hide params["batch-size"]', () => {
  assert.equal(evaluate('params["batch-size"] * 2'), 6);
  assert.equal(evaluate('steps["load-orders"].status'), "skipped");
});

Deno.test("types are checked against the parameters' types", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["params.name + 1", "params.name + 1"],
    ["params.batch_size + 'x'", "params.batch_size + 'x'"],
    ["params.name > 3", "params.name > 3"],
    ["params.batch_size == '7'", "params.batch_size == '7'"],
    ["params.flag && params.batch_size", "params.flag && params.batch_size"],
    ["!params.name", "params.name"],
    ["-params.window", "params.window"],
    ["params.name ? 1 : 2", "params.name"],
    ["params.batch_size.x", "x"],
    ["params.list['a']", "'a'"],
    ["params.mode[0]", "params.mode"],
    ["int(params.list)", "int(params.list)"],
    ["params.name.startsWith(1)", "startsWith(1)"],
    ["params.batch_size.map(x, x)", "params.batch_size"],
    ["params.list.filter(x, 1)", "1"],
    ["params.token * 2", "params.token * 2"],
    ["1 in params.object", "1 in params.object"],
    ["{1: 2}", "1"],
  ];
  for (const [text, at] of cases) {
    const found = problem(text);
    assert.deepEqual([found.at, found.code], [at, "wrong-type"], text);
  }
});

Deno.test("all mistakes of one expression are found at once", () => {
  const { problems } = compileExpression("params.nam + env.HOM + foo(1)", environment());
  assert.deepEqual(problems.map((p) => p.code), [
    "unknown-parameter",
    "unknown-env",
    "unknown-function",
  ]);
});

Deno.test("syntax errors are placed and explained", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["a = b", /`=` here; equality is `==`/],
    ["params.name and params.flag", /write `&&`/],
    ["(1 + ", /ends too early/],
    ["(1", /Expected `\)`, found the end/],
    ["'abc", /Unterminated/],
    ["  ", /empty/],
    ["1u", /drop the `u`/],
    ["b'x'", /no byte strings/],
    ["params.list.map(x)", /Write `list.map\(x, value\)`/],
    ["has(params)", /has\(\) takes a field/],
    ["trim(params.name)", /Write `x.trim\(...\)`/],
    ["params.name.int()", /Write `int\(x\)`/],
    ["raw(params.name)", /only for `run:`/],
    ["size", /`size` is a function/],
  ];
  for (const [text, message] of cases) {
    const { problems } = compileExpression(text, environment());
    assert.match(problems[0]?.message ?? "", message, text);
    assert(problems[0].from <= problems[0].to && problems[0].to <= text.length, text);
  }
});

Deno.test("always(), failed() and cancelled() are for `if`, and mark it (S2)", () => {
  const names = environment({ conditions: true });
  assert.equal(compileExpression("always()", names).expression!.regardless, true);
  assert.equal(compileExpression("1 > 0 || failed()", names).expression!.regardless, true);
  assert.equal(compileExpression("params.flag", names).expression!.regardless, false);
  const at = scope({ outcome: { failed: true, cancelled: false } });
  assert.deepEqual(
    ["always()", "failed()", "cancelled()"].map((text) => evaluate(text, at, names)),
    [true, true, false],
  );
  assert.equal(problem("failed()").code, "condition-outside-if");
  assert.equal(problem("failed(1)", names).code, "wrong-type");
});

Deno.test("the roots of for_each are there by the kind of batch (V1)", () => {
  const at = scope({ items: [{ id: 1 }, { id: 2 }], item: { id: 1 }, index: 3, from: 6, to: 8 });
  const batch = environment({ batch: "items" });
  assert.deepEqual(evaluate("items.map(i, i.id)", at, batch), [1, 2]);
  assert.equal(evaluate("to - from + index", at, batch), 5);
  assert.match(problem("item.id", batch).message, /batch of 1; use `items`/);
  assert.equal(evaluate("item.id", at, environment({ batch: "item" })), 1);
});

Deno.test("further variables are read from the scope", () => {
  const objective = environment({ variables: new Set(["duration", "items"]) });
  const values = { ...scope(), duration: 3, items: 6 } as unknown as Scope;
  assert.equal(evaluate("duration / items", values, objective), 0.5);
  const where = environment({ variables: new Set(["attributes"]) });
  const attributes = { ...scope(), attributes: { "scrum.defect_rate": 3.5 } } as unknown as Scope;
  assert.equal(evaluate("attributes['scrum.defect_rate'] > 3.0", attributes, where), true);
});

Deno.test("prototypes are never reached", () => {
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
    fails(`params.object["${name}"]`, /has no/);
    fails("params.object[params.name]", /has no/, scope({}, { name }));
    fails("params[params.name]", /has no/, scope({}, { name }));
    assert.equal(evaluate(`"${name}" in params.object`), false);
    assert.equal(evaluate(`has(params.object.${name})`), false);
    assert.equal(problem(`params["${name}"]`).code, "unknown-parameter");
    assert.equal(problem(`steps["${name}"]`).code, "unknown-step");
  }
  fails(
    "params.name[params.mode]",
    /is a text, so it has no "length"/,
    scope({}, { mode: "length" }),
    {
      ...environment(),
      params: new Map([["name", "object"], ["mode", "string"]]),
    },
  );
  const made = evaluate("{'__proto__': 1}") as object;
  assert.deepEqual(Object.keys(made), ["__proto__"]);
  assert.equal(Object.getPrototypeOf(made), Object.prototype);
});

Deno.test("missing values say what is missing", () => {
  fails("steps['load-orders'].outputs.rows", /outputs` is null, so it has no "rows"; test it with/);
  fails("run.error.message", /`run.error` is null/);
  fails("params.object.x", /`params.object` has no "x" here \(in `params.object.x`\)/);
  fails("params.list[9]", /has 3 elements, so none at 9/);
  fails("int(params.name)", /int\(\) cannot read "orders" as an integer/);
  fails("steps.count.status", /`steps` has no "count" here yet/, scope({ steps: {} }));
  assert.equal(evaluate("has(run.error.message)"), false);
  assert.equal(evaluate("has(params.object.a.b)"), true);
});

Deno.test("a side of && or || that decides absorbs the other one's failure, as in CEL", () => {
  assert.equal(evaluate("int(params.name) > 0 || params.flag"), true);
  assert.equal(evaluate("int(params.name) > 0 && !params.flag"), false);
  assert.equal(evaluate("['x', '1'].exists(t, int(t) == 1)"), true);
  fails("int(params.name) > 0 && params.flag", /int\(\) cannot read/);
  fails("['x', '1'].all(t, int(t) == 1)", /int\(\) cannot read/);
});

Deno.test("json() refuses integers that it would have to round", () => {
  const at = (text: string) => scope({}, { name: text });
  assert.deepEqual(evaluate("json(params.name)", at("[1234567890123456, 0.12345678901234567]")), [
    1234567890123456,
    0.12345678901234567,
  ]);
  fails("json(params.name).id", /beyond 2\^53 - 1/, at('{"id": 12345678901234567890}'));
});

Deno.test("looking up a large value copies nothing", () => {
  const items = [{ id: 1 }];
  const at = scope({ items });
  assert.equal(evaluate("items", at, environment({ batch: "items" })), items);
});

Deno.test("the kind of the result is told", () => {
  const kind = (text: string) => compileExpression(text, environment()).kind;
  assert.equal(kind("params.flag && true"), "boolean");
  assert.equal(kind("params.name"), "string");
  assert.equal(kind("duration('1s')"), "string");
  assert.equal(kind("steps.count.outputs.x"), "any");
  assert.equal(kind("params.list.map(x, x)"), "list");
});
