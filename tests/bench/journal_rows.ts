import { DatabaseSync } from "node:sqlite";
import { createEngine, type Engine } from "../../engine/engine.ts";
import { assertEndedRun } from "./ended_run.ts";
import { alternate, figure, ratios, shown, spread } from "./figures.ts";
import { rawTransactionsPerSecond } from "./raw_sqlite.ts";
import type { Measured, Row, Setting } from "./row.ts";
import { scriptChain } from "./workflow_files.ts";

const FULL_RATIO = 0.7;
const NORMAL_RATE = 25_000;

/** Rows about a chain of steps that do nothing: what the journal costs. */
export const journalRows: readonly Row[] = [
  {
    id: "chain-full",
    work: "10,000 no-op in-process steps in a chain, durability full",
    goal: ">= 0.7 of raw synced SQLite transactions/s",
    measure: (setting) => measure(setting, "full"),
  },
  {
    id: "chain-normal",
    work: "same, durability normal",
    goal: ">= 25,000 steps/s",
    measure: (setting) => measure(setting, "normal"),
  },
];

async function measure(setting: Setting, durability: "full" | "normal"): Promise<Measured> {
  const steps = setting.quick ? 20 : 10_000;
  const { folder } = setting;
  const name = `chain_${durability}`;
  const file = scriptChain(folder, { name, steps, module: "noop" });
  const store = `${folder}/${name}.db`;
  const engine = await createEngine({ near: file, store: `sqlite:${store}`, durability });
  try {
    const first = await timedRun(engine, file); // warms up, and reads the file
    const runIds = [first.runId];
    const rowsBytes = meanRowBytes(store);
    const { raw, engine: runs } = await alternate(
      setting.pairs,
      () =>
        rawTransactionsPerSecond({
          transactions: steps,
          rowsBytes,
          synchronous: durability === "full" ? "FULL" : "NORMAL",
          folder,
        }),
      () => timedRun(engine, file),
    );
    runIds.push(...runs.map(({ runId }) => runId));
    for (const runId of runIds) await assertEndedRun(engine, runId, { steps, attempts: steps });
    const rates = runs.map(({ runMs }) => steps / runMs * 1_000);
    const ratio = ratios(raw, rates);
    return {
      raw: `${shown(spread(raw))} transactions/s`,
      engine: `${shown(spread(rates))} steps/s`,
      ratio: shown(ratio, 2),
      met: durability === "full" ? ratio.median >= FULL_RATIO : spread(rates).median >= NORMAL_RATE,
      notes: [
        "Timed from the run's creation to its report. Before that, reading and checking the file " +
        `takes ${figure(first.loadMs)} ms the first time in a process, ` +
        `${shown(spread(runs.map(({ loadMs }) => loadMs)))} ms later. ` +
        `Raw: two rows of ${rowsBytes} bytes a transaction.`,
      ],
    };
  } finally {
    await engine.close();
  }
}

async function timedRun(
  engine: Engine,
  file: string,
): Promise<{ runId: string; loadMs: number; runMs: number }> {
  const from = performance.now();
  let created = from;
  const report = await engine.run(file, {
    onEvent(event) {
      if (event.type === "run") created = performance.now();
    },
  });
  return { runId: report.run_id, loadMs: created - from, runMs: performance.now() - created };
}

/** The mean length of the rows that the engine wrote, its two integer columns included as 8 bytes. */
export function meanRowBytes(store: string): number {
  const db = new DatabaseSync(store, { readOnly: true });
  try {
    const { bytes } = db.prepare("SELECT avg(octet_length(data)) + 8 AS bytes FROM journal")
      .get() as { bytes: number };
    return Math.round(bytes);
  } finally {
    db.close();
  }
}
