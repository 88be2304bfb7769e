import { createEngine } from "../../engine/engine.ts";
import { assertEndedRun } from "./ended_run.ts";
import { alternate, ratios, shown, type Spread, spread } from "./figures.ts";
import { meanRowBytes } from "./journal_rows.ts";
import { RawJournal } from "./raw_sqlite.ts";
import type { Measured, Row, Setting } from "./row.ts";
import { scriptChain } from "./workflow_files.ts";

const RATE = 20_000;
const STEPS = 5;

const WAITS = {
  stat: () => Deno.stat("."),
  timer: () => new Promise((resolve) => setTimeout(resolve, 0)),
};

/** Rows about many short runs at once: what sharing commits is worth. */
export const shortRunsRows: readonly Row[] = [
  {
    id: "short-runs",
    work: "1,000 runs of 5 no-op steps that really wait (for `Deno.stat`), 32 at once, full",
    goal: ">= 20,000 steps/s",
    measure: (setting) => measure(setting, "stat"),
  },
  {
    id: "short-runs-timer",
    work: "same, waiting for a timer of 0 ms",
    goal: "none: for comparison",
    measure: (setting) => measure(setting, "timer"),
  },
];

async function measure(setting: Setting, module: keyof typeof WAITS): Promise<Measured> {
  const runs = setting.quick ? 8 : 1_000;
  const atOnce = setting.quick ? 4 : 32;
  const { folder, pairs } = setting;
  const name = `short_runs_${module}`;
  const file = scriptChain(folder, { name, steps: STEPS, module });
  const store = `${folder}/${name}.db`;
  const engine = await createEngine({ near: file, store: `sqlite:${store}`, durability: "full" });
  try {
    const runIds: string[] = [];
    const batch = async () => {
      const from = performance.now();
      await many(runs, atOnce, async () => {
        const report = await engine.run(file);
        runIds.push(report.run_id);
      });
      return runs * STEPS / (performance.now() - from) * 1_000;
    };
    await batch(); // warms up
    const rowsBytes = meanRowBytes(store);
    const { raw, engine: rates } = await alternate(
      pairs,
      () => rawRate({ runs, atOnce, rowsBytes, folder, wait: WAITS[module] }),
      batch,
    );
    for (const runId of runIds) {
      await assertEndedRun(engine, runId, { steps: STEPS, attempts: STEPS });
    }
    const unlimited = await engine.runs({ workflow: name, limit: runIds.length + 1 });
    if (unlimited.length !== runIds.length) {
      throw new Error(`${unlimited.length} runs in the store, not ${runIds.length}`);
    }
    return {
      raw: `${shown(spread(raw))} steps/s`,
      engine: `${shown(spread(rates))} steps/s`,
      ratio: shown(ratios(raw, rates), 2),
      ...module === "stat" ? { met: spread(rates).median >= RATE } : {},
      notes: [
        module === "stat"
          ? `Each run is one call of engine.run. Raw: ${atOnce} loops that wait likewise and then ` +
            "for a synced transaction of two rows a step, shared by all that comes in one turn of " +
            "the event loop."
          : `Deno's shortest timer bounds this: ${atOnce} loops that do nothing but wait for it ` +
            `make ${shown(await timersOnly(setting.pairs, runs, atOnce))} waits/s.`,
      ],
    };
  } finally {
    await engine.close();
  }
}

async function timersOnly(times: number, runs: number, atOnce: number): Promise<Spread> {
  const rates: number[] = [];
  for (let i = 0; i < times; i++) {
    const from = performance.now();
    await many(runs * STEPS, atOnce, async () => void await WAITS.timer());
    rates.push(runs * STEPS / (performance.now() - from) * 1_000);
  }
  return spread(rates);
}

// `count` times, `atOnce` of them under way.
async function many(count: number, atOnce: number, once: () => Promise<void>): Promise<void> {
  let left = count;
  const loop = async () => {
    while (left-- > 0) await once();
  };
  await Promise.all(Array.from({ length: atOnce }, loop));
}

async function rawRate(options: {
  readonly runs: number;
  readonly atOnce: number;
  readonly rowsBytes: number;
  readonly folder: string;
  readonly wait: () => Promise<unknown>;
}): Promise<number> {
  const { runs, atOnce, rowsBytes, folder, wait } = options;
  const journal = new RawJournal({ rowsBytes, folder, synchronous: "FULL" });
  let waiting: (() => void)[] = [];
  const committed = () =>
    new Promise<void>((resolve) => {
      if (waiting.length === 0) {
        setImmediate(() => {
          const group = waiting;
          waiting = [];
          journal.write(2 * group.length);
          for (const done of group) done();
        });
      }
      waiting.push(resolve);
    });
  try {
    const from = performance.now();
    await many(runs, atOnce, async () => {
      for (let i = 0; i < STEPS; i++) {
        await wait();
        await committed();
      }
    });
    return runs * STEPS / (performance.now() - from) * 1_000;
  } finally {
    journal.close();
  }
}
