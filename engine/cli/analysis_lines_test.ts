import assert from "node:assert/strict";
import type { Analysis, StepAnalysis } from "../core/analysis.ts";
import { analysisLines } from "./analysis_lines.ts";
import { sparkline } from "./sparkline.ts";
import { makeStyle } from "./style.ts";
import { width } from "./text.ts";

const NOW = 1_795_251_600_000_000_000n;
const rate = { rate: 0.125, low: 0.09, high: 0.17, of: 400 };
const durations = { mean: 0.4, p50: 0.3, p95: 1.2, p99: 2.5 };

function step(id: string, more: Partial<StepAnalysis> = {}): StepAnalysis {
  return {
    step: id,
    runs: 30,
    attempts: 90,
    unit: "item",
    throughput: 1_234,
    cost: 0.0021,
    durations,
    errors: rate,
    retries: 0.05,
    wait: 0.001,
    path: 0.8,
    trend: { factor: 1.5, chance: 0.0001 },
    recent: [1, 2, null, 4],
    ...more,
  };
}

const parts = (["success", "errors", "speed", "waiting"] as const).map((part) => ({
  part,
  score: 90,
  weight: 0.25,
  message: `${part} is well`,
}));

const ANALYSIS: Analysis = {
  health: 90,
  workflows: [{
    workflow: "import-\u001b[31morders",
    runs: 30,
    since: 1_795_248_000,
    until: 1_795_251_600,
    success: { ...rate, rate: 1 },
    durations,
    queue: 2,
    health: { score: 90, parts },
    recent: [1, 2, 3],
    steps: [step("load"), step("tell", { unit: "attempt", recent: [1, 1, 1] })],
    standing: [{
      name: "finding.error_rate",
      step: "load",
      at: 1_795_251_540,
      run: "r2",
      state: "begun",
      message: "load: 12.5 % of 400 items failed",
    }],
    findings: [
      { name: "finding.slow", at: 1_795_248_000, run: "r1", state: "begun", message: "was slow" },
      { name: "finding.slow", at: 1_795_249_800, run: "r1", state: "over", message: "slow again" },
      { name: "finding.change_point", at: 1_795_251_000, run: "r2", message: "costs twice" },
    ],
  }],
};

const lines = (columns: number) => analysisLines(ANALYSIS, { columns, now: NOW }, makeStyle(false));

Deno.test("an analysis is told in lines", () => {
  const text = lines(Infinity).join("\n");
  assert.match(text, /^import-orders {2}health 90 of 100\n/);
  assert.match(text, /\n {2}speed {5}90 × 0.25 {2}speed is well\n/);
  assert.match(text, /30 runs in 1 h 00 m, 100 % succeeded .* waits\s+2.0*\s+s\s+before/s);
  assert.match(text, /\n {2}step .*path .*cost .*last runs .*trend .*p50 .*errors .*wait\n/);
  assert.match(
    text,
    /\n {2}load .*80 %.*2.1\d* ms\/item.*▁▃ █.*\+50 %.*1,234 items\/s.*13 % \(9.0 to 17\)/,
  );
  assert.match(text, /● error rate, since 1 min ago\n {4}load: 12.5 %/);
  assert.match(text, /◆ change point, 10 min ago\n {4}costs twice\n {2}○ slow, over 30 min ago/);
  assert.ok(!text.includes("was slow"), "what is over is told once");
});

Deno.test("columns that have no room are left out, and no line is too long", () => {
  for (const columns of [40, 60, 80, 100, 120]) {
    const shown = lines(columns);
    for (const line of shown) assert.ok(width(line) <= columns, `${columns}: ${line}`);
    const head = shown.find((line) => line.includes("step  "))!;
    assert.equal(/\berrors\b/.test(head), columns >= 60, `${columns}: ${head}`);
  }
});

Deno.test("why health is what it is stands there in whole", () => {
  const message = "prepare costs 1.3 times as much as usual, and more than ever before";
  const [one] = ANALYSIS.workflows;
  const health = { score: 76, parts: parts.map((part) => ({ ...part, message })) };
  const analysis = { ...ANALYSIS, workflows: [{ ...one, health }] };
  const shown = analysisLines(analysis, { columns: 40, now: NOW }, makeStyle(false));
  const text = shown.map((line) => line.trim()).join(" ");
  assert.equal(text.split(message).length, 1 + parts.length, text);
  assert.ok(shown.every((line) => width(line) <= 40));
});

Deno.test("a sparkline goes from the least to the greatest value, with gaps", () => {
  assert.equal(sparkline([1, 2, null, 4], 10), "▁▃ █");
  assert.equal(sparkline([5, 5, 5.01], 10), "▄▄▄");
  assert.equal(sparkline([9, 1, 2, 3], 3), "▁▅█");
  assert.equal(sparkline([], 5), "");
  assert.equal(sparkline([null], 5), " ");
});
