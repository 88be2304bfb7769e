import assert from "node:assert/strict";
import { at, attempt, history, step } from "./_fixture_test.ts";
import { compare } from "./comparison.ts";
import { comparisonLines, headline } from "./comparison_lines.ts";
import { makeStyle } from "./style.ts";
import { width } from "./text.ts";

const plain = makeStyle(false);
const critical = true;
const inputs = (database: string) => ({ with: { database, retries: 3 } });

const a = history(
  [
    step("count", 0, 1_200, { critical }),
    step("load", 1_200, 5_000, {
      critical,
      attempts: [attempt("load", 1_200, 5_000, { inputs: inputs("a.db") })],
    }, {
      items: 20_000,
      attempts: 100,
    }),
    step("side", 0, 100),
    step("old", 5_000, 5_100, { critical }),
  ],
  5_110,
  { params: { batch_size: 200 } },
);

const b = history(
  [
    step("count", 0, 1_300, { critical }),
    step("load", 1_300, 8_200, {
      critical,
      attempts: [attempt("load", 1_300, 8_200, { inputs: inputs("b.db") })],
    }, {
      items: 20_000,
      attempts: 1_000,
    }),
    step("side", 0, 3_000),
    step("report", 8_200, 10_100, { critical }),
  ],
  10_110,
  { params: { batch_size: 20 }, modules: { "/home/me/load.ts": "h2" }, definition: "d2" },
);

Deno.test("contributions along the critical paths add up to the difference", () => {
  const comparison = compare(a, b, at(0));
  assert.equal(comparison.change_ms, 5_000);
  const sum = comparison.steps.reduce(
    (total, step) => total + step.contribution_ms,
    comparison.rest_ms,
  );
  assert.ok(Math.abs(sum - comparison.change_ms) < 1e-6);
  const side = comparison.steps.find(({ id }) => id === "side")!;
  assert.equal(side.contribution_ms, 0, "a step off the path slowed nothing down");
  assert.deepEqual(side.critical, [false, false]);
});

Deno.test("diff says where the time went and what was not the same", () => {
  const lines = comparisonLines(
    compare(a, b, at(0)),
    [a, b],
    { columns: 100, now: at(11_000) },
    plain,
  );
  assert.deepEqual(lines, [
    "load: +3.10 s, 62 % of the slowdown; batch_size 200 -> 20",
    "",
    "A deadbeef  import-orders  ✓ succeeded in 5.11 s  11 s ago",
    "B deadbeef  import-orders  ✓ succeeded in 10.1 s  11 s ago",
    "",
    "  step         A       B   change  share",
    "◆ count   1.20 s  1.30 s  +100 ms    2 %",
    "◆ load    3.80 s  6.90 s  +3.10 s   62 %  100 -> 1,000 attempts",
    "  side    100 ms  3.00 s  +2.90 s",
    "◆ report    none  1.90 s            38 %",
    "  old     100 ms    none            -2 %",
    "",
    "◆ critical path of A: count → load → old",
    "◆ critical path of B: count → load → report",
    "",
    "parameters",
    "  batch_size  200 -> 20",
    "",
    "inputs",
    "  load.with.database  a.db -> b.db",
    "",
    "files",
    "  the workflow's own text changed",
    "  /home/me/load.ts changed",
  ]);
});

Deno.test("the headline speaks of a gain, of items, and of runs that took the same time", () => {
  assert.equal(
    headline(compare(b, a, at(0))),
    "load: −3.10 s, 62 % of the gain; batch_size 20 -> 200",
  );
  assert.equal(headline(compare(a, a, at(0))), "A and B took the same time, 5.11 s");
  const more = history([step("load", 0, 2_000, { critical }, { items: 2_000 })], 2_000);
  const less = history([step("load", 0, 1_000, { critical }, { items: 1_000 })], 1_000);
  assert.equal(
    headline(compare(less, more, at(0))),
    "load: +1.00 s, 100 % of the slowdown; 1,000 -> 2,000 items",
  );
  const idle = history([step("load", 0, 1_000, { critical }, { items: 1_000 })], 5_000);
  assert.equal(
    headline(compare(less, idle, at(0))),
    "B took longer: +4.00 s, none of it in a step",
  );
});

Deno.test("equal runs say so, and any width is kept", () => {
  const same = comparisonLines(compare(a, a, at(0)), [a, a], { columns: 100, now: at(0) }, plain);
  assert.equal(same.at(-1), "Parameters, inputs, modules and the workflow's text are the same.");
  for (const columns of [30, 60]) {
    const lines = comparisonLines(
      compare(a, b, at(0)),
      [a, b],
      { columns, now: at(0) },
      makeStyle(true),
    );
    assert.deepEqual(lines.filter((line) => width(line) > columns), []);
  }
});

Deno.test("a value that only changed the order of its keys did not change", () => {
  const one = history([], 0, { params: { o: { x: 1, y: [1, { p: 1, q: 2 }] } } });
  const two = history([], 0, { params: { o: { y: [1, { q: 2, p: 1 }], x: 1 } } });
  assert.deepEqual(compare(one, two, at(0)).parameters, []);
});
