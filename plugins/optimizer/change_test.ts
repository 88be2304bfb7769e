import assert from "node:assert/strict";
import { change, LOOKBACK, type Surprise } from "./change.ts";
import { random } from "./random.ts";

const SEED = 4711;

function usual(off: number, failed = 6): Surprise {
  const rate = { mean: Math.log(0.015), sd: 0.1 };
  return { run: 0, off, sd: 0.15, dispersion: 0.3, arms: [{ rate, items: 400, failed }] };
}

Deno.test("nothing has changed when nothing has happened", () => {
  assert.deepEqual(change([]), { chance: 0, last: 0 });
  assert.ok(change([usual(0.05), usual(-0.1), usual(0.02)]).chance < 0.01);
});

Deno.test("an outlier is no change, and a large shift of both is one at once", () => {
  assert.ok(change([usual(0), usual(0.6)]).chance < 0.5);
  const { chance, last } = change([usual(0), usual(0), usual(1, 27)]);
  assert.ok(chance > 0.5);
  assert.equal(last, 1);
});

Deno.test("a small shift that lasts is a change, and its beginning is found", () => {
  const runs = [...Array(5).fill(usual(0)), ...Array(5).fill(usual(0.4))];
  const { chance, last } = change(runs);
  assert.ok(chance > 0.9);
  assert.equal(last, 5);
});

Deno.test("without a change it is seldom taken for one: at most 5 in 1,000 runs with outliers", () => {
  const dice = random(SEED, 0);
  let runs: Surprise[] = [];
  let alarms = 0;
  for (let run = 0; run < 1000; run++) {
    const outlier = dice.next() < 0.05 ? Math.log(1 + 0.3 * (1 - dice.next()) ** -0.4) : 0;
    const failed = Math.max(0, Math.round(6 + 4.5 * dice.normal()));
    runs = [...runs, usual(0.15 * dice.normal() + outlier, failed)].slice(-LOOKBACK);
    if (change(runs).chance < 0.5) continue;
    alarms++;
    runs = [];
  }
  assert.ok(alarms <= 5, `${alarms} alarms`);
});
