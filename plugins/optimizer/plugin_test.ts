import assert from "node:assert/strict";
import { World } from "./_test_world.ts";
import type { Given, Values } from "./_test_world.ts";

const SEED = Number(Deno.env.get("SEED") ?? 20_262);
console.log(`seed ${SEED}`);

const BATCH = {
  type: "integer",
  value: 20,
  default: 20,
  min: 1,
  max: 5_000,
  scale: "log",
  maxStep: { factor: 4 },
  apply: "live",
} as const;
const CODEC = {
  type: "enum",
  value: "none",
  default: "none",
  choices: ["none", "gzip", "zstd"],
} as const;
const ABOUT = { workflow: "orders" };
const number = (value: unknown) => Number(value);
const perItem = ({ batch }: Values) => 1 / number(batch) + 1 / 400 + number(batch) / 90_000;
const ORDERS: Given = { parameters: { batch: BATCH }, objective: perItem, seed: SEED };

async function within(given: Given, test: (world: World) => Promise<void>): Promise<void> {
  const world = await World.open(given);
  try {
    await test(world);
  } finally {
    await world.plugin.close();
  }
}

/** So many runs; how many proposals there were in them. */
async function runs(world: World, count: number): Promise<number> {
  const before = world.proposals.length;
  for (let i = 0; i < count; i++) await world.run();
  return world.proposals.length - before;
}

Deno.test("it first looks, then tries better values until there are none", () =>
  within(ORDERS, async (world) => {
    assert.equal(await runs(world, 1), 1, "once the defaults are known");
    await runs(world, 29);
    const batch = number(world.ruling.batch);
    assert.ok(perItem(world.ruling) < 1.1 * perItem({ batch: 300 }), `batch ${batch}`);
    let before = 20;
    const kept = world.verdicts.filter(({ action }) => action === "kept");
    for (const { values } of kept) {
      assert.ok(number(values.batch) <= 4 * before, "max_step is kept (A3)");
      before = number(values.batch);
    }
    for (const { exposure, version, reason } of world.proposals) {
      assert.ok(exposure! > 0 && exposure! <= 0.5);
      assert.equal(typeof version, "number");
      assert.match(
        reason,
        /^(Of all that is near it promises most|Little is known of it): it may be up to [\d.e+]+ times as good by duration \/ items of load \(at worst [\d.e-]+ times, ([\d.e-]+ times|as good as now) is likeliest\); \d+ runs? (was|were) measured$/,
      );
    }
  }));

Deno.test("more is better where the objective is maximized", () =>
  within(
    { ...ORDERS, direction: "maximize", objective: (values) => 1 / perItem(values) },
    async (world) => {
      await runs(world, 30);
      assert.ok(perItem(world.ruling) < 1.1 * perItem({ batch: 300 }), `${world.ruling.batch}`);
    },
  ));

Deno.test("it keeps away from values that break the guard, and says how likely they are to", () =>
  within(
    {
      ...ORDERS,
      objective: ({ batch }) => 1 / number(batch),
      errors: ({ batch }) => 0.002 + 0.018 * (number(batch) / 150) ** 2,
      below: 0.02,
    },
    async (world) => {
      await runs(world, 40);
      const batch = number(world.ruling.batch);
      assert.ok(batch >= 40 && batch <= 150, `batch ${batch}`);
      assert.match(
        world.proposals.at(-1)!.reason,
        /, with a chance of (under )?[\d.]+ % that more than 2 % of the items fail; /,
      );
    },
  ));

Deno.test("when what rules comes to break the guard, it goes back to what is safer without a trial", () =>
  within(
    {
      ...ORDERS,
      objective: ({ batch }) => 1 / number(batch),
      errors: ({ batch }) => 0.002 + 0.018 * (number(batch) / 300) ** 2,
      below: 0.02,
    },
    async (world) => {
      await runs(world, 30);
      const before = number(world.ruling.batch);
      assert.ok(before > 80, `batch ${before}`);
      world.errors = ({ batch }) => 0.002 + 0.018 * (number(batch) / 40) ** 2;
      const { length } = world.proposals;
      let count = 0;
      for (; world.errors(world.ruling) > 0.02 && count < 10; count++) await world.run();
      assert.ok(count <= 6, `after ${count} runs batch is still ${world.ruling.batch}`);
      const back = world.proposals.slice(length).filter(({ immediate }) => immediate);
      assert.match(
        back[0].reason,
        /^With what rules there is a chance of [\d.]+ % that more than 2 % of the items fail, with this one of (under )?[\d.]+ %: back to it; \d+ runs were measured$/,
      );
      await runs(world, 20);
      assert.ok(world.errors(world.ruling) < 0.02, `batch ${world.ruling.batch}`);
    },
  ));

Deno.test("it tunes several at once, choices among them", () =>
  within(
    {
      parameters: { batch: BATCH, codec: CODEC },
      objective: (values) => perItem(values) * (values.codec === "zstd" ? 0.5 : 1),
      seed: SEED,
    },
    async (world) => {
      await runs(world, 60);
      assert.equal(world.ruling.codec, "zstd");
      const batch = number(world.ruling.batch);
      assert.ok(batch > 60 && batch < 1_500, `batch ${batch}`);
      for (const { changes } of world.proposals) {
        assert.ok(Object.keys(changes).length > 0);
      }
    },
  ));

Deno.test("what was kept and taken back is not tried again soon", () =>
  within(ORDERS, async (world) => {
    while (world.verdicts.at(-1)?.action !== "kept") await world.run();
    const kept = number(world.ruling.batch);
    assert.notEqual(kept, 20);
    // The experiment that came next is withdrawn with it.
    const { experiment: _, version, ...contract } = world.contract;
    world.contract = { ...contract, version: version + 1 };
    world.parameters.batch = BATCH;
    const { length } = world.proposals;
    await runs(world, 28);
    const again = world.proposals.slice(length).map(({ changes }) => number(changes.batch));
    assert.ok(again.length > 0);
    const alike = again.filter((batch) => Math.abs(Math.log(batch / kept)) < 0.1);
    assert.deepEqual(alike, [], `${kept} was kept, then ${again} tried`);
  }));

Deno.test("what was tried in vain is not tried again soon, and it comes to rest", () =>
  within({ ...ORDERS, objective: () => 0.01 }, async (world) => {
    const first = await runs(world, 30);
    const values = world.verdicts.map(({ values }) => number(values.batch)).sort((a, b) => a - b);
    for (const [i, batch] of values.entries()) {
      if (i > 0) assert.ok(Math.log(batch / values[i - 1]) >= 0.09, `${values[i - 1]}, ${batch}`);
    }
    await runs(world, 20);
    const later = await runs(world, 50);
    assert.ok(first >= 3 && later <= 2, `${first} experiments in 30 runs, ${later} in the last 50`);
  }));

Deno.test("a proposal that nothing comes of is repeated ever less often, and not replaced", () =>
  within(ORDERS, async (world) => {
    world.accepts = false;
    const count = await runs(world, 20);
    assert.ok(count >= 4 && count <= 8, `${count} proposals in 20 runs`);
    const [{ changes }] = world.proposals;
    for (const proposal of world.proposals) assert.deepEqual(proposal.changes, changes);
    // Somebody has changed the values meanwhile.
    world.contract = { ...world.contract, version: 7 };
    world.parameters.batch = { ...BATCH, value: 100 };
    world.accepts = true;
    await world.run();
    assert.equal(world.proposals.at(-1)!.version, 7);
  }));

Deno.test("nothing is proposed while an experiment is open, nor before its verdict", () =>
  within(ORDERS, async (world) => {
    await world.run();
    const { experiment } = world;
    assert.ok(experiment !== undefined);
    const measured = {
      "spanloop.experiment.id": experiment.id,
      "spanloop.measurement.values": ['{"batch":20}'],
      "spanloop.measurement.objectives": [0.05],
      "spanloop.measurement.items": [100],
      "spanloop.measurement.failed": [0],
    };
    const { length } = world.proposals;
    await world.tell("experiment.measurement", measured);
    const { experiment: _, ...contract } = world.contract;
    world.contract = { ...contract, version: 2 };
    await world.tell("experiment.measurement", measured);
    assert.equal(world.proposals.length, length);
    // One that was taken back says nothing of its values: they may be tried at once.
    await world.tell("experiment.verdict", {
      "spanloop.experiment.id": experiment.id,
      "spanloop.experiment.values": JSON.stringify(experiment.values),
      "spanloop.verdict.outcome": "inconclusive",
      "spanloop.verdict.action": "rolled_back",
      "spanloop.verdict.ended": "withdrawn",
      "spanloop.verdict.message": "taken back",
    });
    assert.equal(world.proposals.length, length + 1);
  }));

Deno.test("it leaves alone what is off or frozen, what it is not to tune, and what has no objective", () =>
  within(
    {
      parameters: {
        batch: BATCH,
        lanes: { value: 2, default: 2, min: 1, max: 8, mode: "off" },
        depth: { value: 2, default: 2, min: 1, max: 8, frozen: true },
        width: { value: 2, default: 2, min: 1, max: 8 },
        one: { value: 3, default: 3, min: 3, max: 3 },
        unset: { min: 3, max: 30 },
      },
      config: { parameters: ["batch", "lanes", "depth", "one", "unset"] },
      objective: perItem,
      seed: SEED,
    },
    async (world) => {
      await runs(world, 8);
      assert.ok(world.proposals.length > 0);
      for (const { changes } of world.proposals) assert.deepEqual(Object.keys(changes), ["batch"]);
      const { length } = world.proposals;
      const { objective: _, ...contract } = world.contract;
      world.contract = { ...contract, experiment: undefined };
      await runs(world, 3);
      world.contract = { ...world.contract, objective: _ };
      world.parameters.batch = { ...world.parameters.batch, frozen: true };
      await runs(world, 3);
      assert.equal(world.proposals.length, length);
    },
  ));

Deno.test("what others call a measurement is none (A7)", () =>
  within(ORDERS, async (world) => {
    for (const more of [{ plugin: "other" }, { plugin: undefined, external: true }]) {
      await world.tell("experiment.measurement", {}, more);
    }
    assert.deepEqual(world.plugin.state, {});
  }));

Deno.test("when bounds narrow it keeps what it knows within them; another objective begins anew", () =>
  within(ORDERS, async (world) => {
    await runs(world, 20);
    world.parameters.batch = { ...BATCH, max: 100, value: 100 };
    await world.run();
    const told = () => (world.plugin.state["notes/orders"] as { told: number }).told;
    assert.equal(told(), 21);
    world.contract = {
      ...world.contract,
      objective: { direction: "minimize", expression: "duration", of: "load" },
    };
    await world.run();
    assert.equal(told(), 1);
    await runs(world, 5);
    assert.ok(number(world.ruling.batch) <= 100);
  }));

Deno.test("what it keeps survives a restart, and what it cannot read is forgotten", async () => {
  let state = {};
  await within(ORDERS, async (world) => {
    await runs(world, 6);
    state = world.plugin.state;
  });
  await within({ ...ORDERS, state }, async (world) => {
    await world.run();
    assert.equal((world.plugin.state["notes/orders"] as { told: number }).told, 7);
  });
  await within({ ...ORDERS, state: { ...state, "tuner/orders/0": "{" } }, async (world) => {
    await world.run();
    assert.equal((world.plugin.state["notes/orders"] as { told: number }).told, 1);
  });
});

Deno.test("optimizer/suggest says what it would try next, and optimizer/apply proposes it", () =>
  within(ORDERS, async (world) => {
    const suggest = async () => (await world.plugin.step("suggest", { with: ABOUT })).outputs;
    assert.deepEqual(await suggest(), {
      changes: {},
      reason: "No run of orders has been measured yet",
      version: 0,
    });
    world.accepts = false;
    await world.run();
    const { changes, reason, exposure } = world.proposals[0];
    assert.deepEqual(await suggest(), {
      changes,
      reason,
      exposure,
      immediate: false,
      version: 0,
    });
    const { proposals, outputs } = await world.plugin.step("apply", {
      with: { ...ABOUT, ...await suggest() },
      decide: () => ({ outcome: "testing", rule: "experiment", message: "tried", change: 3 }),
    });
    assert.deepEqual(proposals.map(({ type: _, ...rest }) => rest), [
      { workflow: "orders", changes, reason, exposure, version: 0 },
    ]);
    assert.deepEqual(outputs, {
      outcome: "testing",
      rule: "experiment",
      message: "tried",
      change: 3,
    });
    world.accepts = true;
    world.contract = { ...world.contract, version: 4 };
    await world.run();
    const open = await suggest();
    assert.deepEqual(open.changes, {});
    assert.match(String(open.reason), /^\{"batch":\d+\} is being tried$/);
    const nothing = await world.plugin.step("apply", { with: { ...ABOUT, ...open } });
    assert.deepEqual([nothing.proposals, nothing.outputs.outcome], [[], "none"]);
    world.parameters.batch = { ...BATCH, frozen: true };
    world.contract = { ...world.contract, experiment: undefined };
    assert.match(String((await suggest()).reason), /no parameter that may be tuned/);
  }));

Deno.test("told not to propose, it learns, and leaves it to the step types", () =>
  within({ ...ORDERS, config: { propose: false } }, async (world) => {
    await runs(world, 3);
    assert.deepEqual(world.proposals, []);
    assert.equal((world.plugin.state["notes/orders"] as { told: number }).told, 3);
    const { changes } = (await world.plugin.step("suggest", { with: ABOUT })).outputs;
    assert.notDeepEqual(changes, {});
  }));

Deno.test("optimizer/suggest goes back at once where what rules breaks the guard", () =>
  within(
    {
      ...ORDERS,
      config: { propose: false },
      errors: ({ batch }) => number(batch) > 40 ? 0.1 : 0.002,
      below: 0.02,
    },
    async (world) => {
      await runs(world, 4);
      world.parameters.batch = { ...BATCH, value: 100 };
      await runs(world, 4);
      const { outputs } = await world.plugin.step("suggest", { with: ABOUT });
      assert.equal(outputs.immediate, true);
      assert.ok(number((outputs.changes as Values).batch) <= 40, JSON.stringify(outputs));
      const { proposals } = await world.plugin.step("apply", { with: { ...ABOUT, ...outputs } });
      assert.deepEqual([proposals[0].immediate, proposals[0].exposure], [true, undefined]);
    },
  ));

Deno.test("optimizer/verdicts gives the last verdicts, the newest first", () =>
  within(ORDERS, async (world) => {
    const verdicts = async (more = {}) => {
      const { outputs } = await world.plugin.step("verdicts", { with: { ...ABOUT, ...more } });
      return outputs.verdicts as readonly { time: number; message: string; action: string }[];
    };
    assert.deepEqual(await verdicts(), []);
    await runs(world, 12);
    const heard = await verdicts();
    assert.ok(heard.length >= 3 && heard[0].time > heard[1].time);
    const { values, action } = world.verdicts.at(-1)!;
    assert.equal(heard[0].message, `${JSON.stringify(values)}: ${action}`);
    assert.deepEqual(await verdicts({ limit: 2 }), heard.slice(0, 2));
  }));
