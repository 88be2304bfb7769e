/**
 * `deno task test:saturation`: whether the plugin backpressure settles within 10 % of the best fixed concurrency, against
 * an HTTP server that saturates: in a loop of its own, and in runs of its README's workflow. Prints the rates, and exits
 * 1 when it does not. It is no part of `deno task ok`, since it judges speed: let the machine do nothing else meanwhile.
 */
import { drive, Loop } from "../../plugins/backpressure/_test_loop.ts";
import { withServer } from "../../plugins/backpressure/_test_saturated.ts";
import { compare, type Compared, tableOf } from "./compare.ts";
import { withWorkflow } from "./workflow.ts";

const LEAST_SHARE = 0.9;
// Items that it settles with before anything is measured.
const SETTLING = 400;

async function loopOnly(url: string): Promise<Compared> {
  const ITEMS = 40;
  const left = (items: number) => (done: number) => items - done;
  const loop = new Loop();
  const tuned = (items: number) =>
    drive(url, left(items), () => loop.value, (attempt) => loop.hear(attempt));
  await tuned(SETTLING);
  const compared = await compare([
    ...[1, 2, 3, 4, 6, 8, 12].map((value) => ({
      name: String(value),
      rate: async () => ITEMS / await drive(url, left(ITEMS), () => value),
    })),
    { name: "backpressure", rate: async () => ITEMS / await tuned(ITEMS) },
  ], 9);
  await loop.close();
  console.log(`concurrency: ${loop.proposals.map(({ changes }) => changes.concurrency).join(" ")}`);
  return compared;
}

async function inRuns(url: string): Promise<Compared> {
  const ITEMS = 120;
  let compared: Compared | undefined;
  await withWorkflow(url, async ({ run }) => {
    await run(SETTLING);
    const rate = async (value?: number) => ITEMS / ((await run(ITEMS, value)).duration_ms! / 1000);
    compared = await compare([
      ...[1, 3, 6, 12].map((value) => ({ name: String(value), rate: () => rate(value) })),
      { name: "backpressure", rate: () => rate() },
    ], 5);
  });
  return compared!;
}

async function main(): Promise<boolean> {
  const [load] = Deno.loadavg();
  if (load > 1) console.log(`The machine is busy (load ${load.toFixed(1)}): this says little.`);
  let passed = true;
  for (const [what, measure] of [["in a loop", loopOnly], ["in runs", inRuns]] as const) {
    await withServer(async (url) => {
      const compared = await measure(url);
      const ok = compared.share >= LEAST_SHARE;
      passed &&= ok;
      console.log(`\nItems a second ${what}, at fixed concurrency and under the plugin:\n`);
      console.log(tableOf(compared));
      console.log(
        `\n${ok ? "passed" : "FAILED"}: ${(100 * compared.share).toFixed(0)} % of the best, at ` +
          `least ${100 * LEAST_SHARE} %`,
      );
    });
  }
  return passed;
}

if (import.meta.main && !await main()) Deno.exit(1);
