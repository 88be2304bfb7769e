import assert from "node:assert/strict";
import type { Parameter } from "../core/parameter.ts";
import type { LedgerEntry } from "../core/proposal.ts";
import type { ParameterState } from "../core/tuning.ts";
import { explainLines, historyLines, listLines } from "./params_lines.ts";
import { makeStyle } from "./style.ts";
import { width } from "./text.ts";

const NOW = 1_795_251_600_000_000_000n;
const plain = makeStyle(false);

const SENTENCE =
  "batch_size 160 → 640: 1.8x faster per item (95 % 1.6 to 2.0, 14 pairs), errors 0.1 %, kept";
const REASON = "It may be up to 12 times as good by duration / items of load; 3 runs were measured";

function entry(number: number, message: string): LedgerEntry {
  return {
    number,
    proposal: {
      id: `p${number}`,
      workflow: "import",
      author: { kind: "plugin", name: "optimizer" },
      changes: { batch_size: 640 },
      reason: REASON,
      evidence: [{ traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" }],
      version: 0,
      at: NOW - 60_000_000_000n,
    },
    decision: {
      outcome: "applied",
      rule: "verdict",
      message,
      values: { batch_size: 640 },
      clamped: [],
    },
    before: { batch_size: 160 },
  };
}

const parameter: Parameter = {
  name: "batch_size",
  type: "integer",
  default: 20,
  tune: { min: 1, max: 5_000, scale: "log", maxStep: { factor: 4 }, apply: "live", mode: "auto" },
} as Parameter;

const state: ParameterState = {
  parameter,
  value: 640,
  source: "tuned",
  frozen: true,
  change: entry(12, SENTENCE),
};

const joined = (lines: readonly string[]) => lines.join(" ").replace(/\s+/g, " ");

for (const columns of [40, 60, 80, 120]) {
  Deno.test(`sentences are whole at ${columns} columns`, () => {
    const view = { now: NOW, columns };
    const entries = [entry(12, SENTENCE), entry(11, "batch_size 20 → 160: tried")];
    const tuned = {
      workflow: "import",
      version: 12,
      parameters: [state],
      held: [entry(13, SENTENCE)],
      tested: entry(14, SENTENCE),
    };
    for (const style of [plain, makeStyle(true)]) {
      const history = historyLines(entries, view, style);
      const explained = explainLines(state, entries, view, style);
      const listed = listLines(tuned, "f", view, style);
      for (const line of [...history, ...explained, ...listed]) {
        assert.ok(width(line) <= columns, `${width(line)} columns: ${line}`);
      }
    }
    const once = joined(historyLines(entries, view, plain));
    assert.equal(once.split("kept").length, 2, once);
    if (columns < 120) assert.match(once, /^change 12 of the plugin optimizer, 1 min/);
    for (const words of ["errors 0.1 %, kept", "160: tried"]) assert.ok(once.includes(words), once);
    assert.ok(joined(explainLines(state, [], view, plain)).includes(`why: ${REASON}`));
    const listed = joined(listLines(tuned, "f", view, plain));
    assert.equal(listed.split(SENTENCE).length, 3, listed);
    assert.match(listed, /1 to 5000, at most 4x at once,? .*auto/);
    assert.match(listed, /frozen, change 12/);
  });
}

Deno.test("a command is one line, to be copied, and what is said of it below where it has no room", () => {
  const tuned = { workflow: "import", version: 1, parameters: [state], held: [entry(13, "")] };
  const last = (columns: number) =>
    listLines(tuned, "flows/import.yaml", { now: NOW, columns }, plain).slice(-2);
  assert.deepEqual(last(40), ["  spanloop params accept flows/import.yaml 13", "  (or reject)"]);
  assert.equal(last(80)[1], "  spanloop params accept flows/import.yaml 13   (or reject)");
});

Deno.test("what no terminal reads has one line an entry", () => {
  const [title, ...rows] = historyLines(
    [entry(12, SENTENCE), entry(9, SENTENCE)],
    { now: NOW, columns: Infinity },
    plain,
  );
  assert.equal(
    title,
    "change  when       by                    outcome  rule     what",
  );
  assert.deepEqual(rows, [
    `12      1 min ago  the plugin optimizer  applied  verdict  ${SENTENCE}`,
    `9       1 min ago  the plugin optimizer  applied  verdict  ${SENTENCE}`,
  ]);
});

Deno.test("a sentence stands beside the table where there is room, and goes on below itself", () => {
  const lines = historyLines([entry(12, SENTENCE)], { now: NOW, columns: 110 }, plain);
  assert.deepEqual(lines, [
    "change  when       by                    outcome  rule     what",
    "12      1 min ago  the plugin optimizer  applied  verdict  batch_size 160 → 640: 1.8x faster per item (95 %",
    "                                                           1.6 to 2.0, 14 pairs), errors 0.1 %, kept",
  ]);
});
