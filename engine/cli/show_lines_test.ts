import assert from "node:assert/strict";
import { at, attempt, eventful, history, step } from "./_fixture_test.ts";
import { showLines, showStepLines } from "./show_lines.ts";
import { makeStyle } from "./style.ts";
import { width } from "./text.ts";

const plain = makeStyle(false);
const view = { columns: 80, now: at(60_000) };

Deno.test("show draws values, waterfall, critical path, and each failure with inputs and last output", () => {
  const lines = showLines(eventful(), view, plain).map((line) =>
    line.replace(/began {2}\S+ \S+,/, "began DAY,")
  );
  assert.deepEqual(lines, [
    "✗ import-orders failed in 10.5 s",
    "  run    019aa573-1f80-7000-8000-0000deadbeef",
    "  trace  0af7651916cd43dd8448eb211c80319c",
    "  file   /home/me/import.yaml",
    "  began DAY, 1 min ago",
    "",
    "  batch_size  20                  command line",
    "  token       secret (env TOKEN)  environment",
    "",
    "                           ╵0                      ╵5 s",
    "◆✓ count          1.20 s  █████▉",
    "◆✓ load           8.10 s        ███████████████████████████████████████▎",
    " ✓   [0,20)       190 ms        ▊",
    " ✓   [20,40)      190 ms         ▊",
    " ✓   [340,360)    900 ms                        ████▊ slow",
    " ✗   [440,460)    190 ms                             █▎ row 443 is bad",
    "   … 800 items · 40 batches · 1 failed · median 190 ms · p95 190 ms ·",
    "     max 900 ms",
    " ✓ fetch          4.00 s  ███████████████████▌",
    " ✗   try 1        1.00 s  ████▉ 503 from api.example.com",
    " ✓   try 2        2.00 s            █████████▌",
    "◆✗ report         1.15 s  The command ended with exit code 1           █████▉",
    " – publish                skipped: upstream",
    " ✓ clean           10 ms                                                    █",
    "",
    "◆ critical path: count → load → report",
    "",
    "✗ report  The command ended with exit code 1",
    "  inputs",
    "    run: sqlite3 orders.db < top.sql",
    "    env:",
    "      LANG: C",
    "  last output",
    "    │ Error: near line 1",
    "    │ no such table: flights",
  ]);
});

Deno.test("show fits any width, coloured or not", () => {
  for (const columns of [40, 60, 80, 132, 200]) {
    for (const style of [plain, makeStyle(true)]) {
      const lines = showLines(eventful(), { ...view, columns }, style);
      const facts = lines.findIndex((line) => line.includes("╵0"));
      assert.ok(facts > 0);
      const drawn = lines.slice(facts, lines.findIndex((line) => line.includes("critical path")));
      assert.deepEqual(drawn.filter((line) => width(line) >= columns), []);
    }
  }
});

Deno.test("show --step tells everything about each attempt", () => {
  const run = eventful();
  assert.deepEqual(showStepLines(run, run.steps[2], view, plain), [
    "✓ fetch succeeded in 4.00 s",
    "  run    019aa573-1f80-7000-8000-0000deadbeef of import-orders",
    "  type   http",
    "",
    "✗ fetch try 1  failed in 1.00 s  0 µs after the start, span b7ad6b7169203331",
    "  error 503 from api.example.com (http.status, transient)",
    "",
    "✓ fetch try 2  succeeded in 2.00 s  2.00 s after the start, span b7ad6b7169203331",
    "  outputs",
    "    status: 200",
  ]);
});

Deno.test("show of a DAG of thousands keeps to what failed, was slow, or decided the end", () => {
  const steps = Array.from(
    { length: 5_000 },
    (_, i) => step(`s${i}`, i, i + (i === 17 ? 400 : 1), { critical: i === 4_999 }),
  );
  steps[3_000] = step("broken", 3_000, 3_001, {}, {
    status: "failed",
    error: { code: "x", message: "it broke" },
  });
  const lines = showLines(history(steps, 5_000), view, plain);
  assert.ok(lines.length < 80, `${lines.length} lines`);
  const text = lines.join("\n");
  assert.match(text, /^ ✓ s17 /m);
  assert.match(text, /^ ✗ broken /m);
  assert.match(text, /^◆✓ s4999 /m);
  assert.match(text, /and 4,9\d\d more steps that did not fail/);
});

Deno.test("a run that is still under way is drawn up to now", () => {
  const running = step("slow", 0, 0, {
    endTime: undefined,
    attempts: [attempt("slow", 0, 0, { outcome: undefined, endTime: undefined })],
  }, { status: "running" });
  const run = history([running], 0, { status: "running", endedAt: undefined });
  const lines = showLines(run, { ...view, now: at(3_000) }, plain);
  assert.equal(lines[0], "● import-orders running for 3.00 s");
  assert.ok(lines.some((line) => /^ ● slow {3,}3\.00 s {2}█{50,}$/.test(line)), lines.join("\n"));
});
