import assert from "node:assert/strict";
import { matches } from "./wildcard.ts";

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
