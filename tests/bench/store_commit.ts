/**
 * Commits a second of the SQLite driver alone, each an attempt's end and the next one's start, beside raw
 * transactions with rows of the same size: `deno run -A tests/bench/store_commit.ts [FOLDER]`.
 */
import { DatabaseSync } from "node:sqlite";
import type { EndEntry, StartEntry } from "../../engine/core/span.ts";
import { openStore } from "../../engine/store/open.ts";
import { end, newRun, start } from "../contract/store_entries.ts";
import { rawTransactionsPerSecond } from "./raw_sqlite.ts";

const RUN = "0199b0c4-5c1e-7d3a-9a5e-3b1f0f7d2c11";

async function commitsPerSecond(
  durability: "full" | "normal",
  commits: number,
  dir: string,
): Promise<{ rate: number; rowsBytes: number }> {
  const folder = Deno.makeTempDirSync({ dir, prefix: "store-" });
  const store = await openStore(`sqlite:${folder}/store.db`, { durability });
  await store.commit([newRun(RUN)], new Map());
  const fences = new Map([[RUN, 1]]);
  // Made beforehand: making entries is the caller's work.
  const pairs = Array.from({ length: commits }, (_, i): [EndEntry, StartEntry] => [
    end(RUN, `step_${i}`, { outputs: {} }),
    start(RUN, `step_${i + 1}`, { inputs: {} }),
  ]);
  const from = performance.now();
  for (const pair of pairs) await store.commit(pair, fences);
  const rate = commits / (performance.now() - from) * 1000;
  await store.close();
  const db = new DatabaseSync(`${folder}/store.db`);
  const { bytes } = db.prepare("SELECT avg(length(data)) AS bytes FROM journal").get() as {
    bytes: number;
  };
  db.close();
  Deno.removeSync(folder, { recursive: true });
  return { rate, rowsBytes: Math.round(bytes) };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

if (import.meta.main) {
  const folder = Deno.args[0] ?? Deno.makeTempDirSync();
  for (const [durability, commits] of [["full", 8000], ["normal", 20_000]] as const) {
    const rates: number[] = [];
    const raws: number[] = [];
    for (let pair = 0; pair < 5; pair++) {
      const { rate, rowsBytes } = await commitsPerSecond(durability, commits, folder);
      const synchronous = durability === "full" ? "FULL" : "NORMAL";
      rates.push(rate);
      raws.push(
        rawTransactionsPerSecond({ transactions: commits, rowsBytes, synchronous, folder }),
      );
    }
    const ratio = median(rates.map((rate, i) => rate / raws[i]));
    console.log(
      `${durability}: ${Math.round(median(rates))} commits/s, raw ${Math.round(median(raws))}/s, ` +
        `ratio ${ratio.toFixed(2)}, ${(1e6 / median(rates)).toFixed(1)} us a commit`,
    );
  }
}
