import { tmpdir } from "node:os";
import { createEngine } from "../../engine/engine.ts";
import { assertEndedRun } from "./ended_run.ts";
import { alternate, figure, ratios, shown, spread } from "./figures.ts";
import { ndjsonFile } from "./ndjson_file.ts";
import { inProcess, type ProcessResult } from "./process_run.ts";
import type { Measured, Row, Setting } from "./row.ts";
import { fileLoop } from "./workflow_files.ts";

const RATE = 100;
const PEAK_BYTES = 150e6;
const BATCH = 500;
// Flat: the last quarter of the run needs at most so much more than the second.
const GROWTH = 1.1;

/** Rows about a large file: how fast it is read, and whether it stays out of memory. */
export const forEachRows: readonly Row[] = [
  {
    id: "for-each",
    work: "for_each over 1 GB of NDJSON, batch 500, no-op script",
    goal: ">= 100 MB/s, memory flat, <= 150 MB",
    measure: (setting) => measure(setting, "noop"),
  },
  {
    id: "for-each-read",
    work: "same, a script that reads a field of every item",
    goal: "none: for comparison",
    measure: (setting) => measure(setting, "read"),
  },
];

async function measure(setting: Setting, module: "noop" | "read"): Promise<Measured> {
  const { folder, quick } = setting;
  const data = ndjsonFile(quick ? folder : `${tmpdir()}/spanloop-bench`, quick ? 200e3 : 1e9);
  const name = `for_each_${module}`;
  const file = fileLoop(folder, { name, file: data.path, module });
  const store = `sqlite:${folder}/${name}.db`;
  const raw = () => inProcess({ kind: "scan", file: data.path });
  await raw(); // fills the page cache
  const times = await alternate(
    setting.pairs,
    raw,
    () => inProcess({ kind: "workflow", file, store }),
  );
  const engine = await createEngine({ near: file, store });
  try {
    const attempts = Math.ceil(data.items / BATCH);
    for (const { runId } of times.engine) {
      await assertEndedRun(engine, runId!, { steps: 1, attempts, items: data.items });
    }
  } finally {
    await engine.close();
  }
  const rates = (results: readonly ProcessResult[]) =>
    results.map(({ ms }) => data.bytes / 1e3 / ms);
  const rate = spread(rates(times.engine));
  const peak = spread(times.engine.map(({ peakBytes }) => peakBytes / 1e6));
  const growth = spread(times.engine.map(({ residentBytes }) => growthOf(residentBytes)));
  return {
    raw: `${shown(spread(rates(times.raw)))} MB/s`,
    engine: `${shown(rate)} MB/s, ${shown(peak)} MB`,
    ratio: shown(ratios(rates(times.raw), rates(times.engine)), 2),
    ...module === "noop"
      ? {
        met: rate.median >= RATE && peak.max * 1e6 <= PEAK_BYTES && growth.median <= GROWTH,
      }
      : {},
    notes: [
      `${figure(data.items)} lines of ${
        figure(data.bytes / data.items)
      } bytes on average, from the ` +
      `page cache. Resident memory at its quarters: ${
        quarters(times.engine[0].residentBytes).map((bytes) => figure(bytes / 1e6)).join(", ")
      } MB; last over second ${shown(growth, 2)}. Raw: pieces of 1 MiB, finding every line's end.`,
    ],
  };
}

// The median of each quarter of the samples.
function quarters(samples: readonly number[]): number[] {
  return [0, 1, 2, 3].map((i) => {
    const part = samples.slice(samples.length * i / 4, samples.length * (i + 1) / 4);
    return part.length === 0 ? 0 : spread(part).median;
  });
}

function growthOf(samples: readonly number[]): number {
  const [, second, , last] = quarters(samples);
  return second === 0 ? 1 : last / second;
}
