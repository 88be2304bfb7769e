// A tuner beside somebody who decides what rules: it is told what that is, what not to try, and that the contract changed.
import assert from "node:assert/strict";
import { createTuner, type Tunable, type Tuner, type TunerOptions } from "./tuner.ts";
import { random } from "./random.ts";

const SEED = Number(Deno.env.get("SEED") ?? 20_261);

const BATCH: Tunable = {
  name: "batch",
  kind: "integer",
  scale: "log",
  min: 1,
  max: 1000,
  default: 20,
};
const LANES: Tunable = { name: "lanes", kind: "integer", min: 1, max: 16, default: 4 };
const GUARD = { below: 0.02 };
const ONE: TunerOptions = { tunables: [BATCH], guard: GUARD, seed: SEED };
const TWO: TunerOptions = { tunables: [BATCH, LANES], guard: GUARD, seed: SEED };

// The larger the batch the better; nothing fails.
function teach(tuner: Tuner, batches: readonly number[], lanes?: number): Tuner {
  const dice = random(SEED, 1);
  batches.forEach((batch, hours) =>
    tuner.tell({
      hours,
      arms: [{
        values: { batch, ...lanes !== undefined && { lanes } },
        objective: (100 / batch + 1) * Math.exp(0.05 * dice.normal()),
        items: 500,
        failed: 0,
      }],
    })
  );
  return tuner;
}

Deno.test("it searches around what rules, at most maxStep away, whatever it would have rule itself (P1)", () => {
  const options = { ...ONE, tunables: [{ ...BATCH, maxStep: 2 }] };
  const tuner = teach(createTuner(options), [20, 40, 80, 160, 80, 160, 160, 160]);
  assert.equal(tuner.recommend({ hours: 9 }).batch, 160);
  for (const batch of [10, 20, 300]) {
    const { values, incumbent } = tuner.ask({ hours: 9, ruling: { batch } });
    assert.deepEqual(incumbent, { batch });
    assert.ok(values.batch as number >= batch / 2 && values.batch as number <= batch * 2);
  }
  const { values, purpose, expected } = tuner.ask({ hours: 9, ruling: { batch: 20 } });
  assert.deepEqual(purpose, "explore");
  assert.ok(values.batch as number >= 30, `${values.batch} beside 20`);
  assert.ok(expected!.gain.mean > 0.2 && expected!.harm < 0.05, JSON.stringify(expected));
  assert.throws(() => tuner.ask({ hours: 9, ruling: { batch: 0 } }), { code: "tuner.values" });
});

Deno.test("it does not suggest what is excepted, nor what is about the same", () => {
  const tuner = teach(createTuner(ONE), [20, 20, 20, 20]);
  const except: { batch: number }[] = [{ batch: 20 }];
  for (let n = 0; n < 40; n++) {
    const { values, purpose } = tuner.ask({ hours: 4, ruling: { batch: 20 }, except });
    if (purpose === "settle") break;
    for (const { batch } of except) {
      assert.ok(Math.abs(Math.log(values.batch as number / batch)) >= 0.1, `${values.batch}`);
    }
    except.push({ batch: values.batch as number });
  }
  assert.ok(except.length > 3 && except.length < 40, `${except.length}`);
});

Deno.test("it learns from runs that nobody suggested, and from those of a single item", () => {
  const tuner = createTuner(ONE);
  for (let hours = 0; hours < 6; hours++) {
    tuner.tell({ hours, arms: [{ values: { batch: 20 }, objective: 5, items: 1, failed: 0 }] });
  }
  const { purpose, exposure } = tuner.ask({ hours: 6 });
  assert.notEqual(purpose, "settle");
  assert.ok(exposure > 0 && exposure <= 0.5);
});

Deno.test("narrower bounds keep what they still allow", () => {
  const tuner = teach(createTuner(ONE), [20, 40, 80, 160, 80, 160]);
  const narrow = tuner.with({ ...ONE, tunables: [{ ...BATCH, max: 100 }] }, { batch: 80 });
  const { observations, runs } = narrow.toJSON();
  assert.deepEqual(observations.map(({ values }) => values.batch), [20, 40, 80, 80]);
  assert.equal(runs, 6);
  assert.equal(narrow.recommend({ hours: 7 }).batch, 80);
  assert.equal(tuner.recommend({ hours: 7 }).batch, 160);
  const other = tuner.with({ ...ONE, tunables: [{ ...BATCH, min: 500, default: 500 }] }, {});
  assert.deepEqual(other.toJSON(), createTuner(other.toJSON().options).toJSON());
});

Deno.test("what becomes tunable has had its value all along, and what no longer is has it from now on", () => {
  const tuner = teach(createTuner(ONE), [20, 40, 80, 80]);
  const both = tuner.with(TWO, { batch: 80, lanes: 4 });
  assert.deepEqual(both.recommend({ hours: 5 }), { batch: 80, lanes: 4 });
  teach(both, [80, 160], 8);
  const again = both.with(ONE, { batch: 80, lanes: 4 });
  assert.equal(again.toJSON().observations.length, 4, "those with 8 lanes say nothing of 4");
  const fixed = both.with(ONE, { batch: 160, lanes: 8 });
  assert.deepEqual(fixed.toJSON().observations.map(({ values }) => values), [
    { batch: 80 },
    { batch: 160 },
  ]);
  fixed.ask({ hours: 9 });
});

Deno.test("it forgets all but the newest, and goes on", () => {
  const tuner = teach(createTuner(ONE), [20, 40, 80, 80, 80]);
  tuner.forget(2);
  const { observations, learned } = tuner.toJSON();
  assert.deepEqual([observations.length, learned.tails.length], [2, 2]);
  tuner.ask({ hours: 5 });
  teach(tuner, [80, 80]);
  assert.equal(tuner.toJSON().observations.length, 4);
  assert.equal(tuner.toJSON().runs, 7);
});
