import assert from "node:assert/strict";
import type { JsonObject } from "spanloop";
import { type GivenSpan, openPlugin, testPlugin } from "spanloop/testing";
import plugin from "./plugin.ts";

const BATCHES = { step: "load", seconds: 60 };
const STEPS = { ...BATCHES, of: "step" };
const SIZE = { value: 200, min: 10, max: 1_000 };
const LANES = { value: 2, min: 1, max: 16 };

function batches(count: number, size: number, seconds: number, more: GivenSpan = {}): GivenSpan[] {
  return Array.from({ length: count }, () => ({
    name: "load",
    duration: seconds,
    attributes: { "spanloop.parameter.batch_size": size },
    ...more,
  }));
}

/** So much work under whatever value rules, of which it takes `seconds`; the values that were asked for. */
async function driven(
  config: JsonObject,
  parameter: "batch_size" | "concurrency",
  begin: { value: number; min: number; max: number },
  seconds: (value: number, index: number) => number,
  count: number,
): Promise<readonly number[]> {
  let { value } = begin;
  const asked: number[] = [];
  const open = await openPlugin(plugin, {
    config,
    parameters: () => ({ [parameter]: { ...begin, value } }),
  });
  for (let i = 0; i < count; i++) {
    const actions = await open.span({
      name: "load",
      role: parameter === "batch_size" ? "attempt" : "step",
      duration: seconds(value, i),
      attributes: { [`spanloop.parameter.${parameter}`]: value },
    });
    for (const action of actions) {
      assert.ok(action.type === "propose" && action.immediate === true);
      value = Number(action.changes[parameter]);
      asked.push(value);
    }
  }
  await open.close();
  return asked;
}

Deno.test("batches that take longer than their cycle time are made smaller, with numbers and evidence", async () => {
  const { actions } = await testPlugin(plugin, {
    config: BATCHES,
    workflow: "test",
    parameters: { batch_size: SIZE },
    spans: [
      ...batches(2, 200, 100),
      { name: "other", duration: 1_000 },
      ...batches(3, 200, 120, { outcome: "timed_out" }),
    ],
    expect: (actions) => assert.equal(actions.length, 1),
  });
  const [{ action, event }] = actions;
  assert.ok(action.type === "propose" && "span" in event);
  const { evidence, ...rest } = action;
  assert.deepEqual(rest, {
    type: "propose",
    workflow: "test",
    changes: { batch_size: 80 },
    reason: "5 batches of load with batch_size 200: most took up to 120 s, and the cycle time is " +
      "60 s: smaller, 80",
    version: 0,
    immediate: true,
  });
  assert.equal(evidence!.length, 5);
  assert.equal(evidence!.at(-1)!.spanId, event.span.spanId);
});

Deno.test("a step that takes longer gets more lanes", async () => {
  // 400 seconds of work on so many lanes.
  assert.deepEqual(await driven(STEPS, "concurrency", LANES, (lanes) => 400 / lanes, 40), [9]);
  assert.deepEqual(await driven(STEPS, "concurrency", LANES, () => 400, 40), [16]);
});

Deno.test("one slow batch of five splits nothing, nor does one that failed", async () => {
  await testPlugin(plugin, {
    config: BATCHES,
    parameters: { batch_size: SIZE },
    spans: Array.from({ length: 20 }, () => [
      ...batches(4, 200, 59),
      ...batches(1, 200, 600),
      ...batches(3, 200, 600, { outcome: "failed" }),
    ]).flat(),
    expect: [],
  });
});

Deno.test("what has a part that does not shrink is split again, down to the least", async () => {
  const sizes = await driven(BATCHES, "batch_size", SIZE, (size) => 40 + size / 2, 100);
  assert.deepEqual(sizes, [68, 44, 34]);
  assert.deepEqual((await driven(BATCHES, "batch_size", SIZE, () => 70, 100)).at(-1), 10);
});

Deno.test("once the work is quick again it goes back to where it was, and stays", async () => {
  const sizes = await driven(
    BATCHES,
    "batch_size",
    SIZE,
    (size, i) => size * (i < 50 ? 0.6 : 0.1),
    300,
  );
  assert.deepEqual(sizes, [80, 200]);
});

Deno.test("it does not go to and fro where work takes about its cycle time", async () => {
  let turn = 0;
  // Noise of a tenth, alternately: the same in each test.
  const noise = () => 1 + 0.1 * Math.sin(turn++ * 2.4);
  for (const each of [0.25, 0.3, 0.35, 0.4, 0.6]) {
    const sizes = await driven(BATCHES, "batch_size", SIZE, (size) => size * each * noise(), 2_000);
    assert.ok(sizes.length <= 2, `${each} s an item: ${sizes}`);
  }
});

Deno.test("what other values ruled, and a candidate's work, does not count", async () => {
  const attributes = {
    "spanloop.parameter.batch_size": 200,
    "spanloop.experiment.arm": "candidate",
  };
  await testPlugin(plugin, {
    config: BATCHES,
    parameters: { batch_size: SIZE },
    spans: [
      ...batches(20, 100, 600),
      ...batches(20, 200, 600, { attributes }),
      ...batches(20, 200, 600, { role: "step" }),
    ],
    expect: [],
  });
});

Deno.test("a parameter that is not tunable is told of", async () => {
  const test = testPlugin(plugin, { config: BATCHES, spans: batches(1, 4, 1), expect: [] });
  await assert.rejects(test, /test has no tunable parameter batch_size; name one of its/);
});
