import assert from "node:assert/strict";
import { seeded } from "./seeded_test.ts";
import { matcherOf, matches } from "./wildcard.ts";

Deno.test("a star stands for any characters, everything else for itself", () => {
  for (
    const [pattern, text] of [
      ["", ""],
      ["*", ""],
      ["*", "a.b"],
      ["orders.*", "orders.load"],
      ["*.load", "orders.load"],
      ["o*s*d", "orders.load"],
      ["a*a", "aa"],
      ["*a*", "bab"],
      ["GET /?", "GET /?"],
    ]
  ) {
    assert.ok(matches(pattern, text), `${pattern} ${text}`);
  }
  for (
    const [pattern, text] of [
      ["", "a"],
      ["orders", "orders.load"],
      ["orders.*", "orders"],
      ["a*a", "a"],
      ["a*b", "acbd"],
      ["GET /.", "GET /x"],
    ]
  ) {
    assert.ok(!matches(pattern, text), `${pattern} ${text}`);
  }
});

Deno.test("a pattern of many stars takes no longer for it", () => {
  assert.ok(!matches("*a".repeat(50) + "b", "a".repeat(2_000)));
});

Deno.test("compiled patterns match what the patterns match", () => {
  const random = seeded("wildcard");
  const some = (signs: string) =>
    Array.from({ length: random.below(5) }, () => random.pick([...signs])).join("");
  for (let round = 0; round < 2_000; round++) {
    const patterns = Array.from({ length: random.below(3) }, () => some("ab*"));
    const text = some("ab");
    const expected = patterns.some((pattern) => matches(pattern, text));
    const what = `${JSON.stringify(patterns)} ${text} (seed ${random.seed})`;
    assert.equal(matcherOf(patterns)(text), expected, what);
  }
});
