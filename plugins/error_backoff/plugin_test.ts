import assert from "node:assert/strict";
import { type GivenSpan, openPlugin, testPlugin } from "spanloop/testing";
import plugin from "./plugin.ts";

const STEP = { step: "load" };
const SIZE = { value: 200, min: 10, max: 1_000 };

function attempts(count: number, size: number, more: GivenSpan = {}): GivenSpan[] {
  return Array.from({ length: count }, () => ({
    name: "load",
    items: { processed: size, failed: 0 },
    attributes: { "spanloop.parameter.batch_size": size },
    ...more,
  }));
}

const failing = (count: number, size: number) => attempts(count, size, { outcome: "failed" });

/** A step whose attempts fail with a probability that depends on the batch size, and what it is asked to change. */
async function driven(
  fails: (size: number, attempt: number) => boolean,
  count: number,
  accept: (attempt: number) => boolean = () => true,
): Promise<{ readonly sizes: readonly number[]; readonly reasons: readonly string[] }> {
  let value = SIZE.value;
  const sizes: number[] = [];
  const reasons: string[] = [];
  const open = await openPlugin(plugin, {
    config: STEP,
    parameters: () => ({ batch_size: { ...SIZE, value } }),
  });
  for (let i = 0; i < count; i++) {
    const [span] = attempts(1, value, fails(value, i) ? { outcome: "failed" } : {});
    for (const action of await open.span(span)) {
      assert.ok(action.type === "propose" && action.immediate === true);
      reasons.push(action.reason);
      if (!accept(i)) continue;
      value = Number(action.changes.batch_size);
      sizes.push(value);
    }
  }
  await open.close();
  return { sizes, reasons };
}

Deno.test("it makes batches smaller as soon as too many fail, with numbers and evidence", async () => {
  const { actions } = await testPlugin(plugin, {
    config: STEP,
    workflow: "test",
    parameters: { batch_size: SIZE },
    spans: [...attempts(5, 200), { name: "other", outcome: "failed" }, ...failing(3, 200)],
    expect: (actions) => assert.equal(actions.length, 1),
  });
  const [{ action, event }] = actions;
  assert.ok(action.type === "propose" && "span" in event);
  const { evidence, ...rest } = action;
  assert.deepEqual(rest, {
    type: "propose",
    workflow: "test",
    changes: { batch_size: 100 },
    reason: "Of 8 attempts at load with batch_size 200, 37.5 % failed (more than 10 %): less, 100",
    version: 0,
    immediate: true,
  });
  assert.equal(evidence!.length, 8);
  assert.equal(evidence!.at(-1)!.spanId, event.span.spanId);
});

Deno.test("items that failed count by their share of the attempt", async () => {
  await testPlugin(plugin, {
    config: STEP,
    parameters: { batch_size: SIZE },
    spans: attempts(20, 200, { items: { processed: 176, failed: 24 } }),
    expect: ([{ type, ...action }]) => {
      assert.equal(type, "propose");
      assert.match(String("reason" in action && action.reason), /, 12 % failed \(more than 10 %\)/);
    },
  });
});

Deno.test("what is between low and high changes nothing", async () => {
  await testPlugin(plugin, {
    config: STEP,
    state: { test: { value: 100, samples: [], before: 200, calm: 0, patience: 1 } },
    parameters: { batch_size: { ...SIZE, value: 100 } },
    spans: Array.from({ length: 30 }, () => [...attempts(19, 100), ...failing(1, 100)]).flat(),
    expect: [],
  });
});

Deno.test("once the errors are over it grows back to where it was, and no further", async () => {
  const { sizes, reasons } = await driven((_, i) => i < 60 && i % 3 === 0, 400);
  const lowest = Math.min(...sizes);
  const back = sizes.slice(sizes.indexOf(lowest) + 1);
  assert.ok(lowest < 100, sizes.join());
  assert.equal(back.at(-1), 200);
  assert.deepEqual(back, [...back].sort((a, b) => a - b));
  assert.match(reasons.at(-1)!, /, 0 % failed \(at most 2 %.*\): back towards 200, 200$/);
});

Deno.test("with grow 1 it leaves the way back to others", async () => {
  await testPlugin(plugin, {
    config: { ...STEP, grow: 1 },
    state: { test: { value: 100, samples: [], before: 200, calm: 0, patience: 1 } },
    parameters: { batch_size: { ...SIZE, value: 100 } },
    spans: attempts(200, 100),
    expect: [],
  });
});

Deno.test("where the errors come with the size it tries the larger one ever less often", async () => {
  // All of a batch of more than 100 fail.
  const { sizes } = await driven((size) => size > 100, 6_000);
  const relapses = sizes.filter((size) => size > 100).length;
  assert.ok(relapses >= 3 && relapses <= 10, `${relapses} relapses in 6,000 attempts`);
  const late = await driven((size) => size > 100, 24_000);
  const more = late.sizes.filter((size) => size > 100).length - relapses;
  assert.ok(more <= 3, `${more} relapses in 18,000 attempts more`);
});

Deno.test("what is refused is asked for again, once a window, and its way back is not forgotten", async () => {
  const { sizes, reasons } = await driven((_, i) => i < 40, 400, (i) => i >= 100);
  // Nothing was accepted while it failed, so that there was nothing to grow back from.
  assert.deepEqual([sizes, reasons.length], [[], 3]);
  const later = await driven((_, i) => i < 3, 400, (i) => i < 10 || i > 200);
  assert.deepEqual(later.sizes, [100, 150, 200]);
});

Deno.test("it keeps to the bounds, and to attempts that say something", async () => {
  await testPlugin(plugin, {
    config: STEP,
    parameters: { batch_size: { ...SIZE, value: 10 } },
    spans: failing(60, 10),
    expect: [],
  });
  const candidate = {
    outcome: "failed",
    attributes: { "spanloop.parameter.batch_size": 200, "spanloop.experiment.arm": "candidate" },
  } as const;
  await testPlugin(plugin, {
    config: STEP,
    parameters: { batch_size: SIZE },
    spans: [
      ...attempts(30, 200, candidate),
      ...attempts(30, 200, { outcome: "cancelled" }),
      ...failing(30, 77),
    ],
    expect: [],
  });
});

Deno.test("a parameter that is not tunable is told of", async () => {
  const test = testPlugin(plugin, { config: STEP, spans: attempts(1, 4), expect: [] });
  await assert.rejects(test, /test has no tunable parameter batch_size; name one of its/);
});
