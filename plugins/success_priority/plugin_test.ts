import assert from "node:assert/strict";
import { type GivenSpan, openPlugin, testPlugin } from "spanloop/testing";
import plugin from "./plugin.ts";

const PRIORITY = { value: 5, min: 0, max: 9 };

function runs(count: number, priority: number, more: GivenSpan = {}): GivenSpan[] {
  return Array.from({ length: count }, () => ({
    name: "RUN test",
    role: "run" as const,
    attributes: { "spanloop.parameter.priority": priority },
    ...more,
  }));
}

const failed = (count: number, priority: number) => runs(count, priority, { outcome: "failed" });

/** Runs that succeed or not, under whatever priority rules; the priorities that were asked for. */
async function driven(
  succeeds: (run: number) => boolean,
  count: number,
): Promise<readonly number[]> {
  let { value } = PRIORITY;
  const asked: number[] = [];
  const open = await openPlugin(plugin, {
    parameters: () => ({ priority: { ...PRIORITY, value } }),
  });
  for (let i = 0; i < count; i++) {
    const [span] = runs(1, value, { outcome: succeeds(i) ? "succeeded" : "failed" });
    for (const action of await open.span(span)) {
      assert.ok(action.type === "propose" && action.immediate === true);
      asked.push(value = Number(action.changes.priority));
    }
  }
  await open.close();
  return asked;
}

Deno.test("a workflow whose runs fail comes after others, with numbers and evidence", async () => {
  const { actions } = await testPlugin(plugin, {
    workflow: "test",
    parameters: { priority: PRIORITY },
    spans: [...runs(10, 5), ...failed(2, 5), { name: "load", outcome: "failed" }, ...failed(3, 5)],
    expect: (actions) => assert.equal(actions.length, 1),
  });
  const [{ action, event }] = actions;
  assert.ok(action.type === "propose" && "span" in event);
  const { evidence, ...rest } = action;
  assert.deepEqual(rest, {
    type: "propose",
    workflow: "test",
    changes: { priority: 4 },
    reason: "Of 15 runs with priority 5, 66.7 % succeeded (less than 80 %): 4, so that others " +
      "come first",
    version: 0,
    immediate: true,
  });
  assert.equal(evidence!.length, 15);
  assert.equal(evidence!.at(-1)!.spanId, event.span.spanId);
});

Deno.test("while they fail it goes on, down to the least; then back to where it was, level by level", async () => {
  const asked = await driven((run) => run >= 100, 400);
  assert.deepEqual(asked, [4, 3, 2, 1, 0, 1, 2, 3, 4, 5]);
});

Deno.test("between low and high nothing changes", async () => {
  assert.deepEqual(await driven((run) => run % 10 > 1, 400), [], "80 % succeed");
  assert.deepEqual(await driven((run) => run < 5 ? false : run % 10 > 0, 400), [4], "then 90 %");
});

Deno.test("runs under another priority, cancelled ones, and a candidate's say nothing", async () => {
  const attributes = { "spanloop.parameter.priority": 5, "spanloop.experiment.arm": "candidate" };
  await testPlugin(plugin, {
    parameters: { priority: PRIORITY },
    spans: [
      ...failed(30, 7),
      ...runs(30, 5, { outcome: "cancelled" }),
      ...runs(30, 5, { outcome: "failed", attributes }),
      ...runs(30, 5, { outcome: "failed", attributes: {} }),
    ],
    expect: [],
  });
});
