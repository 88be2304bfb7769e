import { createEngine } from "../../engine/engine.ts";
import { assertEndedRun } from "./ended_run.ts";
import { alternate, ratios, shown, spread } from "./figures.ts";
import type { Measured, Row, Setting } from "./row.ts";
import { shellChain } from "./workflow_files.ts";

const MOST_MS = 150;
const STRETCH_MS = 100;
const ROOT = new URL("../../", import.meta.url);

/** What a person waits for when a workflow does almost nothing. */
export const startRow: Row = {
  id: "start",
  work: "`deno task run` of a one-step workflow, process start to exit, warm",
  goal: "<= 150 ms, 100 as the stretch",
  measure,
};

async function measure(setting: Setting): Promise<Measured> {
  const { folder } = setting;
  // Short enough to be measured more often than the others.
  const pairs = setting.quick ? setting.pairs : setting.pairs * 4;
  const file = shellChain(folder, "one_step", 1);
  const store = `sqlite:${folder}/one_step.db`;
  const empty = `${folder}/empty.ts`;
  Deno.writeTextFileSync(empty, "");
  const raw = () => timedRun(["run", empty]);
  const run = () => timedRun(["task", "run", file, "--store", store]);
  await alternate(2, raw, run); // warms up
  const times = await alternate(pairs, raw, run);
  const engine = await createEngine({ near: file, store });
  try {
    const runs = await engine.runs({ limit: pairs + 3 });
    if (runs.length !== pairs + 2) {
      throw new Error(`${runs.length} runs in the store, not ${pairs + 2}`);
    }
    for (const { runId } of runs) await assertEndedRun(engine, runId, { steps: 1, attempts: 1 });
  } finally {
    await engine.close();
  }
  const whole = spread(times.engine);
  return {
    raw: `${shown(spread(times.raw))} ms`,
    engine: `${shown(whole)} ms`,
    ratio: shown(ratios(times.raw, times.engine), 1),
    met: whole.median <= MOST_MS,
    notes: [
      `Raw: \`deno run\` of an empty module. ${pairs} pairs. The stretch of ${STRETCH_MS} ms is ` +
      `${whole.median <= STRETCH_MS ? "" : "not "}reached.`,
    ],
  };
}

/** Milliseconds that a Deno process with these arguments takes, from its start to its exit. */
export async function timedRun(args: readonly string[]): Promise<number> {
  const from = performance.now();
  const output = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    stdin: "null",
  }).output();
  const ms = performance.now() - from;
  if (!output.success) throw new Error(new TextDecoder().decode(output.stderr));
  return ms;
}
