import assert from "node:assert/strict";
import { redactor } from "./redact.ts";

Deno.test("denied keys lose their values, whatever they are; others and the given object stay", () => {
  const redact = redactor(["team", "customer.*", "a.b"]);
  const given = { team: "data", "customer.id": 7, "customer.name": ["x"], axb: true, kept: "y" };
  assert.deepEqual(redact(given), {
    team: "[redacted]",
    "customer.id": "[redacted]",
    "customer.name": "[redacted]",
    axb: true,
    kept: "y",
  });
  assert.equal(given.team, "data");
});

Deno.test("`*` alone denies all, and nothing is copied when nothing is denied", () => {
  assert.deepEqual(redactor(["*"])({ a: 1, "b\nc": 2 }), { a: "[redacted]", "b\nc": "[redacted]" });
  const given = { a: 1 };
  assert.equal(redactor(["b"])(given), given);
  assert.equal(redactor([])(given), given);
});
