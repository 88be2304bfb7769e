import assert from "node:assert/strict";
import { at, attempt, history, step } from "./_fixture_test.ts";
import { makeStyle } from "./style.ts";
import { axis, bar, quantile, waterfall } from "./waterfall.ts";
import { width } from "./text.ts";

Deno.test("bar() is exact to an eighth of a column and never invisible", () => {
  assert.equal(bar(0, 1, 8), "████████");
  assert.equal(bar(0.5, 1, 8), "    ████");
  assert.equal(bar(0, 0.5 / 8, 8), "▌");
  assert.equal(bar(0.25, 0.25, 8), "  ▏");
  assert.equal(bar(1, 1, 8), "       █");
  for (let i = 0; i <= 100; i++) {
    for (const columns of [10, 33, 80]) {
      assert.ok(width(bar(i / 100, 1, columns)) <= columns);
      assert.ok(width(bar(0, i / 100, columns)) <= columns);
    }
  }
});

Deno.test("axis() has round times at their places", () => {
  assert.equal(axis(10, 60), "╵0          ╵2 ms       ╵4 ms       ╵6 ms       ╵8 ms");
  assert.equal(axis(90_000, 45), "╵0             ╵30 s          ╵1 min");
  assert.match(axis(7 * 3_600_000, 100), /^╵0 +╵1 h +╵2 h/);
  assert.match(axis(0.02, 60), /^╵0 +╵5 µs/);
  for (const total of [0.001, 1, 999, 59_000, 61_000, 1e7, 1e9, 1e11]) {
    for (const columns of [10, 20, 60, 180]) assert.ok(width(axis(total, columns)) <= columns);
  }
});

Deno.test("quantile() is by nearest rank", () => {
  assert.equal(quantile([], 0.5), 0);
  assert.equal(quantile([1, 2, 3, 4], 0.5), 2);
  assert.equal(quantile([1, 2, 3, 4], 0.95), 4);
});

Deno.test("attempts that a kill interrupted are counted apart from those that failed", () => {
  const attempts = Array.from({ length: 10 }, (_, i) => {
    const range = { from: i, to: i + 1 };
    return attempt(`load[${i},${i + 1})`, i * 10, i * 10 + (i === 4 ? 60 : 10), {
      range,
      ...i === 4 || i === 5 ? { outcome: "interrupted" } : i === 8 ? { outcome: "failed" } : {},
    });
  });
  const run = history([step("load", 0, 100, { attempts })], 100);
  const lines = waterfall(run, { columns: 100, now: at(100) }, makeStyle(false));
  assert.match(
    lines.at(-1) ?? "",
    /10 batches · 1 failed · 2 interrupted · median 10 ms .* max 10 ms$/,
  );
  assert.ok(!lines.join("\n").includes("slow"));
});

Deno.test("a step that failed without an attempt says why and has no bar", () => {
  const error = { code: "expression.value", message: "int() cannot read x" };
  const run = history([
    step("a", 0, 100),
    step("b", 100, 100, { attempts: [] }, { status: "failed", attempts: 0, reason: "if", error }),
  ], 100);
  const lines = waterfall(run, { columns: 60, now: at(100) }, makeStyle(false));
  assert.equal(lines.at(-1), " ✗ b            int() cannot read x");
});
