import assert from "node:assert/strict";
import { barRow, type ChartPoint, logChart } from "./run_chart.ts";
import { makeStyle } from "./style.ts";
import { width } from "./text.ts";

const plain = makeStyle(false);
const label = (value: number) => value.toPrecision(2);
const point = (run: number, value: number, candidate = false): ChartPoint => ({
  run,
  value,
  candidate,
});

Deno.test("a chart has its points on a log scale, arms apart, and marks on the axis", () => {
  const points = [point(1, 100), point(2, 10), point(2, 10, true), point(3, 1, true)];
  const marks = [{ run: 2, sign: "▲" }];
  const chart = logChart(points, marks, { runs: 4, columns: 40, rows: 5, label }, plain);
  assert.deepEqual(chart, {
    lines: [
      "1.0e+2 ┤●",
      "       │",
      "    10 ┤   ◉",
      "       │",
      "   1.0 ┤      ○",
      "       └───▲────────",
    ],
    left: 6,
  });
});

Deno.test("without points there is no chart, and values that have no logarithm are left out", () => {
  const view = { runs: 4, columns: 40, rows: 3, label };
  assert.equal(logChart([], [], view, plain), undefined);
  assert.equal(logChart([point(1, 0), point(2, -1)], [], view, plain), undefined);
  const chart = logChart([point(1, 0), point(2, 5), point(3, 5)], [], view, plain);
  assert.deepEqual(chart?.lines.map((line) => line.replace(/^ *[\d.]* /, "")), [
    "┤",
    "│   ●  ●",
    "┤",
    "└────────────",
  ]);
});

Deno.test("noise does not fill a chart: values close together stay close", () => {
  const points = [1, 1.01, 0.99, 1, 1.02].map((value, i) => point(i + 1, value));
  const chart = logChart(points, [], { runs: 5, columns: 60, rows: 9, label }, plain);
  const filled = chart!.lines.filter((line) => line.includes("●"));
  assert.ok(filled.length <= 2, chart!.lines.join("\n"));
});

Deno.test("a chart keeps to its columns, with more runs than columns too", () => {
  const points = Array.from({ length: 500 }, (_, i) => point(i + 1, 1 + i, i % 2 === 0));
  for (const columns of [12, 20, 40, 80, 200]) {
    for (const runs of [1, 7, 500]) {
      const some = points.slice(0, runs);
      const marks = some.map(({ run }) => ({ run, sign: "▽" }));
      const view = { runs, columns, rows: 4, label };
      const chart = logChart(some, marks, view, plain)!;
      for (const line of chart.lines) assert.ok(width(line) <= columns, `${columns}: ${line}`);
      const bars = new Map(some.map(({ run }) => [run, { share: 0.5, bad: false }]));
      assert.ok(width(barRow(bars, view, chart.left, plain)) <= columns - chart.left - 2);
    }
  }
});

Deno.test("bars grow with their share, and stay within a row", () => {
  const bars = new Map(
    [0, 0.1, 0.5, 1, 7].map((share, i) => [i + 1, { share, bad: share >= 1 }] as const),
  );
  assert.equal(barRow(bars, { runs: 5, columns: 9 }, 2, plain), "▁▁▄██");
});
