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

Deno.test("any plan is of pairs side by side, in whole waves, with room before and after (A6)", () => {
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
    slices.forEach((slice, index) => {
      assert.equal(slice.from, at, what);
      assert.ok(slice.to > slice.from, what);
      assert.equal(lengthOf(slice) % waves[slice.arm], 0, what);
      assert.equal(slice.pair, pair + (index >> 1), what);
      if (index % 2 === 1) assert.notEqual(slice.arm, slices[index - 1].arm, what);
      at = slice.to;
    });
    assert.ok(at <= from + items, what);
    assert.ok(from + items - at < waves.incumbent + waves.candidate, `nothing is wasted: ${what}`);
    const candidate = itemsOf(slices, "candidate");
    const share = Math.min(exposure, 0.5) * items;
    assert.ok(candidate <= Math.max(share, waves.candidate), what);
    assert.ok(candidate <= items / 2, what);
    // What the incumbent needs beside it comes first.
    const most = left - waves.incumbent;
    assert.ok(candidate > Math.min(share, most) - waves.candidate, what);
    if (slices.length > 2) {
      for (const slice of slices.filter(({ arm }) => arm === "candidate")) {
        assert.ok(lengthOf(slice) >= 3 * waves.candidate, `three waves a slice: ${what}`);
      }
    }
  }
  assert.ok(cut > 5_000, `${cut} plans, seed ${random.seed}`);
});

Deno.test("a long step has eight pairs, and close to the exposure is the candidate's", () => {
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
    // Almost all items are compared.
    assert.ok(itemsOf(slices, "incumbent") / 100_000 > 0.99 - exposure);
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
