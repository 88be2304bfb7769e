import assert from "node:assert/strict";
import { compileExpression } from "./compile.ts";
import { ExpressionError } from "./error.ts";
import { environment, scope } from "./_fixture_test.ts";

function refused(text: string): string {
  const { expression, problems } = compileExpression(text, environment());
  assert.equal(expression, undefined);
  assert.equal(problems.length, 1);
  assert(problems[0].to <= text.length);
  return problems[0].code;
}

Deno.test("size, depth and nesting of macros are refused when compiling (V6)", () => {
  assert.equal(refused(`'${"x".repeat(8_192)}'`), "expression-too-large");
  assert.equal(refused(`${"(".repeat(70)}1${")".repeat(70)}`), "expression-too-deep");
  assert.equal(refused(`${"[".repeat(4_000)}1${"]".repeat(4_000)}`), "expression-too-deep");
  assert.equal(refused("!".repeat(8_000) + "true"), "expression-too-deep");
  assert.equal(refused("-".repeat(8_000) + "params.ratio"), "expression-too-deep");
  assert.equal(refused(Array(300).fill("1").join("+")), "expression-too-deep");
  assert.equal(refused("params.object" + ".a".repeat(300)), "expression-too-deep");
  assert.equal(refused(`[${Array(1_001).fill("1").join(",")}]`), "expression-too-deep");
  assert.equal(
    refused("params.list.map(a, params.list.map(b, params.list.all(c, c > 0)))"),
    "macro-nesting",
  );
  assert.deepEqual(
    compileExpression(Array(200).fill("true").join("&&"), environment()).problems,
    [],
  );
});

Deno.test("evaluation cannot run away (V6)", () => {
  const long = Array.from({ length: 5_000 }, (_, i) => i);
  const text = "x".repeat(600_000);
  const ones = `[${Array(400).fill("1").join(",")}]`;
  const cases: readonly string[] = [
    "params.list.map(x, params.list.map(y, x * y))",
    "params.list.all(x, params.list.all(y, x == y || true))",
    "params.list.exists(x, params.list.exists(y, [x] == params.list))",
    "params.list.all(x, params.list + params.list != [])",
    "params.list.all(x, !(-1 in params.list))",
    "params.name + params.name",
    "params.name.replace('x', 'yy')",
    "params.name.replace('', params.name)",
    "[params.name, params.name].join()",
    "params.list.all(x, params.name.contains('y') || true)",
    "params.list.all(x, params.name.matches('y') || true)",
    "params.name.matches('(.*y){50}')",
    "params.list.all(x, json(params.mode).size() > 0)",
    "params.list.all(x, toJson(params.list).size() > 0)",
    `${ones}.map(x, params.name)`,
    `toJson(${ones}.map(x, params.list))`,
  ];
  for (const source of cases) {
    const { expression, problems } = compileExpression(source, environment());
    assert.deepEqual(problems, [], source);
    const at = scope({}, { list: long, name: text, mode: JSON.stringify(long) });
    assert.throws(() => expression!.evaluate(at), (thrown) => {
      assert(thrown instanceof ExpressionError, `${source}: ${thrown}`);
      assert.equal(thrown.code, "expression.limit", `${source}: ${thrown.message}`);
      return true;
    });
  }
});

Deno.test("a limit is not absorbed by || or exists()", () => {
  const source = "params.list.all(x, params.list.all(y, x == y || true)) || true";
  const { expression } = compileExpression(source, environment());
  const list = Array.from({ length: 5_000 }, (_, i) => i);
  assert.throws(() => expression!.evaluate(scope({}, { list })), /does too much work/);
});

Deno.test("each evaluation starts with its whole allowance", () => {
  const { expression } = compileExpression("params.list.filter(x, x % 2 == 0)", environment());
  const list = Array.from({ length: 300_000 }, (_, i) => i);
  for (let i = 0; i < 3; i++) {
    assert.equal((expression!.evaluate(scope({}, { list })) as number[]).length, 150_000);
  }
});

Deno.test("values nested thousands of levels deep end in a sentence", () => {
  const name = "[".repeat(100_000) + "]".repeat(100_000);
  const { expression } = compileExpression("[json(params.name)]", environment());
  assert.throws(() => expression!.evaluate(scope({}, { name })), ExpressionError);
});
