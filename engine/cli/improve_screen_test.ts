import assert from "node:assert/strict";
import type { ImproveEvent, ImproveReport, MeasuredArm } from "../core/improve.ts";
import type { LedgerEntry } from "../core/proposal.ts";
import type { RunReport } from "../core/report.ts";
import { at, PLAN, START, started } from "./_fixture_test.ts";
import { PlainImprovement } from "./improve_follower.ts";
import { eventJson, reportJson } from "./improve_json.ts";
import { decisionLines } from "./improve_lines.ts";
import { improvedLines, nextSteps } from "./improve_summary.ts";
import { chartLines, improveScreen } from "./improve_screen.ts";
import { Improvement } from "./improvement.ts";
import { arm, entry, eventful, verdict } from "./report/_fixture_test.ts";
import { makeStyle } from "./style.ts";
import { width } from "./text.ts";

const plain = makeStyle(false);
const HOSTILE = "\u001b[31mred\u001b[0m\nsecond \u202eline";

const WORKFLOW = {
  name: "quickstart",
  tune: {
    objective: {
      direction: "minimize",
      expression: { source: "duration / items", regardless: false, evaluate: () => null },
      of: "load",
    },
    guards: [{ metric: "error_rate", of: "load", below: 0.02 }],
    blackout: [],
  },
} as const;

const runReport = (status: RunReport["status"], message?: string): RunReport => ({
  run_id: "r",
  trace_id: "t",
  workflow: "quickstart",
  status,
  duration_ms: 1_500,
  parameters: {},
  steps: [],
  outputs: {},
  error: message === undefined ? null : { code: "shell.exit", message },
});

const measured = (index: number, arms: readonly MeasuredArm[]): ImproveEvent => ({
  type: "measured",
  index,
  measurement: { runId: `run-${index}`, at: START, goal: "minimize duration of load", arms },
});
const decided = (index: number, entry: LedgerEntry): ImproveEvent => ({
  type: "decided",
  index,
  entry,
});

const [testing, kept] = eventful().entries;
const candidate = { arm: "candidate" } as const;
const size = (batch_size: number) => ({ batch_size });

// Three runs have ended, the fourth is under way.
const events: readonly ImproveEvent[] = [
  { type: "started", index: 1 },
  { type: "ended", index: 1, report: runReport("succeeded") },
  measured(1, [arm(size(20), 512e-6)]),
  decided(1, testing),
  { type: "started", index: 2 },
  { type: "ended", index: 2, report: runReport("failed", HOSTILE) },
  measured(2, [arm(size(20), 500e-6), arm(size(80), 160e-6, { ...candidate, failed: 30 })]),
  { type: "started", index: 3 },
  { type: "ended", index: 3, report: runReport("succeeded") },
  measured(3, [arm(size(20), 520e-6), arm(size(80), 150e-6, candidate)]),
  decided(3, kept),
  decided(
    3,
    entry(3, 3, { message: "batch_size 80 → 320: tried on 10 % of the work" }, {
      reason: `it should be faster still: ${HOSTILE}`,
    }),
  ),
  { type: "started", index: 4 },
  {
    type: "run",
    index: 4,
    event: { type: "run", runId: "r", traceId: "t", resumed: false, plan: PLAN },
  },
  { type: "run", index: 4, event: { type: "journal", record: started("load", 9_000, "step") } },
];

function improvement(some = events): Improvement {
  const state = new Improvement(WORKFLOW, 8);
  for (const event of some) state.apply(event, START);
  return state;
}

Deno.test("the screen shows the run, what is tried and why, objective and guard, and verdicts", () => {
  const frame = { now: at(9_000), tick: 0, columns: 80, rows: 24 };
  assert.deepEqual(improveScreen(improvement(), frame, plain), [
    "⠋ quickstart  run 4 of 8  9.00 s  about 15 s left",
    "  ⠋ load       0 µs  0 items",
    "trying batch_size 80 → 320: tried on 10 % of the work",
    "       it should be faster still: red ↵ second line",
    "",
    "duration / items of load, less is better  ● what rules  ○ what is tried",
    "520 µs ┤●  ●  ●",
    "       │",
    "       │",
    "       │",
    "       │",
    "261 µs ┤",
    "       │",
    "       │",
    "       │",
    "150 µs ┤   ○  ○",
    "       └──────▲─────────────────",
    "       │▁  █  ▁",
    "error_rate 0.1 % must stay below 2 %  broken in 1 run",
  ]);
});

Deno.test("why something is tried is whole where there are lines to spare, and cut to two where not", () => {
  const reason = Array.from({ length: 40 }, (_, i) => `reason${i}`).join(" ");
  const state = improvement([
    ...events,
    decided(4, entry(4, 4, { message: "batch_size 80 → 160: tried" }, { reason })),
  ]);
  const drawn = (rows: number) =>
    improveScreen(state, { now: at(9_000), tick: 0, columns: 80, rows }, plain);
  const why = (rows: number) => drawn(rows).filter((line) => line.includes("reason"));
  assert.equal(why(40).map((line) => line.trim()).join(" "), reason);
  assert.equal(why(20).length, 2);
  assert.match(why(20)[1], /…$/);
  const narrow = improveScreen(
    state,
    { now: at(9_000), tick: 0, columns: 28, rows: 60 },
    plain,
  );
  const from = narrow.findIndex((line) => line.startsWith("trying"));
  assert.deepEqual(narrow.slice(from, from + 2), ["trying batch_size 80 → 160:", "       tried"]);
  // Neither chart nor guard makes room for it.
  for (const rows of [20, 22, 24, 40]) {
    assert.ok(drawn(rows).length <= rows);
    assert.match(drawn(rows).at(-1)!, /^error_rate .* must stay below/);
  }
});

Deno.test("a verdict on an earlier trial leaves what is tried now on the screen", () => {
  const trying = (...entries: readonly LedgerEntry[]) =>
    improvement(entries.map((entry) => decided(1, entry))).trying?.number;
  const late = { ...kept, number: 6, answers: 3 };
  assert.equal(trying({ ...testing, number: 5 }, late), 5);
  assert.equal(
    trying({ ...testing, number: 5 }, late, { ...late, number: 7, answers: 5 }),
    undefined,
  );
  const { verdict: _, ...applied } = late;
  assert.equal(trying({ ...testing, number: 5 }, applied), undefined);
});

Deno.test("what stays of the chart is no wider than its terminal, its key below the title if need be", () => {
  for (const columns of [30, 40, 60, 80]) {
    const lines = chartLines(improvement(), columns, 10, plain);
    assert.ok(lines.every((line) => width(line) <= columns), lines.join("\n"));
    assert.ok(lines.some((line) => line.includes("● what rules  ○ what is tried")), `${columns}`);
    assert.match(lines.join(" "), /must stay below 2 %\s+broken in 1 run$/);
  }
});

Deno.test("the screen never leaves its terminal, however small, and tells of a cancellation", () => {
  for (const columns of [10, 20, 30, 44, 60, 80, 200]) {
    for (const rows of [2, 5, 10, 24]) {
      const frame = { now: at(9_000), tick: 0, columns, rows, notice: "cancelling this run" };
      const lines = improveScreen(improvement(), frame, plain);
      assert.ok(lines.length <= rows, `${lines.length} lines in ${rows}`);
      for (const line of lines) assert.ok(width(line) < columns, `${columns}: ${line}`);
    }
  }
  const frame = { now: at(0), tick: 0, columns: 80, rows: 24, notice: "cancelling this run" };
  assert.match(improveScreen(improvement(), frame, plain)[0], /cancelling this run$/);
  assert.deepEqual(improveScreen(new Improvement(WORKFLOW, 8), frame, plain), [
    "⠋ quickstart  8 runs  0 µs  cancelling this run",
  ]);
});

Deno.test("in a pipe each run and each decision is a line, what was measured with its run", () => {
  const lines: string[] = [];
  const follower = new PlainImprovement(improvement([]), (line) => lines.push(line));
  for (const event of events) follower.event(event);
  follower.close();
  assert.deepEqual(lines, [
    "run 1/8 1.50 s: batch_size 20: 512 µs an item, errors 0.1 %",
    "trying: batch_size 20 → 80: tried on 25 % of the work",
    "   why: it should be faster",
    "run 2/8 failed after 1.50 s: red ↵ second line",
    "run 3/8 1.50 s: batch_size 20: 520 µs an item, errors 0.1 %; tried batch_size 80: " +
    "150 µs an item, errors 0.1 %",
    "verdict: batch_size 20 → 80: 3.1x faster per item (95 % 2.6 to 3.9, 8 pairs), errors 0.1 %, kept",
    "trying: batch_size 80 → 320: tried on 10 % of the work",
    "   why: it should be faster still: red ↵ second line",
  ]);
});

const REPORT = {
  workflow: "quickstart",
  runs: 8,
  failed: 1,
  before: { batch_size: 20, codec: "none" },
  after: { batch_size: 320, codec: "none" },
  verdicts: [
    kept,
    entry(6, 7, { outcome: "applied", message: "batch_size 80 → 320: kept" }, {
      verdict: verdict("kept", { ratio: 1.5, low: 1.2, high: 1.9 }),
    }),
  ],
  rollBacks: [],
  measurements: events.flatMap((event) => event.type === "measured" ? [event.measurement] : []),
};
const view = { hints: [], columns: 80, duration: 61_000, cancelled: false, kept: true };

Deno.test("the end says what changed, by which verdicts, what is open and how to take it back", () => {
  const open = entry(7, 8, { message: "codec none → zstd: tried", values: { codec: "zstd" } });
  const typed = (...words: readonly string[]) => `spanloop ${words.join(" ")}`;
  const hints = nextSteps({ ...REPORT, open }, "q.yaml", typed);
  assert.deepEqual(
    improvedLines({ ...REPORT, open }, improvement(), { ...view, hints }, plain),
    [
      "✓ quickstart ran 8 runs in 1 m 01 s, 1 run did not succeed",
      "",
      "  batch_size  20 → 320",
      "",
      "  ▲ batch_size 20 → 80: 3.1x faster per item (95 % 2.6 to 3.9, 8 pairs), errors",
      "    0.1 %, kept",
      "  ▲ batch_size 80 → 320: kept",
      "",
      "  still open: codec none → zstd: tried; the next runs go on with it",
      "",
      "  spanloop params revert q.yaml 6           takes the last change back",
      "  spanloop params set q.yaml batch_size=20  back to the beginning",
      "  spanloop params pin q.yaml                writes the new values into the file",
      "  spanloop params revert q.yaml 7           ends what is open",
      "  spanloop report q.yaml                    shows the evidence",
    ],
  );
});

Deno.test("what a guard took back stands among the verdicts, and the next step takes back what is left", () => {
  const message = "batch_size 320 → 80: errors 9 % of the last 320 items, change 6 is taken back";
  const taken = { outcome: "applied", rule: "guard", message } as const;
  const after = { batch_size: 80, codec: "none" };
  const report = { ...REPORT, after, rollBacks: [entry(8, 9, taken, { answers: 6 })] };
  const lines = improvedLines(report, improvement(), { ...view, columns: 100 }, plain);
  assert.deepEqual(
    lines.filter((line) => /^ {2}[▲▽]/.test(line)).map((line) => line.slice(2, 23)),
    [
      "▲ batch_size 20 → 80:",
      "▲ batch_size 80 → 320",
      "▽ batch_size 320 → 80",
    ],
  );
  const typed = (...words: readonly string[]) => words.join(" ");
  assert.deepEqual(nextSteps(report, "q.yaml", typed)[0], [
    `params revert q.yaml ${kept.number}`,
    "takes it back",
  ]);
  const none = nextSteps({ ...report, verdicts: REPORT.verdicts.slice(1) }, "q.yaml", typed);
  assert.doesNotMatch(none.join("\n"), /params revert/);
});

Deno.test("what was changed without a verdict is taken back by setting what was before", () => {
  const typed = (...words: readonly string[]) => words.join(" ");
  const of = (more: Partial<ImproveReport>) =>
    nextSteps({ ...REPORT, verdicts: [], ...more }, "q.yaml", typed).map(([command]) => command);
  assert.deepEqual(of({}), [
    "params set q.yaml batch_size=20",
    "params pin q.yaml",
    "report q.yaml",
  ]);
  assert.deepEqual(of({ before: { batch_size: null } }), ["params pin q.yaml", "report q.yaml"]);
  assert.deepEqual(of({ after: REPORT.before }), ["report q.yaml"]);
});

Deno.test("where a command and what it does do not fit a line, they stand below each other", () => {
  const hints = [[`spanloop report ${"x".repeat(60)}.yaml`, "shows the evidence"]] as const;
  const lines = improvedLines(REPORT, improvement(), { ...view, hints }, plain);
  assert.deepEqual(lines.slice(-2), ["  # shows the evidence", `  ${hints[0][0]}`]);
});

Deno.test("the gain is told by what was measured with the values of before and after", () => {
  const report = { ...REPORT, after: { batch_size: 80 }, before: { batch_size: 20 } };
  const text = improvedLines(report, improvement(), view, plain).join("\n");
  assert.match(
    text,
    /duration \/ items of load: 512 µs an item → 155 µs an item, 3\.3x better\n {2}\(medians of 3 and 2 runs\)/,
  );
  const maximize = {
    objective: { direction: "maximize", expression: "items", of: "load" },
    recommended: new Set<string>(),
  } as const;
  assert.match(improvedLines(report, maximize, view, plain).join("\n"), /3\.3x worse/);
});

Deno.test("a change whose reason is the change itself is told in one line", () => {
  const message = "The file has changed: the default of n is 2 now";
  const file = entry(7, 8, { outcome: "applied", message });
  const same = { ...file, proposal: { ...file.proposal, reason: message } };
  assert.deepEqual(decisionLines(same), [`changed: ${message}`]);
  assert.equal(decisionLines(file).length, 2);
});

Deno.test("what a person has to have a say in is gone on with by improve alone (A4)", () => {
  const open = entry(7, 8, { message: "codec none → zstd: tried", values: { codec: "zstd" } });
  const end = (name: string) => {
    const state = { objective: improvement().objective, recommended: new Set([name]) };
    return improvedLines({ ...REPORT, open }, state, view, plain).join("\n");
  };
  assert.match(end("codec"), /tried; the next `improve` goes on with it/);
  assert.match(end("batch_size"), /tried; the next runs go on with it/);
});

Deno.test("what is open in memory ends there", () => {
  const open = entry(7, 8, { message: "codec none → zstd: tried", values: { codec: "zstd" } });
  const lines = improvedLines({ ...REPORT, open }, improvement(), { ...view, kept: false }, plain);
  assert.match(lines.join("\n"), /tried; it ends here, with the store in memory\n?/);
  assert.doesNotMatch(lines.join("\n"), /goe?s? on with it/);
});

Deno.test("the head of the end is whole on any terminal", () => {
  for (const columns of [30, 40, 60]) {
    const lines = improvedLines(REPORT, improvement(), { ...view, columns }, plain);
    const head = lines.slice(0, lines.indexOf(""));
    assert.ok(head.every((line) => width(line) < columns), head.join("\n"));
    assert.match(head.map((line) => line.trim()).join(" "), /in 1 m 01 s, 1 run did not succeed$/);
  }
});

Deno.test("of a run that failed last the next step is to see why", () => {
  const typed = (...words: readonly string[]) => words.join(" ");
  const none = { ...REPORT, after: REPORT.before, verdicts: [] };
  const of = (report: ImproveReport, status: RunReport["status"]) =>
    nextSteps(report, "q.yaml", typed, runReport(status)).map(([command]) => command);
  assert.deepEqual(of({ ...none, measurements: [] }, "failed"), ["show r"]);
  assert.deepEqual(of(none, "timed_out"), ["show r", "report q.yaml"]);
  for (const status of ["succeeded", "cancelled"] as const) {
    assert.deepEqual(of(none, status), ["report q.yaml"]);
  }
});

Deno.test("a run that was cancelled with the improvement is not told as one that did not succeed", () => {
  const state = Object.assign(improvement(), { last: runReport("cancelled") });
  const head = (cancelled: boolean) =>
    improvedLines(REPORT, state, { ...view, cancelled }, plain)[0];
  assert.equal(head(true), "⊘ quickstart cancelled after 8 runs in 1 m 01 s");
  assert.match(head(false), /, 1 run did not succeed$/);
});

Deno.test("the end says why nothing was measured, unless no run succeeded", () => {
  const none = { ...REPORT, after: REPORT.before, verdicts: [], measurements: [] };
  const end = (failed: number) =>
    improvedLines({ ...none, failed }, improvement(), view, plain).join("\n");
  assert.match(end(1), /nothing was measured: load was skipped, had no items/);
  assert.doesNotMatch(end(8), /nothing was measured/);
});

Deno.test("the end says so when nothing changed, when it was stopped, and when it was cancelled", () => {
  const none = { ...REPORT, after: REPORT.before, verdicts: [] };
  assert.match(improvedLines(none, improvement(), view, plain).join("\n"), /no value was changed/);
  const stopped = improvedLines({ ...none, stopped: HOSTILE }, improvement(), view, plain);
  assert.match(stopped[0], /^✗ quickstart stopped after 8 runs/);
  assert.equal(stopped[1], "  red ↵ second line");
  const cancelled = improvedLines(none, improvement(), { ...view, cancelled: true }, plain);
  assert.match(cancelled[0], /^⊘ quickstart cancelled after 8 runs/);
});

Deno.test("each event but what goes on within a run is JSON of its own, and so is the report", () => {
  const json = events.map(eventJson);
  assert.deepEqual(
    json.map((one) => one?.event ?? null),
    events.map(({ type }) => type === "run" ? null : type),
  );
  assert.deepEqual(json[2], {
    event: "measured",
    run: 1,
    run_id: "run-1",
    experiment: null,
    arms: [{
      arm: "incumbent",
      values: { batch_size: 20 },
      objective: 512e-6,
      duration_s: 2,
      items: 1_000,
      failed: 1,
    }],
  });
  const report = JSON.parse(JSON.stringify(reportJson(REPORT)));
  assert.deepEqual(report.after, { batch_size: 320, codec: "none" });
  assert.deepEqual(report.verdicts.map(({ change }: { change: number }) => change), [2, 6]);
  assert.deepEqual([report.open, report.stopped], [null, null]);
});
