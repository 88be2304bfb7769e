import assert from "node:assert/strict";
import { ExpressionError } from "./error.ts";
import { compileExpression } from "./compile.ts";
import { environment, scope } from "./_fixture_test.ts";
import { matchesPattern, patternProblem } from "./pattern.ts";

Deno.test("matchesPattern() matches the whole text", () => {
  assert.equal(matchesPattern("[a-z]+", "abc"), true);
  assert.equal(matchesPattern("[a-z]+", "abc1"), false);
  assert.equal(matchesPattern("a|b", "b"), true);
  assert.equal(matchesPattern("\\p{L}+", "\u00e9t\u00e9"), true);
});

Deno.test("patternProblem() says what is wrong, back-references and look-around included", () => {
  assert.equal(patternProblem("^a+$"), undefined);
  for (const pattern of ["[", "(", "a{2,1}", "(a)\\1", "(?=a)", "a".repeat(1_025)]) {
    assert.match(patternProblem(pattern) ?? "", /regular expression/, pattern);
    assert.throws(() => matchesPattern(pattern, "a"), ExpressionError);
  }
});

Deno.test("a pattern in an expression is checked where it stands (V6)", () => {
  for (const text of ["params.name.matches('a[')", "matches(params.name, 'a[')"]) {
    const [{ from, to, code }] = compileExpression(text, environment()).problems;
    assert.deepEqual([text.slice(from, to), code], ["'a['", "bad-pattern"]);
  }
  const { expression } = compileExpression("params.name.matches(params.mode)", environment());
  assert.equal(expression!.evaluate(scope({}, { mode: "^or" })), true);
  assert.throws(() => expression!.evaluate(scope({}, { mode: "[" })), ExpressionError);
});

Deno.test("a pattern that makes a backtracking engine explode ends at once (V6)", () => {
  // 2^5,000 ways to match: only an engine of linear time comes back at all.
  assert.equal(matchesPattern("(a+)+b", "a".repeat(5_000)), false);
});
