import assert from "node:assert/strict";
import { random } from "./random.ts";
import { createTuner, type Tunable, Tuner, type Values } from "./tuner.ts";

const SEED = Number(Deno.env.get("SEED") ?? 20_260);

const BATCH: Tunable = {
  name: "batch",
  kind: "integer",
  scale: "log",
  min: 1,
  max: 1000,
  default: 20,
};
const MIXED: readonly Tunable[] = [
  { ...BATCH, maxStep: 4 },
  { name: "rate", kind: "number", min: 0.5, max: 9.5, step: 0.25, maxStep: 2, default: 3 },
  { name: "workers", kind: "integer", min: 1, max: 16, step: 3, default: 4 },
  { name: "wait", kind: "number", scale: "log", min: 0.01, max: 10, maxStep: 3, default: 0.5 },
  { name: "codec", kind: "choice", choices: ["none", "gzip", "zstd"], default: "none" },
];
const GUARD = { below: 0.02 };

interface World {
  objective(values: Values): number;
  errors(values: Values): number;
}

const SMOOTH: World = {
  objective: ({ batch }) => 100 / (batch as number) + 2,
  errors: ({ batch }) => 0.002 + 0.018 * ((batch as number) / 200) ** 2,
};
const MIXED_WORLD: World = {
  objective: ({ batch, rate, workers, wait, codec }) =>
    (50 / (batch as number) + 1 + (codec === "zstd" ? 0 : 1)) *
    (1 + ((rate as number) - 6) ** 2 / 20) / (workers as number) ** 0.5 *
    (1 + (wait as number) / 5),
  errors: ({ batch, workers }) =>
    0.002 + 0.018 * ((batch as number) * (workers as number) / 2000) ** 1.5,
};

// Runs a tuner in a noisy world and shows each suggestion before it is told.
function drive(
  tuner: Tuner,
  world: World,
  runs: number,
  seed: number,
  see: (suggestion: ReturnType<Tuner["ask"]>, run: number) => Tuner | void = () => {},
): Tuner {
  const dice = random(seed, 1);
  for (let run = 0; run < runs; run++) {
    const suggestion = tuner.ask({ hours: run });
    tuner = see(suggestion, run) ?? tuner;
    const items = Math.max(1, Math.min(499, Math.round(500 * suggestion.exposure)));
    const parts = suggestion.exposure === 1
      ? [{ values: suggestion.values, items: 500 }]
      : [{ values: suggestion.values, items }, {
        values: suggestion.incumbent,
        items: 500 - items,
      }];
    tuner.tell({
      suggestion: suggestion.id,
      hours: run,
      arms: parts.map(({ values, items }) => {
        let failed = 0;
        for (let i = 0; i < items; i++) if (dice.next() < world.errors(values)) failed++;
        return {
          values,
          items,
          failed,
          objective: world.objective(values) * Math.exp(0.1 * dice.normal()),
        };
      }),
    });
  }
  return tuner;
}

function refusal(code: string, sentence: RegExp) {
  return (error: Error & { code?: string }) => error.code === code && sentence.test(error.message);
}

Deno.test("what is asked and recommended is within bounds, step, choices and maxStep (P1)", () => {
  for (let seed = SEED; seed < SEED + 4; seed++) {
    const tuner = createTuner({ tunables: MIXED, guard: GUARD, seed });
    const check = (values: Values, from?: Values) => {
      assert.deepEqual(Object.keys(values).sort(), MIXED.map(({ name }) => name).sort());
      for (const { name, kind, min, max, step, choices, scale, maxStep } of MIXED) {
        const value = values[name];
        const where = `seed ${seed}: ${name} = ${value}`;
        if (kind === "choice") {
          assert.ok(choices!.includes(value as string), where);
          continue;
        }
        assert.ok(typeof value === "number" && value >= min! && value <= max!, where);
        if (kind === "integer") assert.ok(Number.isInteger(value), where);
        if (step !== undefined) {
          const steps = (value - min!) / step;
          assert.ok(Math.abs(steps - Math.round(steps)) < 1e-9, where);
        }
        if (from !== undefined && maxStep !== undefined) {
          const before = from[name] as number;
          const moved = scale === "log"
            ? Math.max(value / before, before / value) / maxStep
            : Math.abs(value - before) / maxStep;
          assert.ok(moved <= 1 + 1e-9, `${where} from ${before}`);
        }
      }
    };
    drive(tuner, MIXED_WORLD, 25, seed, ({ values, incumbent }) => {
      check(values, incumbent);
      check(incumbent);
      check(tuner.recommend({ hours: 3 }));
    });
  }
});

Deno.test("the first run is the defaults alone", () => {
  const tuner = createTuner({ tunables: MIXED, guard: GUARD, seed: SEED });
  const { values, exposure, purpose, incumbent } = tuner.ask({ hours: 0 });
  assert.deepEqual(values, { batch: 20, rate: 3, workers: 4, wait: 0.5, codec: "none" });
  assert.deepEqual(incumbent, values);
  assert.equal(exposure, 1);
  assert.equal(purpose, "baseline");
  assert.deepEqual(tuner.recommend({ hours: 0 }), values);
});

Deno.test("what was never applied gets at most half of a run, and what may do harm less", () => {
  for (let seed = SEED; seed < SEED + 4; seed++) {
    const applied = new Set<string>();
    drive(
      createTuner({ tunables: MIXED, guard: GUARD, seed }),
      MIXED_WORLD,
      30,
      seed,
      ({ values, incumbent, exposure, reason, purpose }, run) => {
        assert.ok(exposure > 0 && exposure <= 1);
        if (run > 0 && !applied.has(JSON.stringify(values))) {
          assert.ok(exposure <= 0.5, `seed ${seed}`);
        }
        if (exposure === 1) assert.deepEqual(values, incumbent);
        const chance = /guard ([\d.e+-]+) %/.exec(reason);
        if (purpose !== "baseline" && chance !== null) {
          assert.ok(
            exposure * Number(chance[1]) / 100 <= 0.0105,
            `seed ${seed}: ${exposure} ${reason}`,
          );
        }
        applied.add(JSON.stringify(values));
        applied.add(JSON.stringify(incumbent));
      },
    );
  }
});

Deno.test("the same seed and tells give the same asks, after JSON too", () => {
  const record = (again: (tuner: Tuner, run: number) => Tuner) => {
    const seen: unknown[] = [];
    let tuner = createTuner({ tunables: MIXED, guard: GUARD, seed: SEED });
    for (let run = 0; run < 15; run++) {
      tuner = again(tuner, run);
      const asked = tuner.ask({ hours: 7 * run });
      seen.push(asked, tuner.recommend({ hours: run }));
      tuner = again(tuner, run);
      tuner.tell({
        suggestion: asked.id,
        hours: 7 * run,
        arms: [{
          values: asked.values,
          items: 200,
          failed: run % 3,
          objective: MIXED_WORLD.objective(asked.values) * (1 + 0.1 * Math.sin(run)),
        }],
      });
    }
    return seen;
  };
  const straight = record((tuner) => tuner);
  const stored = record((tuner) => Tuner.fromJSON(JSON.parse(JSON.stringify(tuner))));
  assert.deepEqual(stored, straight);
  assert.deepEqual(record((tuner) => tuner), straight);
});

Deno.test("another seed asks otherwise", () => {
  const asks = (seed: number) => {
    const seen: Values[] = [];
    drive(
      createTuner({ tunables: MIXED, guard: GUARD, seed }),
      MIXED_WORLD,
      5,
      1,
      ({ values }) => void seen.push(values),
    );
    return seen;
  };
  assert.notDeepEqual(asks(1), asks(2));
});

Deno.test("a tuner in JSON is left alone by what its source does next", () => {
  const tuner = createTuner({ tunables: [BATCH], guard: GUARD, seed: SEED });
  const json = tuner.toJSON();
  const before = JSON.stringify(json);
  drive(tuner, SMOOTH, 3, SEED);
  assert.equal(JSON.stringify(json), before);
  assert.throws(
    () => Tuner.fromJSON({ ...json, version: 2 as 1 }),
    refusal("tuner.state", /Version 2 .*begin anew/),
  );
});

Deno.test("it finds a much better value and keeps the guard", () => {
  for (let seed = SEED; seed < SEED + 4; seed++) {
    const tuner = drive(
      createTuner({ tunables: [BATCH], guard: GUARD, seed }),
      SMOOTH,
      30,
      seed,
    );
    const best = tuner.recommend({ hours: 30 });
    assert.ok(SMOOTH.errors(best) <= GUARD.below, `seed ${seed}: ${best.batch} breaks the guard`);
    assert.ok(
      SMOOTH.objective(best) < 0.5 * SMOOTH.objective({ batch: 20 }),
      `seed ${seed}: ${best.batch}`,
    );
  }
});

Deno.test("defaults that break the guard are left", () => {
  for (let seed = SEED; seed < SEED + 4; seed++) {
    const tuner = drive(
      createTuner({ tunables: [{ ...BATCH, default: 400 }], guard: GUARD, seed }),
      SMOOTH,
      25,
      seed,
    );
    const { batch } = tuner.recommend({ hours: 25 });
    assert.ok(SMOOTH.errors({ batch }) <= GUARD.below, `seed ${seed}: ${batch} breaks the guard`);
  }
});

Deno.test("when the world changes for the worse it goes back to what is safe, and begins again", () => {
  for (let seed = SEED; seed < SEED + 3; seed++) {
    let tuner = drive(createTuner({ tunables: [BATCH], guard: GUARD, seed }), SMOOTH, 30, seed);
    const worse: World = {
      objective: (values) => 3 * SMOOTH.objective(values),
      errors: ({ batch }) => 0.002 + 0.018 * ((batch as number) / 50) ** 2,
    };
    tuner = drive(tuner, worse, 4, seed + 1000);
    const { batch } = tuner.recommend({ hours: 34 });
    assert.ok(worse.errors({ batch }) <= GUARD.below, `seed ${seed}: still at ${batch}`);
  }
});

Deno.test("memory does not grow without bounds", () => {
  const tuner = createTuner({ tunables: [BATCH], guard: GUARD, seed: SEED });
  for (let run = 0; run < 150; run++) tuner.ask({ hours: run });
  assert.equal(tuner.toJSON().pending.length, 100);
  const json = tuner.toJSON();
  const one = {
    values: { batch: 20 },
    point: [Math.log(20)],
    key: "[20]",
    hours: 0,
    epoch: 0,
    run: 0,
    log: 1,
    items: 100,
    failed: 0,
  };
  const full = Tuner.fromJSON({
    ...json,
    runs: 200,
    learned: { ...json.learned, tails: new Array(200).fill(1) },
    observations: Array.from({ length: 200 }, (_, run) => ({ ...one, run })),
  });
  full.tell({
    suggestion: json.pending[0],
    hours: 1,
    arms: [{ values: { batch: 20 }, objective: 3, items: 100, failed: 0 }],
  });
  assert.equal(full.toJSON().observations.length, 200);
});

Deno.test("a tell that does not hold is refused with a sentence, and nothing is learned from it", () => {
  const tuner = createTuner({ tunables: [BATCH], guard: GUARD, seed: SEED });
  const { id } = tuner.ask({ hours: 0 });
  const before = JSON.stringify(tuner);
  const arm = { values: { batch: 20 }, objective: 3, items: 100, failed: 1 };
  const told = (change: Partial<typeof arm>, suggestion = id, hours = 0) => () =>
    tuner.tell({ suggestion, hours, arms: [{ ...arm, ...change }] });
  for (const objective of [NaN, 0, -1, Infinity]) {
    assert.throws(told({ objective }), refusal("tuner.told", /it must be a number above 0$/));
  }
  for (const items of [0, -1, 2.5, NaN]) {
    assert.throws(told({ items }), refusal("tuner.told", /leave out an arm without any$/));
  }
  for (const failed of [-1, 101, 0.5, NaN]) {
    assert.throws(told({ failed }), refusal("tuner.told", /it must be 0 to 100$/));
  }
  assert.throws(told({}, "s99"), refusal("tuner.told", /s99 is not open: tell each one once$/));
  assert.throws(told({}, id, NaN), refusal("tuner.told", /hours must be a number$/));
  assert.throws(
    () => tuner.tell({ suggestion: id, hours: 0, arms: [] }),
    refusal("tuner.told", /tell at least one arm$/),
  );
  for (const batch of [0, 1001, 2.5, NaN]) {
    assert.throws(told({ values: { batch } }), refusal("tuner.values", /^batch is .* it must be/));
  }
  assert.throws(
    told({ values: { batch: 20, other: 1 } as Values as { batch: number } }),
    refusal("tuner.values", /other is not one of the tunables/),
  );
  assert.equal(JSON.stringify(tuner), before);
  told({})();
  assert.throws(told({}), refusal("tuner.told", /tell each one once$/));
  assert.throws(() => tuner.ask({ hours: NaN }), refusal("tuner.told", /hours must be a number$/));
});

Deno.test("tunables that do not hold are refused with a sentence", () => {
  const made = (tunables: readonly Tunable[], below = 0.02, seed = 1) => () =>
    createTuner({ tunables, guard: { below }, seed });
  const refused = (sentence: RegExp) => refusal("tuner.tunable", sentence);
  assert.throws(made([]), refused(/at least one tunable/));
  assert.throws(made([BATCH, BATCH]), refused(/batch is there twice/));
  assert.throws(made([{ ...BATCH, min: 0 }]), refused(/min must be above 0/));
  assert.throws(made([{ ...BATCH, max: 1 }]), refused(/a min and a max above it/));
  assert.throws(made([{ ...BATCH, default: 2000 }]), refused(/default of batch is 2000/));
  assert.throws(made([{ ...BATCH, step: 0 }]), refused(/step above 0/));
  assert.throws(made([{ ...BATCH, maxStep: 1 }]), refused(/maxStep above 1, a factor/));
  assert.throws(
    made([{ name: "c", kind: "choice", default: "a" }]),
    refused(/list of different choices/),
  );
  assert.throws(
    made([{ name: "c", kind: "choice", choices: ["a"], default: "b" }]),
    refused(/one of a/),
  );
  assert.throws(made([BATCH], 0), refused(/above 0 and below 1/));
  assert.throws(made([BATCH], 0.02, 0.5), refused(/seed must be a whole number/));
});
