import assert from "node:assert/strict";
import type { Json } from "../core/json.ts";
import { ExpressionError } from "./error.ts";
import { environment, scope } from "./_fixture_test.ts";
import { compileText, constant, listOf, objectOf } from "./template.ts";

function evaluate(text: string): Json {
  const { template, problems } = compileText(text, environment());
  assert.deepEqual(problems, [], text);
  return template!.evaluate(scope());
}

Deno.test("one whole expression keeps its type, otherwise the value is text (V1)", () => {
  const values: readonly (readonly [string, Json])[] = [
    ["${{ params.batch_size }}", 7],
    ["${{params.list}}", [1, 2, 3]],
    ["${{ run.error }}", null],
    ["${{ params.batch_size }} rows", "7 rows"],
    [" ${{ params.batch_size }}", " 7"],
    ["${{ params.batch_size }}${{ params.ratio }}", "70.5"],
    [
      "a ${{ null }} ${{ true }} ${{ params.list }} ${{ params.object }} b",
      'a  true [1,2,3] {"a":{"b":1}} b',
    ],
    ["${{ 1e21 }}!", "1e+21!"],
    ["no expression", "no expression"],
    ["", ""],
    ["$ { { }} {{ x }} $", "$ { { }} {{ x }} $"],
  ];
  for (const [text, value] of values) assert.deepEqual(evaluate(text), value, text);
});

Deno.test("`}}` in CEL texts and map literals does not end an expression", () => {
  assert.equal(evaluate("${{ '}}' }}"), "}}");
  assert.equal(evaluate('a${{ "\\"}}" }}b'), 'a"}}b');
  assert.equal(evaluate("${{ '''it's }}''' }}"), "it's }}");
  assert.equal(evaluate("${{ r'\\d}}' }}."), "\\d}}.");
  assert.deepEqual(evaluate("${{ {'a': {'b': 1}}}}"), { a: { b: 1 } });
  assert.deepEqual(evaluate("${{ {'a': {'b': 1}} }} x"), '{"a":{"b":1}} x');
});

Deno.test("`$${{` stands for `${{`", () => {
  const { template } = compileText("use $${{ x }} and $${{", environment());
  assert.equal(template!.constant, true);
  assert.equal(template!.evaluate(scope()), "use ${{ x }} and ${{");
  assert.equal(evaluate("$${{ x }} ${{ params.name }}"), "${{ x }} orders");
});

Deno.test("problems have offsets into the whole text, all of them at once", () => {
  const text = "a ${{ params.nam }} b ${{ env.HOM }} c ${{ params.name";
  const { template, problems } = compileText(text, environment());
  assert.equal(template, undefined);
  const found = problems.map(({ from, to, code }) => [text.slice(from, to), code]);
  assert.deepEqual(found.toSorted(), [
    ["${{", "unclosed-expression"],
    ["HOM", "unknown-env"],
    ["nam", "unknown-parameter"],
  ]);
  const empty = compileText("x ${{ }}", environment());
  assert.match(empty.problems[0].message, /empty/);
});

Deno.test("lists and objects are templates all through, and fold when constant", () => {
  const moving = compileText("${{ params.name }}", environment()).template!;
  const folded = objectOf([["a", listOf([constant(1), constant({ b: [2] })])]]);
  assert.equal(folded.constant, true);
  const value = folded.evaluate(scope()) as { a: [number, { b: number[] }] };
  assert.deepEqual(value, { a: [1, { b: [2] }] });
  assert.equal(folded.evaluate(scope()), value);
  assert.throws(() => value.a[1].b.push(3), TypeError);
  const mixed = objectOf([["a", listOf([moving, constant(1)])], ["__proto__", constant(1)]]);
  assert.equal(mixed.constant, false);
  const made = mixed.evaluate(scope()) as object;
  assert.deepEqual(Object.entries(made), [["a", ["orders", 1]], ["__proto__", 1]]);
});

Deno.test("a text's length is bounded (V6)", () => {
  const { template } = compileText("${{ params.name }}${{ params.name }}", environment());
  const name = "x".repeat(600_000);
  assert.throws(() => template!.evaluate(scope({}, { name })), (thrown) => {
    return thrown instanceof ExpressionError && thrown.code === "expression.limit";
  });
});

Deno.test("a text without expressions loads no library", async () => {
  // A process of its own: in this one other tests have loaded them.
  const entry = new URL("./template.ts", import.meta.url).href;
  const probe = (text: string) => `
    import { compileText } from ${JSON.stringify(entry)};
    const names = { params: new Map(), env: new Set(), steps: new Set(), otherSteps: new Set(), batch: "none", conditions: false };
    const { createRequire } = await import("node:module");
    const require = createRequire(${JSON.stringify(entry)});
    compileText(${JSON.stringify(text)}, names);
    console.log(Object.keys(require.cache).filter((name) => /cel-js|re2js/.test(name)).length);`;
  const run = async (text: string) => {
    const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-check", probe(text)],
      cwd: new URL("../..", import.meta.url),
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    return Number(new TextDecoder().decode(stdout));
  };
  assert.equal(await run("plain"), 0);
  assert.notEqual(await run("${{ 1 }}"), 0);
});
