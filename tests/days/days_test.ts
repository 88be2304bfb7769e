import assert from "node:assert/strict";
import { faults } from "./faults.ts";
import { leaveAlone } from "./loop.ts";

Deno.test("a loop left alone for some days stays in bounds, explains each change and keeps its cooldown", async () => {
  const runsADay = 4;
  const found = await leaveAlone({
    days: 16,
    runsADay,
    onSeed: (seed) => console.log(`seed ${seed}`),
  });
  assert.deepEqual(faults(found, runsADay), []);
  assert.ok(found.entries.some(({ decision }) => decision.outcome === "testing"));
});
