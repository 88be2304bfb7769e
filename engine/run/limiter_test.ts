import assert from "node:assert/strict";
import { Limiter } from "./limiter.ts";

Deno.test("a bound that grows or shrinks acts on what has no slot yet, first come, first served (A1, F1)", async () => {
  let limit = 1;
  const limiter = new Limiter(() => limit);
  const begun: string[] = [];
  const begin = (name: string) => {
    const slot = limiter.acquire();
    if (slot === undefined) begun.push(name);
    else slot.then(() => begun.push(name));
  };
  for (const name of ["a", "b", "c", "d", "e"]) begin(name);
  limiter.refill();
  await Promise.resolve();
  assert.deepEqual(begun, ["a"], "the bound is as it was");
  limit = 3;
  limiter.refill();
  await Promise.resolve();
  assert.deepEqual(begun, ["a", "b", "c"]);
  limit = 1;
  for (const _ of [1, 2]) limiter.release();
  await Promise.resolve();
  assert.deepEqual(begun, ["a", "b", "c"], "one that runs is all there may be now");
  limiter.release();
  await Promise.resolve();
  assert.deepEqual(begun, ["a", "b", "c", "d"]);
  assert.equal(limiter.waiting, 1);
});
