import assert from "node:assert/strict";
import { campaign, type Rates } from "./campaign.ts";
import { missed } from "./coverage.ts";
import { NULL, type Truth } from "./experiment.ts";
import { NULLS, POWERS } from "./truths.ts";

// A tenth of what `deno task test:sequential` runs: bounds have room for its chance.
const EXPERIMENTS = 200;
const SEED = 20;

function rates(truth: Truth): Rates {
  const found = campaign(truth, EXPERIMENTS, SEED);
  console.log(`seed ${SEED}, ${EXPERIMENTS} experiments: ${JSON.stringify(found)}`);
  return found;
}

for (
  const name of [
    "split",
    "split, a tenth of the items",
    "whole runs, worst noise",
    "whole batches of 20, at the guard",
  ]
) {
  Deno.test(`where nothing is better, verdicts are rarely wrong: ${name}`, () => {
    const { improved, regressed, covered } = rates(NULLS[name]);
    assert.ok(improved <= 0.05, `improved ${improved}`);
    assert.ok(regressed <= 0.05, `regressed ${regressed}`);
    assert.ok(covered >= 0.93, `covered ${covered}`);
  });
}

Deno.test("an interval is right at all of its looks together, as often as it says", () => {
  const share = missed(NULLS["split"], 5 * EXPERIMENTS, SEED);
  console.log(`seed ${SEED}, ${5 * EXPERIMENTS} experiments: missed ${share}`);
  assert.ok(share <= 0.06);
});

Deno.test("a drift that both arms share is no effect of the candidate", () => {
  const { improved, regressed } = rates(NULLS["split, drifting"]);
  assert.ok(improved <= 0.05 && regressed <= 0.05);
});

Deno.test("gains are found as soon as they can be", () => {
  for (
    const [name, most] of [["10 % better", 31], ["20 % better", 11], ["40 % better", 5]] as const
  ) {
    const { pairsToImproved } = rates(POWERS[name]);
    assert.ok(pairsToImproved <= most, `${name} after ${pairsToImproved} pairs`);
  }
});

Deno.test("nothing goes on for long that comes to nothing", () => {
  assert.ok(rates(NULL).pairs <= 16);
});

Deno.test("a rate of five times the guard is noticed within a few batches", () => {
  for (const size of [20, 50, 100]) {
    const { guard, itemsToGuard } = rates(POWERS[`10 % errors, batches of ${size}`]);
    assert.ok(guard >= 0.98);
    assert.ok(itemsToGuard <= Math.max(160, 3 * size), `after ${itemsToGuard} items`);
  }
});

Deno.test("a better candidate that breaks its guard by half is not kept", () => {
  const { improved } = rates(POWERS["40 % better, 3 % errors"]);
  assert.ok(improved <= 0.08, `improved ${improved}`);
});

Deno.test("batches that all fail as a whole are noticed after two", () => {
  for (const size of [5, 20, 50]) {
    const { itemsToGuard } = rates(POWERS[`100 % errors, whole batches of ${size}`]);
    assert.equal(itemsToGuard, 2 * size);
  }
});

Deno.test("an incumbent that was known to break the guard takes the blame from the candidate", () => {
  for (const name of ["both over the guard", "both far over the guard"]) {
    const { guard } = rates(NULLS[`${name}, known before`]);
    assert.ok(guard <= 0.06, `guard ${guard}`);
  }
});

Deno.test("a trouble of the incumbent's that is over does not excuse a candidate for long", () => {
  const { guard, itemsToGuard } = rates(POWERS["10 % errors, incumbent 10 % before"]);
  assert.ok(guard >= 0.85, `guard ${guard}`);
  assert.ok(itemsToGuard <= 1_600, `after ${itemsToGuard} items`);
});
