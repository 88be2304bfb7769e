// What the tables of commands look like where a terminal has fewer than 80 columns.
import assert from "node:assert/strict";
import type { PlanReport } from "../core/report.ts";
import type { PluginReport } from "../core/plugin_report.ts";
import { at, history, PLAN, step } from "./_fixture_test.ts";
import { planTree } from "./plan_tree.ts";
import { pluginLines } from "./plugin_lines.ts";
import { runsTable } from "./runs_table.ts";
import { showLines } from "./show_lines.ts";
import { makeStyle } from "./style.ts";
import { width } from "./text.ts";

const plain = makeStyle(false);
const now = at(120_000);

const { summary: RUN } = history([step("load", 0, 214)], 214, {
  workflow: "nightly-import-of-orders",
});
const RUNS = [
  { ...RUN, workflow: "short" },
  { ...RUN, rerun: { runId: "019aa573-1f80-7000-8000-00000000beef", reuse: [] } },
];

const VALUES: Pick<PlanReport, "parameters" | "sources"> = {
  parameters: {
    input_folder_of_orders: "data/landing/orders/2026/11/21/part-0000.ndjson",
    batch_size: 20,
  },
  sources: { input_folder_of_orders: "command line", batch_size: "default" },
};

const WIDE: PlanReport = {
  ...PLAN,
  ...VALUES,
  steps: PLAN.steps.map((step) => ({
    ...step,
    ...step.id === "probe" && {
      id: "ask_the_service_whether_it_is_up",
      description: "Asks before anything else",
    },
  })),
};

const PLUGIN: PluginReport = {
  name: "slow_step",
  workflow: "nightly-import-of-orders",
  version: "1.0.0",
  use: "../plugins/slow_step",
  role: "analyzer",
  state: "set_aside",
  isolation: "sandbox",
  lag: 28,
  handled: 5,
  actions: 0,
  refused: { rate: 3 },
  why: "its configuration does not hold: `step` is missing",
  grant: {
    see: [],
    workflows: [],
    external: false,
    propose: [],
    command: [],
    actions: ["emit"],
    permissions: {},
    rate: 60,
  },
};

// deno-lint-ignore no-control-regex
const bare = (line: string) => line.replace(/\u001b\[\d+m/g, "");

/** What is drawn in so many columns: nothing is cut but values, and no line is broken by the terminal. */
function fits(lines: readonly string[], columns: number): readonly string[] {
  assert.deepEqual(lines.filter((line) => width(line) > columns), []);
  return lines;
}

Deno.test("runs are paragraphs where their table does not fit, and the table where it does", () => {
  const drawn = (columns: number, runs = RUNS) =>
    runsTable(runs, { now, columns, none: "" }, plain);
  assert.deepEqual(fits(drawn(40), 40), [
    "deadbeef short ✓ succeeded, 214 ms,",
    "  2 min ago",
    "deadbeef nightly-import-of-orders",
    "  ✓ succeeded, 214 ms, 2 min ago,",
    "  rerun of 0000beef",
  ]);
  assert.deepEqual(fits(drawn(60), 60), [
    "deadbeef short ✓ succeeded, 214 ms, 2 min ago",
    "deadbeef nightly-import-of-orders ✓ succeeded, 214 ms,",
    "  2 min ago, rerun of 0000beef",
  ]);
  assert.deepEqual(drawn(60, [RUNS[0]]), [
    "run       workflow  status         took  started",
    "deadbeef  short     ✓ succeeded  214 ms  2 min ago",
  ]);
  assert.match(
    drawn(80)[2],
    / {2}✓ succeeded {2}214 ms {2}2 min ago {2}rerun of 00…$/,
    "as it was",
  );
  assert.match(drawn(Infinity)[2], / {2}rerun of 0000beef$/);
});

Deno.test("a plan tells of a step below its name where there is no room beside it", () => {
  assert.deepEqual(fits(planTree(WIDE, 40, plain), 39).slice(0, 20), [
    "import-orders  import.yaml",
    "  input_folder_of_orders",
    "    data/landing/orders/2026/11/21/pa…,",
    "    command line",
    "  batch_size 20, default",
    "",
    "steps",
    "  ┌─● count  shell",
    "  ├─● ask_the_service_whether_it_is_up",
    "  │     http",
    "  │     Asks before anything else",
    "  │",
    "  ●   load  script",
    "  │     needs count",
    "  │     for each file",
    "  │       data/orders.ndjson",
    "  │     if params.batch_size > 0",
    "  │",
    "  ├─● stats  shell",
    "  ├─● top  shell",
  ]);
  assert.ok(planTree(WIDE, 60, plain).includes("  │     for each file data/orders.ndjson"));
  const coloured = planTree(WIDE, 40, makeStyle(true));
  assert.deepEqual(fits(coloured, 39).map(bare), planTree(WIDE, 40, plain));
  assert.deepEqual(planTree(PLAN, 60, plain), planTree(PLAN, 80, plain), "what fits is as it was");
});

Deno.test("plugins are paragraphs where their table does not fit", () => {
  assert.deepEqual(fits(pluginLines([PLUGIN], 40, plain), 40), [
    "slow_step of nightly-import-of-orders:",
    "  set aside, lag 28, handled 5,",
    "  actions 0, in a sandbox, analyzer",
    "  from ../plugins/slow_step, version",
    "    1.0.0",
    "  sees no spans",
    "  may emit spans",
    "  at most 60 actions a minute",
    "  refused 3 (past its rate)",
    "  its configuration does not hold:",
    "    `step` is missing",
  ]);
  assert.deepEqual(fits(pluginLines([PLUGIN], 60, plain), 60).slice(0, 3), [
    "slow_step of nightly-import-of-orders: set aside, lag 28,",
    "  handled 5, actions 0, in a sandbox, analyzer",
    "  from ../plugins/slow_step, version 1.0.0",
  ]);
  assert.deepEqual(pluginLines([PLUGIN], 80, plain), pluginLines([PLUGIN], Infinity, plain));
  assert.match(
    pluginLines([PLUGIN], 80, plain)[1],
    /set aside {3}28 +5 +0 {2}sandbox {2}analyzer$/,
  );
});

Deno.test("show tells values one after the other where their columns do not fit", () => {
  const shown = history([step("load", 0, 214)], 214, {
    params: VALUES.parameters,
    sources: VALUES.sources,
  });
  const values = (columns: number) => {
    const lines = showLines(shown, { columns, now }, plain);
    return lines.slice(lines.indexOf("") + 1, lines.indexOf("", lines.indexOf("") + 1));
  };
  const last = "  batch_size 20, default";
  assert.deepEqual(fits(values(40), 39), [
    "  input_folder_of_orders",
    "    data/landing/orders/2026/11/21/pa…,",
    "    command line",
    last,
  ]);
  assert.deepEqual(fits(values(60), 59), [
    "  input_folder_of_orders",
    "    data/landing/orders/2026/11/21/part-0000.ndjson,",
    "    command line",
    last,
  ]);
  assert.match(values(80)[0], /^ {2}input_folder_of_orders {2}data.*ndjson {2}com…$/, "as it was");
});
