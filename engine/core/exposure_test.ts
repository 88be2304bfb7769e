import assert from "node:assert/strict";
import { blockLength, blockOf, exposureIn } from "./exposure.ts";

Deno.test("a candidate's share of a run doubles from run to run, up to a half", () => {
  const shares = [0, 1, 2, 3, 4, 1_000].map((index) => exposureIn({ exposure: 0.05 }, index));
  assert.deepEqual(shares, [0.05, 0.1, 0.2, 0.4, 0.5, 0.5]);
  assert.equal(exposureIn({ exposure: 0.5 }, 0), 0.5);
});

Deno.test("blocks of whole runs get shorter, and each run is in one of them", () => {
  for (const exposure of [0.01, 0.05, 0.1, 0.25, 0.3, 0.5]) {
    const runs = new Map<number, number[]>();
    for (let index = 0; index < 60; index++) {
      const { block, place, length } = blockOf({ exposure }, index);
      assert.equal(length, blockLength({ exposure }, block));
      const places = runs.get(block) ?? [];
      runs.set(block, [...places, place]);
    }
    const blocks = [...runs];
    assert.deepEqual(blocks.map(([block]) => block), blocks.map((_, i) => i));
    for (const [block, places] of blocks.slice(0, -1)) {
      assert.deepEqual(places, places.map((_, i) => i));
      assert.equal(places.length, blockLength({ exposure }, block));
    }
  }
  const lengths = [0, 1, 2, 3, 4, 5].map((block) => blockLength({ exposure: 0.1 }, block));
  assert.deepEqual(lengths, [10, 5, 3, 2, 2, 2]);
});
