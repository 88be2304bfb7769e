import assert from "node:assert/strict";
import { seeded } from "../core/seeded_test.ts";
import { breach, type Standing, stood } from "./standing.ts";

const VALUES = { batch_size: 320 };

function after(batches: readonly (readonly [items: number, failed: number])[]): Standing {
  return batches.reduce<Standing | undefined>(
    (standing, [items, failed]) => stood(standing, VALUES, { items, failed }),
    undefined,
  )!;
}

Deno.test("a rate that stays below its guard is no breach, however long it lasts", () => {
  const random = seeded("standing");
  let standing: Standing | undefined;
  for (let batch = 0; batch < 20_000; batch++) {
    const rate = 0.01 * gamma(random.next);
    let failed = 0;
    for (let item = 0; item < 50; item++) if (random.next() < rate) failed++;
    standing = stood(standing, VALUES, { items: 50, failed });
    assert.equal(breach(standing, 0.02), undefined, `seed ${random.seed}, batch ${batch}`);
  }
});

Deno.test("a rate that breaks its guard is noticed, the sooner the worse it is", () => {
  const calm = Array.from({ length: 200 }, () => [50, 0] as const);
  const noticed = (items: number, failed: number) => {
    const bad: (readonly [number, number])[] = [];
    while (breach(after([...calm, ...bad]), 0.02) === undefined) {
      bad.push([items, failed]);
      assert.ok(bad.length <= 40, `${failed} of ${items}`);
    }
    return bad.length;
  };
  const batches = [[320, 128], [50, 25], [50, 10], [5, 5], [50, 5]] as const;
  assert.deepEqual(batches.map(([items, failed]) => noticed(items, failed)), [1, 1, 2, 10, 4]);
});

Deno.test("what is told is what happened since it began", () => {
  const calm = Array.from({ length: 30 }, () => [50, 0] as const);
  assert.deepEqual(breach(after([...calm, [320, 128]]), 0.02), { items: 320, failed: 128 });
});

Deno.test("other values begin anew", () => {
  const standing = stood(after([[320, 200]]), { batch_size: 80 }, { items: 80, failed: 0 });
  assert.deepEqual(standing.counts, [{ items: 80, failed: 0 }]);
});

Deno.test("few items that fail are no breach yet", () => {
  assert.equal(breach(after([[1, 1]]), 0.02), undefined);
  assert.equal(breach(after([[20, 20]]), 0.02), undefined);
  const lone = [[9, 9], ...Array.from({ length: 30 }, () => [9, 0] as const)] as const;
  for (let i = 1; i < lone.length; i++) {
    assert.equal(breach(after(lone.slice(0, i)), 0.02), undefined, `a batch of nine, and ${i - 1}`);
  }
});

// Mean 1 and variance 1 / 3: a sum of exponentials.
function gamma(next: () => number): number {
  return -(Math.log(1 - next()) + Math.log(1 - next()) + Math.log(1 - next())) / 3;
}
