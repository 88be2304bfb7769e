import assert from "node:assert/strict";
import { seeded } from "../core/seeded_test.ts";
import { batchOf, type Count, independent, minus, NONE, plus } from "./count.ts";

Deno.test("items of a batch fail together where most of them do, else each on its own", () => {
  assert.deepEqual(batchOf(9, 9), { items: 9, failed: 9, together: 81 });
  assert.deepEqual(batchOf(20, 11), { items: 20, failed: 11, together: 121 });
  for (const [items, failed] of [[20, 10], [20, 0], [1, 1], [0, 0]]) {
    assert.deepEqual(batchOf(items, failed), { items, failed });
  }
});

Deno.test("what is added and taken away again leaves what there was", () => {
  const random = seeded("count");
  let sum = NONE;
  const all: Count[] = [];
  for (let i = 0; i < 100; i++) {
    const items = random.below(50);
    all.push(batchOf(items, random.below(items + 1)));
    sum = plus(sum, all[i]);
  }
  for (const count of all.toReversed()) {
    assert.deepEqual(plus(minus(sum, count), count), sum, `seed ${random.seed}`);
    sum = minus(sum, count);
  }
  assert.deepEqual(sum, NONE, `seed ${random.seed}`);
});

Deno.test("batches that fail as a whole are counted in batches, at the same rate", () => {
  const counts = [plus(batchOf(20, 20), { items: 180, failed: 0 }), { items: 200, failed: 0 }];
  assert.deepEqual(independent(counts), [{ items: 10, failed: 1 }, { items: 10, failed: 0 }]);
  const own = [{ items: 200, failed: 7 }];
  assert.equal(independent(own), own);
  assert.deepEqual(independent([]), []);
});
