import assert from "node:assert/strict";
import { campaign } from "./campaign.ts";

Deno.test("runs come through 100 kills as if undisturbed (J1, J2, J3, R5, R6, S5)", async () => {
  const seed = crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000;
  console.log(`seed ${seed}`);
  const { kills, interrupting } = await campaign({ seed, kills: 100, parallel: 2 });
  console.log(`${kills} kills, ${interrupting} of them interrupted an attempt`);
  assert.ok(kills >= 100);
  assert.ok(interrupting >= kills / 2, "most kills are to hit something");
});
