import { createEngine } from "../../engine/engine.ts";
import { assertEndedRun } from "./ended_run.ts";
import { alternate, figure, ratios, shown, spread } from "./figures.ts";
import { inProcess } from "./process_run.ts";
import { rawShell } from "./raw_shell.ts";
import type { Measured, Row, Setting } from "./row.ts";
import { shellChain, shellDag, shellFan } from "./workflow_files.ts";

const CHAIN_RATIO = 1.4;
const AT_EIGHT_RATIO = 1.25;
const PEAK_BYTES = 150e6;
const AT_ONCE = 8;

/** Rows about `true` in a shell: what the engine costs beside starting a process. */
export const shellRows: readonly Row[] = [
  {
    id: "shell-chain",
    work: "chain of 200 `true` by shell, full",
    goal: "<= 1.4 x 200 raw Deno.Command",
    measure(setting) {
      const steps = setting.quick ? 5 : 200;
      const file = shellChain(setting.folder, "shell_chain", steps);
      // Short enough to be measured more often than the others.
      const pairs = setting.quick ? setting.pairs : setting.pairs * 4;
      return inThisProcess({ ...setting, pairs }, { file, steps, atOnce: 1, most: CHAIN_RATIO });
    },
  },
  {
    id: "shell-fan",
    work: "1,000 `true` at concurrency 8, full",
    goal: "<= 1.25 x raw at 8",
    measure(setting) {
      const steps = setting.quick ? 10 : 1_000;
      const file = shellFan(setting.folder, "shell_fan", steps);
      return inThisProcess(setting, { file, steps, atOnce: AT_ONCE, most: AT_EIGHT_RATIO });
    },
  },
  {
    id: "dag",
    work: "DAG of 10,000 nodes in 100 layers of 100, two needs each, `true`, at 8",
    goal: "<= 1.25 x the raw loop, <= 150 MB peak",
    measure: measureDag,
  },
];

async function inThisProcess(setting: Setting, options: {
  readonly file: string;
  readonly steps: number;
  readonly atOnce: number;
  readonly most: number;
}): Promise<Measured> {
  const { file, steps, atOnce } = options;
  const store = file.replace(/yaml$/, "db");
  const engine = await createEngine({ near: file, store: `sqlite:${store}`, durability: "full" });
  try {
    const runIds: string[] = [];
    const run = async () => {
      const from = performance.now();
      const report = await engine.run(file);
      runIds.push(report.run_id);
      return performance.now() - from;
    };
    const raw = async () => {
      const from = performance.now();
      await rawShell(steps, atOnce);
      return performance.now() - from;
    };
    await alternate(1, raw, run); // warms up
    const times = await alternate(setting.pairs, raw, run);
    for (const runId of runIds) await assertEndedRun(engine, runId, { steps, attempts: steps });
    const ratio = ratios(times.raw, times.engine);
    return {
      raw: `${shown(spread(times.raw))} ms`,
      engine: `${shown(spread(times.engine))} ms`,
      ratio: shown(ratio, 2),
      met: ratio.median <= options.most,
      notes: [`${setting.pairs} pairs; the whole of engine.run.`],
    };
  } finally {
    await engine.close();
  }
}

async function measureDag(setting: Setting): Promise<Measured> {
  const [layers, width] = setting.quick ? [3, 4] : [100, 100];
  const steps = layers * width;
  const file = shellDag(setting.folder, { name: "dag", layers, width });
  const store = `sqlite:${setting.folder}/dag.db`;
  const { raw, engine: runs } = await alternate(
    setting.pairs,
    () => inProcess({ kind: "shell", count: steps, concurrency: AT_ONCE }),
    () => inProcess({ kind: "workflow", file, store }),
  );
  const engine = await createEngine({ near: file, store });
  try {
    for (const { runId } of runs) await assertEndedRun(engine, runId!, { steps, attempts: steps });
  } finally {
    await engine.close();
  }
  const seconds = (results: typeof raw) => results.map(({ ms }) => ms / 1_000);
  const megabytes = (results: typeof raw) => spread(results.map((one) => one.peakBytes / 1e6));
  const ratio = ratios(seconds(raw), seconds(runs));
  const peak = megabytes(runs);
  return {
    raw: `${shown(spread(seconds(raw)), 2)} s, ${shown(megabytes(raw))} MB`,
    engine: `${shown(spread(seconds(runs)), 2)} s, ${shown(peak)} MB`,
    ratio: shown(ratio, 2),
    met: ratio.median <= AT_EIGHT_RATIO && peak.max * 1e6 <= PEAK_BYTES,
    notes: [
      `Each in a process of its own with the flags of \`deno task run\`; timed from createEngine to ` +
      `the report of ${figure(steps)} steps. MB: the engine process's VmHWM, without the shells.`,
    ],
  };
}
