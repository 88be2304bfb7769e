import assert from "node:assert/strict";
import { at, ended, PLAN, START, started } from "./_fixture_test.ts";
import { liveTree } from "./live_tree.ts";
import { PlainLines } from "./plain_lines.ts";
import { Progress } from "./progress.ts";
import { makeStyle } from "./style.ts";
import { width } from "./text.ts";
import type { PlanReport, RunEvent } from "../core/report.ts";
import type { JournalRecord } from "../core/span.ts";

const plain = makeStyle(false);
const failure = {
  code: "http.status",
  message: "503 from \u001b[31mapi\u001b[0m",
  errorClass: "transient",
} as const;
const journal = (record: JournalRecord): RunEvent => ({ type: "journal", record });

function begin(plan: PlanReport = PLAN): Progress {
  const progress = new Progress();
  progress.apply({ type: "run", runId: "r", traceId: "t", resumed: false, plan }, START);
  return progress;
}

// A run in full swing: one step done, one waiting for its next try, a for_each at half.
const swing: readonly (readonly [number, RunEvent])[] = [
  [0, journal(started("count", 0))],
  [0, journal(started("probe", 0))],
  [900, journal(ended("count", 900, "succeeded"))],
  [1_000, journal(ended("probe", 1_000, "failed", { failure, retryAt: at(8_000) }))],
  [1_000, journal(started("load", 1_000, "step"))],
  [1_000, journal(started("load", 1_000))],
  [2_000, { type: "progress", stepId: "load", items: 1_000, failed: 0, share: 0.1 }],
  [6_000, { type: "progress", stepId: "load", items: 5_000, failed: 7, share: 0.5 }],
];

Deno.test("the live tree shows each step with its state, and a for_each with bar, rate and time left", () => {
  const progress = begin();
  for (const [ms, event] of swing) progress.apply(event, at(ms));
  const frame = { now: at(6_000), tick: 0, columns: 80, rows: 24 };
  assert.deepEqual(liveTree(progress, frame, plain), [
    "⠋ import-orders  6.00 s  1/8 steps · 1 running",
    "  ✓ count      900 ms",
    "  ↻ probe      6.00 s  next try in 2 s",
    "  ⠋ load       5.00 s  ━━━━━─────  50 %  5,000 · 1,000/s · 7 failed · 5 s left",
    "  · stats",
    "  · top",
    "  · report",
  ]);
  assert.equal(
    liveTree(progress, { ...frame, notice: "cancelling" }, plain)[0],
    "⠋ import-orders  6.00 s  1/8 steps · 1 running  cancelling",
  );
});

Deno.test("the live tree never leaves its terminal, however small", () => {
  for (const columns of [10, 20, 30, 44, 60, 80, 200]) {
    for (const rows of [2, 5, 10]) {
      const progress = begin();
      for (const [ms, event] of swing) progress.apply(event, at(ms));
      const lines = liveTree(progress, { now: at(6_000), tick: 3, columns, rows }, makeStyle(true));
      assert.ok(lines.length <= rows);
      assert.deepEqual(lines.filter((line) => width(line) >= columns), []);
    }
  }
});

Deno.test("of ten thousand steps those that failed or run are on the screen", () => {
  const steps = Array.from({ length: 10_000 }, (_, i) => ({ ...PLAN.steps[0], id: `s${i}` }));
  const progress = begin({ ...PLAN, steps });
  for (let i = 0; i < 9_000; i++) {
    progress.apply(journal(started(`s${i}`, i)), at(i));
    if (i < 8_995) {
      progress.apply(journal(ended(`s${i}`, i + 1, i === 4_000 ? "failed" : "succeeded")), at(i));
    }
  }
  const lines = liveTree(progress, { now: at(9_000), tick: 0, columns: 80, rows: 23 }, plain);
  assert.equal(lines.length, 23);
  assert.equal(lines[0], "⠋ import-orders  9.00 s  8,994/10,000 steps · 1 failed · 5 running");
  assert.match(lines[1], /^ {2}✗ s4000 /);
  for (let i = 8_995; i < 9_000; i++) assert.ok(lines.some((line) => line.includes(`⠋ s${i} `)));
});

Deno.test("steps of on_failure and finally appear once they begin", () => {
  const progress = begin();
  const frame = { now: at(10), tick: 0, columns: 80, rows: 24 };
  assert.ok(!liveTree(progress, frame, plain).some((line) => line.includes("clean")));
  progress.apply(journal(started("clean", 5)), at(5));
  assert.ok(liveTree(progress, frame, plain).some((line) => line.includes("⠋ clean")));
});

Deno.test("events of a sub-workflow's run do not disturb the tree", () => {
  const progress = begin();
  const other = { ...started("count", 0), runId: "child" };
  assert.equal(progress.apply(journal(other), at(0)), undefined);
  progress.apply({
    type: "run",
    runId: "child",
    traceId: "t",
    resumed: false,
    plan: { ...PLAN, steps: [] },
  }, at(0));
  assert.equal(progress.steps.size, PLAN.steps.length);
  assert.equal(progress.steps.get("count")?.status, "queued");
});

Deno.test("a for_each that began in another process has no rate: its time was not seen", () => {
  const progress = begin();
  const items = { processed: 30, failed: 0 };
  const resumed: readonly (readonly [number, RunEvent])[] = [
    [0, journal(started("load", 0))],
    [500, journal(ended("load", 500, "succeeded"))],
    [500, journal(ended("load", 500, "succeeded", { role: "step", items }))],
  ];
  const lines = new PlainLines(progress);
  const told = resumed.flatMap(([ms, event]) =>
    lines.of(event, progress.apply(event, at(ms)), at(ms))
  );
  assert.deepEqual(told, ["ok load 500 ms, 30 items"]);
});

Deno.test("plain lines tell one thing each", () => {
  const progress = begin();
  const lines = new PlainLines(progress);
  const told: string[] = [];
  const more: readonly (readonly [number, RunEvent])[] = [
    [6_500, {
      type: "line",
      stepId: "load",
      key: "load[0,20)",
      stream: "stdout",
      text: "50%\r\u001b[1mdone",
    }],
    [8_000, journal(started("probe", 8_000))],
    [8_100, journal(ended("probe", 8_100, "failed", { failure }))],
    [12_000, { type: "progress", stepId: "load", items: 6_000, failed: 7, share: 0.6 }],
    [
      12_500,
      journal(
        ended("load", 11_000, "succeeded", {
          role: "step",
          items: { processed: 9_993, failed: 7 },
        }),
      ),
    ],
    [12_500, journal(started("top", 12_000, "skip"))],
    [12_500, journal(ended("top", 12_000, "skipped", { role: "skip" }))],
    [12_500, journal(started("stats", 12_000, "skip"))],
    [12_500, journal(ended("stats", 12_000, "succeeded", { role: "skip", reason: "reuse" }))],
    [12_600, { type: "notice", message: "waiting for group nightly" }],
  ];
  for (const [ms, event] of [...swing, ...more]) {
    told.push(...lines.of(event, progress.apply(event, at(ms)), at(ms)));
  }
  assert.deepEqual(told, [
    "ok count 900 ms",
    "retry probe in 7.00 s: 503 from api",
    "load | done",
    "failed probe 8.10 s, 2 attempts: 503 from api",
    "... load 60 %, 6,000 items, 500/s, 7 failed, 8 s left",
    "ok load 10.0 s, 10,000 items, 1,000/s, 7 failed",
    "skipped top",
    "reused stats",
    "note: waiting for group nightly",
  ]);
});
