import assert from "node:assert/strict";
import type { Json } from "spanloop";
import { keep, type Keeper, type Known, MOST_WORKFLOWS, recall } from "./memory.ts";
import { createTuner, type Tunable, Tuner, type TunerJson } from "./tuner.ts";

const CHOICES = ["größer", "klein\\er", '"', "\ud83d\ude80"];
const TUNABLES: readonly Tunable[] = [
  ...["batch", "concurrency", "prefetch", "timeout", "window"].map((name): Tunable => ({
    name,
    kind: "integer",
    min: 1,
    max: 1000,
    scale: "log",
    default: 10,
  })),
  { name: "codec", kind: "choice", choices: CHOICES, default: CHOICES[0] },
];

/** The state of a plugin as the host keeps it: with its limits. */
function state(): Keeper & { readonly size: number } {
  const kept = new Map<string, string>();
  const bytes = (text: string) => new TextEncoder().encode(text).length;
  return {
    get size() {
      return [...kept].reduce((sum, [key, text]) => sum + bytes(key) + bytes(text), 0);
    },
    get: (key) => kept.has(key) ? JSON.parse(kept.get(key)!) as Json : undefined,
    set(key, value) {
      const text = JSON.stringify(value);
      assert.ok(bytes(text) <= 64 * 1024, `${key} has ${bytes(text)} bytes`);
      kept.set(key, text);
      assert.ok(this.size <= 1024 ** 2, `${this.size} bytes`);
    },
    delete: (key) => void kept.delete(key),
    keys: () => [...kept.keys()].sort(),
  };
}

function known(runs: number): Known {
  const tuner = createTuner({ tunables: TUNABLES, guard: { below: 0.02 }, seed: 1 });
  // Observations as a long time makes them; what a tuner makes of them is another test's.
  const json = structuredClone(tuner.toJSON());
  const one = {
    values: tuner.recommend({ hours: 0 }),
    point: TUNABLES.map((_, i) => Math.PI * (i + 1)),
    key: JSON.stringify(Object.values(tuner.recommend({ hours: 0 }))),
    hours: 500_000 + 1 / 3,
    epoch: 0,
    log: -Math.E,
    items: 1_000,
    failed: 3,
  };
  const observations = Array.from({ length: runs }, (_, run) => ({ ...one, run }));
  const learned = { ...json.learned, tails: observations.map(() => 1 + 1 / 3) };
  return {
    tuner: Tuner.fromJSON({ ...json, runs, observations, learned } as TunerJson),
    notes: {
      goal: "minimize duration / items of load",
      told: runs,
      epoch: 0,
      dropped: Array.from({ length: 30 }, (_, told) => ({ values: one.values, told })),
      vain: 0,
      rest: 0,
    },
  };
}

Deno.test("what is kept of a workflow is the same when it is recalled", () => {
  const kept = state();
  const before = known(200);
  assert.ok(keep(kept, "orders", before));
  const { tuner, notes } = recall(kept, "orders")!;
  assert.deepEqual(tuner.toJSON(), before.tuner.toJSON());
  assert.equal(tuner.toJSON().observations.length, 200, "six tunables' observations all fit");
  assert.deepEqual(notes.dropped.at(-1), before.notes.dropped.at(-1));
  assert.equal(recall(kept, "others"), undefined);
});

Deno.test("a shorter tuner leaves nothing of a longer one behind", () => {
  const kept = state();
  keep(kept, "orders", known(200));
  const before = known(3);
  keep(kept, "orders", before);
  assert.deepEqual(recall(kept, "orders")!.tuner.toJSON(), before.tuner.toJSON());
  assert.deepEqual(kept.keys(), ["notes/orders", "tuner/orders/0"]);
});

Deno.test("workflows share the room: the more there are the less is kept of each, and no more than fit", () => {
  const kept = state();
  for (let i = 0; i < MOST_WORKFLOWS; i++) {
    assert.ok(keep(kept, `workflow-${i}`, known(200)));
    assert.ok(keep(kept, "workflow-0", known(200)));
  }
  assert.equal(keep(kept, "one-more", known(1)), false);
  assert.ok(keep(kept, "workflow-3", known(200)));
  for (let i = 0; i < MOST_WORKFLOWS; i++) {
    const { observations, learned } = recall(kept, `workflow-${i}`)!.tuner.toJSON();
    assert.ok(observations.length >= 40, `${observations.length} observations`);
    assert.equal(observations.at(-1)!.run, 199, "the newest are kept");
    assert.equal(learned.tails.length, observations.length);
  }
});
