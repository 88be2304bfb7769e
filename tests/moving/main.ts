/**
 * `deno task test:moving`: whether the loop follows a world that changes, in real time. The service of
 * workflows/ingest.yaml is tuned; then, in the middle of a run, another tenant takes half of its file descriptors, so that
 * what was best breaks the guard. Prints what happened, and exits 1 unless
 *
 * - the guard is met again within 20 batches of the move, for all the work after them that no candidate ruled;
 * - no candidate that breaks the guard rules anything once its verdict is written down, and none of them is kept;
 * - the loop finds values for the new world that are faster than the file's own.
 *
 * It is no part of `deno task ok`, since it judges speed.
 */
import { join, resolve } from "node:path";
import { createEngine } from "../../engine/engine.ts";
import type { ImproveEvent, LedgerEntry, RunReport } from "../../engine/engine.ts";
import { batchesOf, type Ran } from "./batches.ts";
import { withService } from "./service.ts";

const HERE = resolve(import.meta.dirname!, "../../workflows");
const OPEN_FILES = 128;
const HELD = 64;
const GUARD = 0.02;
const WITHIN = 20;
const DEFAULTS = { batch_size: 2, concurrency: 1 };
const RUNS = { before: 15, after: 20 };

const workflow = (url: string) => `
name: moving
params:
  batch_size: { type: integer, default: 2, tune: { min: 1, max: 1000, scale: log, max_step: 4x, apply: live, mode: auto } }
  concurrency: { type: integer, default: 1, tune: { min: 1, max: 32, scale: log, max_step: 4x, apply: live, mode: auto } }
tune:
  objective: { minimize: "duration / items", of: ingest }
  guards: [{ metric: error_rate, of: ingest, below: ${GUARD} }]
plugins:
  - use: optimizer
steps:
  - id: ingest
    for_each:
      file: flights.ndjson
      batch: \${{ params.batch_size }}
      concurrency: \${{ params.concurrency }}
      on_item_error: continue
    uses: script
    with: { module: ./ingest_flights.ts, url: "${url}" }
    retry: { attempts: 3, backoff: exponential, initial: 100ms, on: [transient] }
`;

async function main(): Promise<boolean> {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-moving-" });
  let passed = true;
  const say = (ok: boolean, text: string) => {
    passed &&= ok;
    console.log(`${ok ? "passed" : "FAILED"}: ${text}`);
  };
  try {
    const lines = (await Deno.readTextFile(join(HERE, "data/flights.ndjson"))).split("\n");
    await Deno.writeTextFile(join(folder, "flights.ndjson"), lines.slice(0, 6_000).join("\n"));
    await Deno.copyFile(join(HERE, "ingest_flights.ts"), join(folder, "ingest_flights.ts"));
    await Deno.writeTextFile(
      join(folder, "deno.json"),
      JSON.stringify({ imports: { spanloop: join(HERE, "../mod.ts") } }),
    );
    const file = join(folder, "moving.yaml");
    await withService(folder, OPEN_FILES, async ({ url, hold }) => {
      await Deno.writeTextFile(file, workflow(url));
      const engine = await createEngine({ near: file });
      const decided: LedgerEntry[] = [];
      let moved = 0n;
      const hear = (move: number | undefined) => (event: ImproveEvent) => {
        if (event.type === "decided") {
          decided.push(event.entry);
          console.log(`  change ${event.entry.number}: ${event.entry.decision.message}`);
        }
        if (event.type === "ended") {
          console.log(`run ${event.index}: ${event.report.duration_ms} ms`);
        }
        const progress = event.type === "run" && event.event.type === "progress";
        if (moved === 0n && progress && event.index === move) {
          moved = BigInt(Date.now()) * 1_000_000n;
          hold(HELD).catch((thrown) => say(false, `the service did not move: ${thrown}`));
        }
      };
      await engine.improve(file, { runs: RUNS.before, onEvent: hear(undefined) });
      console.log(`\nfrom the middle of run 2 on, ${HELD} descriptors fewer\n`);
      const { after } = await engine.improve(file, { runs: RUNS.after, onEvent: hear(2) });
      const ended = BigInt(Date.now()) * 1_000_000n;
      // In turns, so that what else the machine does hits both.
      const [tuned, untuned]: [number[], number[]] = [[], []];
      for (let turn = 0; turn < 3; turn++) {
        tuned.push(await seconds(engine.run(file, { given: { text: texts(after) } })));
        untuned.push(await seconds(engine.run(file, { given: { text: texts(DEFAULTS) } })));
      }
      await engine.close();
      report(await batchesOf(engine.location), moved, ended, decided, say);
      const [now, never] = [tuned, untuned].map((all) => all.sort((a, b) => a - b)[1]);
      console.log(
        `a run takes ${now.toFixed(2)} s with ${JSON.stringify(after)}, ${
          never.toFixed(2)
        } s with ` +
          `${JSON.stringify(DEFAULTS)} (medians of 3)`,
      );
      say(now < never, "what rules at the end is faster than what the file says");
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return passed;
}

async function seconds(run: Promise<RunReport>): Promise<number> {
  return ((await run).steps.find(({ id }) => id === "ingest")?.duration_ms ?? NaN) / 1000;
}

function texts(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

function report(
  ran: readonly Ran[],
  moved: bigint,
  ended: bigint,
  decided: readonly LedgerEntry[],
  say: (ok: boolean, text: string) => void,
): void {
  const share = (batches: readonly Ran[]) => {
    const items = batches.reduce((sum, { items }) => sum + items, 0);
    return items === 0 ? 0 : batches.reduce((sum, { failed }) => sum + failed, 0) / items;
  };
  const later = ran.filter(({ from }) => from > moved);
  // The last six runs had their values given.
  const ruled = later.filter(({ candidate, from }) => candidate === undefined && from < ended);
  const broken = ruled.findLastIndex((_, index) =>
    share(ruled.slice(Math.max(0, index - 9), index + 1)) >= GUARD
  );
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
  console.log(
    `\n${ran.length} batches, ${later.length} of them after the move; refused before it ` +
      `${percent(share(ran.filter(({ to }) => to < moved)))}, in the ${WITHIN} batches after it ` +
      `${percent(share(ruled.slice(0, WITHIN)))}, later ${percent(share(ruled.slice(WITHIN)))}; ` +
      `ten batches in a row last broke the guard at batch ${broken + 1}`,
  );
  say(share(ruled.slice(WITHIN)) < GUARD, `the guard is met from batch ${WITHIN} on`);
  const verdicts = decided.filter(({ verdict }) => verdict !== undefined);
  for (const { proposal, verdict, number } of verdicts) {
    const breached = verdict!.guards.some(({ breached }) => breached);
    if (!breached) continue;
    say(verdict!.action === "rolled_back", `change ${number} broke the guard and was taken back`);
    const arm = ran.filter(({ candidate }) =>
      candidate !== undefined && proposal.id.includes(candidate)
    );
    // What was handed out while the verdict was written down belongs to the same slice.
    const longer = arm.filter(({ from }) => from > proposal.at);
    const most = Math.max(...arm.map(({ concurrency }) => concurrency));
    say(
      longer.length <= most,
      `its candidate ruled ${arm.length} batches, ${longer.length} of them handed out as the ` +
        `verdict was written down (at most ${most} at once)`,
    );
  }
}

if (import.meta.main && !await main()) Deno.exit(1);
