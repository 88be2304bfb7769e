import assert from "node:assert/strict";
import type { LedgerEntry } from "../core/proposal.ts";
import type { RunTrial } from "../core/report.ts";
import { makeStyle } from "./style.ts";
import { width } from "./text.ts";
import { trialLines } from "./trial_lines.ts";

const plain = makeStyle(false);
const change = { number: 3 } as LedgerEntry;

const SLICED: RunTrial = {
  experiment: "optimizer@import/12/0",
  change,
  arms: [
    {
      arm: "incumbent",
      step: "load",
      values: { batch_size: 78 },
      items: 468,
      of: 20_000,
      slices: 2,
    },
    {
      arm: "candidate",
      step: "load",
      values: { batch_size: 312 },
      items: 1_872,
      of: 20_000,
      slices: 1,
    },
  ],
};

Deno.test("what was tried in a run stands in columns, and in sentences where these are too wide", () => {
  assert.deepEqual(trialLines([SLICED], 80, plain), [
    "",
    "trial of change 3: what was compared",
    "  batch_size 78   what rules     468 of 20,000 items of load, 2.3 %, 2 slices",
    "  batch_size 312  what is tried  1,872 of 20,000 items of load, 9.4 %, 1 slice",
  ]);
  const narrow = trialLines([SLICED], 40, plain);
  assert.deepEqual(narrow.slice(2), [
    "  batch_size 78, what rules: 468 of",
    "    20,000 items of load, 2.3 %, 2",
    "    slices",
    "  batch_size 312, what is tried:",
    "    1,872 of 20,000 items of load,",
    "    9.4 %, 1 slice",
  ]);
  assert.ok(narrow.every((line) => width(line) < 40));
});

Deno.test("what one arm ruled as a whole, and what nothing was tried on yet, is said", () => {
  const of = (arms: RunTrial["arms"]) => trialLines([{ experiment: "x", change, arms }], 80, plain);
  const arm = "candidate";
  const values = { size: 8 };
  assert.deepEqual(of([{ arm, values }]), [
    "",
    "trial of change 3",
    "  size 8  what is tried  the whole run",
  ]);
  assert.deepEqual(
    of([{ arm, values, partly: true }])[2],
    "  size 8  what is tried  the run until the trial ended",
  );
  assert.deepEqual(
    of([{ arm, values, step: "load", items: 5, of: 5 }])[2],
    "  size 8  what is tried  all 5 items of load",
  );
  assert.deepEqual(of([])[2], "  no work of this run has been ruled by it");
});

Deno.test("of a step only what concerns it is shown", () => {
  assert.equal(trialLines([SLICED], 80, plain, "load").length, 4);
  assert.deepEqual(trialLines([SLICED], 80, plain, "report"), []);
});
