// The plugin backpressure in real runs: its README's workflow against an HTTP server that saturates.
import assert from "node:assert/strict";
import { join } from "node:path";
import { createEngine, type Engine } from "../../engine/engine.ts";
import { withServer } from "../../plugins/backpressure/_test_saturated.ts";

const FIXED = [1, 3, 6, 12];
const ROUNDS = 5;
const ITEMS = 120;
const SETTLING = 400;

const README = await Deno.readTextFile(
  new URL("../../plugins/backpressure/README.md", import.meta.url),
);

// The README's workflow, with as many items as are asked for and the test's server.
function workflowFor(url: string): string {
  const [, yaml] = README.match(/^```yaml\n([\s\S]*?)^```$/m)!;
  const text = yaml.replace("http://127.0.0.1:8080/", url)
    .replace('list: ["1", "2", "3"]', 'file: "${{ params.items }}.ndjson"')
    .replace("params:\n", "params:\n  items: { type: integer, default: 3 }\n");
  assert.ok(text.includes(url) && text.includes("params.items"), text);
  return text;
}

Deno.test("backpressure settles a running for_each within 10 % of the best fixed concurrency", async () => {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-backpressure-" });
  const file = join(folder, "calls.yaml");
  let engine: Engine | undefined;
  try {
    await withServer(async (url) => {
      await Deno.writeTextFile(file, workflowFor(url));
      for (const items of [SETTLING, ITEMS]) {
        const lines = Array.from({ length: items }, (_, i) => `${i}\n`);
        await Deno.writeTextFile(join(folder, `${items}.ndjson`), lines.join(""));
      }
      engine = await createEngine({
        near: folder,
        store: `sqlite:${folder}/store.db`,
        durability: "normal",
      });
      // Items a second; without a concurrency the plugin's rules.
      const run = async (items: number, concurrency?: number) => {
        const given: Record<string, string> = { items: String(items) };
        if (concurrency !== undefined) given.concurrency = String(concurrency);
        const report = await engine!.run(file, {
          given: { text: given },
        });
        assert.equal(report.status, "succeeded", JSON.stringify(report.error));
        return items / (report.duration_ms! / 1000);
      };
      await run(SETTLING);
      const first = await engine.tuning.history(file, { limit: 100 });
      const applied = first.filter(({ decision }) => decision.outcome === "applied");
      assert.ok(applied.length >= 5, `${applied.length} changes within one run`);
      for (const { proposal } of applied) {
        assert.deepEqual(proposal.author, { kind: "plugin", name: "backpressure" });
        assert.ok(proposal.evidence.length >= 20);
        assert.match(proposal.reason, /^Of \d+ attempts at call with concurrency \d+, .* failed/);
      }
      let share = 0;
      // A busy machine may spoil one comparison, not three.
      for (let tries = 0; tries < 3 && share < 0.9; tries++) {
        const turns = [...FIXED, undefined];
        const rates = turns.map((): number[] => []);
        for (let round = 0; round < ROUNDS; round++) {
          for (let i = 0; i < turns.length; i++) {
            const turn = (i + round) % turns.length;
            rates[turn].push(await run(ITEMS, turns[turn]));
          }
        }
        const medians = rates.map((all) => all.sort((a, b) => a - b)[ROUNDS >> 1]);
        const fixed = medians.slice(0, -1);
        share = medians[FIXED.length] / Math.max(...fixed);
        const told = fixed.map((rate, i) => `${FIXED[i]}: ${rate.toFixed(0)}/s`).join(", ");
        console.log(`${told}; backpressure: ${(share * 100).toFixed(0)} % of the best`);
      }
      assert.ok(share >= 0.9, `${share}`);
    });
  } finally {
    await engine?.close();
    await Deno.remove(folder, { recursive: true });
  }
});
