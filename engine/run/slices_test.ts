import assert from "node:assert/strict";
import { seeded } from "../core/seeded_test.ts";
import { drawsOf } from "./draw.ts";
import { type ArmSlice, planSlices, type SliceRequest } from "./slices.ts";

const lengthOf = ({ from, to }: ArmSlice) => to - from;
const itemsOf = (slices: readonly ArmSlice[], arm: ArmSlice["arm"]) =>
  slices.filter((slice) => slice.arm === arm).reduce((sum, slice) => sum + lengthOf(slice), 0);

function request(random: ReturnType<typeof seeded>): SliceRequest {
  const scale = () => Math.floor(10 ** (random.next() * random.pick([1, 2, 3, 4])));
  return {
    from: random.pick([0, random.below(1_000)]),
    items: scale() * scale(),
    exposure: random.pick([0.01, 0.1, 0.2, 1 / 3, 0.5, 1, random.next()]),
    waves: { incumbent: scale(), candidate: scale() },
    pair: random.below(5),
    draw: random.next,
  };
}

Deno.test("any plan is of pairs side by side, of as many whole waves, with room before and after (A6)", () => {
  const random = seeded("slices");
  let cut = 0;
  for (let round = 0; round < 20_000; round++) {
    const wanted = request(random);
    const { from, items, exposure, waves, pair } = wanted;
    const slices = planSlices(wanted);
    const what = `round ${round}, seed ${random.seed}: ${JSON.stringify(wanted)}`;
    const left = items - waves.incumbent;
    const few = waves.incumbent > left / 2 || waves.candidate > left / 2;
    assert.equal(slices.length === 0, few, what);
    if (few) continue;
    cut++;
    assert.ok(slices.length % 2 === 0 && slices.length <= 16, what);
    let at = from + waves.incumbent;
    for (let index = 0; index < slices.length; index += 2) {
      const two = slices.slice(index, index + 2);
      assert.ok(two[0].from >= at && two[1].from === two[0].to, `side by side: ${what}`);
      assert.deepEqual(two.map((slice) => slice.pair), Array(2).fill(pair + index / 2), what);
      assert.notEqual(two[0].arm, two[1].arm, what);
      const [one, other] = two.map((slice) => lengthOf(slice) / waves[slice.arm]);
      assert.ok(one >= 1 && Number.isInteger(one), `whole waves: ${what}`);
      assert.equal(one, other, `as many of both arms: ${what}`);
      if (slices.length > 2) assert.ok(one >= 3, `three waves a slice: ${what}`);
      const gap = two[0].from - at;
      assert.ok(gap === 0 || (index > 0 && gap >= waves.incumbent), what);
      at = two[1].to;
    }
    assert.ok(at <= from + items, what);
    const candidate = itemsOf(slices, "candidate");
    const share = Math.min(exposure, 0.5) * items;
    assert.ok(candidate <= Math.max(share, waves.candidate), what);
    assert.ok(candidate <= items / 2, what);
    // As much as the exposure allows, or as there is room for as many waves of the incumbent's.
    const room = left / (waves.incumbent + waves.candidate) * waves.candidate;
    assert.ok(candidate > Math.min(share, room) - waves.candidate, what);
  }
  assert.ok(cut > 5_000, `${cut} plans, seed ${random.seed}`);
});

Deno.test("a long step has eight pairs all over it, and close to the exposure is the candidate's", () => {
  for (const exposure of [0.1, 0.25, 0.5]) {
    const slices = planSlices({
      from: 0,
      items: 100_000,
      exposure,
      waves: { incumbent: 40, candidate: 160 },
      pair: 0,
      draw: drawsOf("x"),
    });
    assert.equal(slices.length, 16);
    const share = itemsOf(slices, "candidate") / 100_000;
    assert.ok(Math.abs(share - exposure) < 0.005, `${share} of ${exposure}`);
    const starts = slices.filter((_, index) => index % 2 === 0).map(({ from }) => from);
    starts.forEach((from, index) => assert.ok(Math.abs(from - index * 12_500) < 500, `${starts}`));
  }
});

Deno.test("which arm is first is drawn by lot: the same for a run, another for the next", () => {
  const plan = (seed: string) =>
    planSlices({
      from: 0,
      items: 10_000,
      exposure: 0.5,
      waves: { incumbent: 10, candidate: 10 },
      pair: 0,
      draw: drawsOf(seed),
    }).filter((_, index) => index % 2 === 0).map(({ arm }) => arm);
  assert.deepEqual(plan("experiment/run/0"), plan("experiment/run/0"));
  let first = 0;
  const orders = new Set<string>();
  const runs = 2_000;
  for (let run = 0; run < runs; run++) {
    const order = plan(`optimizer@w/${run % 7}/0/0190a-${run}/0`);
    first += order.filter((arm) => arm === "candidate").length;
    orders.add(order.join());
  }
  // Six standard deviations of a fair coin.
  assert.ok(Math.abs(first / (8 * runs) - 0.5) < 6 * 0.5 / Math.sqrt(8 * runs), `${first}`);
  assert.equal(orders.size, 256, "every order there is");
});
