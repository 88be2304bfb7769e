import assert from "node:assert/strict";
import { type GivenSpan, openPlugin, testPlugin } from "spanloop/testing";
import plugin from "./plugin.ts";

const LANES = { value: 4, min: 1, max: 32 };
const BEGIN = 1_800_000_000;

/** A run that waited so long; each a minute after the one before. */
function run(index: number, lanes: number, waited: number, more: GivenSpan = {}): GivenSpan {
  const made = Math.round((BEGIN + 60 * index) * 1_000).toString(16).padStart(12, "0");
  return {
    name: "RUN test",
    role: "run",
    runId: `${made.slice(0, 8)}-${made.slice(8)}-7000-8000-000000000000`,
    startTime: BEGIN + 60 * index + waited,
    duration: 1,
    attributes: { "spanloop.parameter.concurrency": lanes },
    ...more,
  };
}

const runs = (count: number, lanes: number, waited: number, more: GivenSpan = {}) =>
  Array.from({ length: count }, (_, i) => run(i, lanes, waited, more));

function finding(state: "begun" | "over", success: number, errors: number): GivenSpan {
  return {
    name: "finding.health",
    plugin: "analyzer",
    workflow: "test",
    attributes: {
      "spanloop.finding.state": state,
      "spanloop.finding.health.success": success,
      "spanloop.finding.health.errors": errors,
      "spanloop.finding.message": "health is 61 of 100, less than 80",
    },
  };
}

/** Runs under whatever value rules; the values that were asked for. */
async function driven(
  waited: (lanes: number, run: number) => number,
  succeeds: (lanes: number, run: number) => boolean,
  count: number,
): Promise<readonly number[]> {
  let { value } = LANES;
  const asked: number[] = [];
  const open = await openPlugin(plugin, {
    parameters: () => ({ concurrency: { ...LANES, value } }),
  });
  for (let i = 0; i < count; i++) {
    const outcome = succeeds(value, i) ? "succeeded" : "failed";
    for (const action of await open.span(run(i, value, waited(value, i), { outcome }))) {
      assert.ok(action.type === "propose" && action.immediate === true);
      asked.push(value = Number(action.changes.concurrency));
    }
  }
  await open.close();
  return asked;
}

const well = () => true;

Deno.test("while runs wait and are well there is more, with numbers and evidence", async () => {
  const { actions } = await testPlugin(plugin, {
    workflow: "test",
    parameters: { concurrency: LANES },
    spans: [...runs(3, 4, 25), ...runs(2, 4, 1), { name: "load", outcome: "failed" }],
    expect: (actions) => assert.equal(actions.length, 1),
  });
  const [{ action, event }] = actions;
  assert.ok(action.type === "propose" && "span" in event);
  const { evidence, ...rest } = action;
  assert.deepEqual(rest, {
    type: "propose",
    workflow: "test",
    changes: { concurrency: 5 },
    reason: "Of 5 runs with concurrency 4, half waited 25 s or more (at most 10), 100 % " +
      "succeeded: more, 5",
    version: 0,
    immediate: true,
  });
  assert.equal(evidence!.length, 5);
  assert.equal(evidence!.at(-1)!.spanId, event.span.spanId);
});

Deno.test("it grows until runs no longer wait, and gives back what is no longer needed", async () => {
  // With fewer than nine lanes runs wait, until the load is over.
  const asked = await driven((lanes, i) => i < 60 && lanes < 9 ? 30 : 0, well, 1_000);
  assert.deepEqual(asked, [5, 6, 7, 8, 10, 9, 8, 7, 6, 5, 4]);
});

Deno.test("it does not go to and fro where one lane less is one too few", async () => {
  const asked = await driven((lanes) => lanes < 7 ? 30 : 0, well, 5_000);
  assert.deepEqual(asked.slice(0, 3), [5, 6, 7]);
  assert.ok(asked.length <= 3 + 2 * 18, `${asked.length} changes in 5,000 runs`);
  const later = await driven((lanes) => lanes < 7 ? 30 : 0, well, 10_000);
  // At most one give and take in 64 windows of 5 runs, and the few that led there.
  assert.ok(later.length - asked.length <= 2 * (5_000 / 320 + 1), `${later.length - asked.length}`);
});

Deno.test("what makes runs fail is tried again ever later", async () => {
  // More than 6 lanes are too many, and they wait with any number of them.
  const asked = await driven(() => 30, (lanes) => lanes <= 6, 4_000);
  assert.deepEqual(asked.slice(0, 4), [5, 6, 7, 3]);
  const late = await driven(() => 30, (lanes) => lanes <= 6, 8_000);
  const failures = late.slice(asked.length).filter((lanes) => lanes > 6).length;
  assert.ok(failures <= 4_000 / (5 * 64) + 1, `${failures} relapses in the last 4,000 runs`);
});

Deno.test("runs that fail make it less at once, and it comes back when they are well", async () => {
  const asked = await driven(() => 0, (_, i) => i >= 2, 200);
  assert.deepEqual(asked, [2, 3, 4]);
});

Deno.test("an analyzer's finding makes it less, and nothing grows until it is over", async () => {
  await testPlugin(plugin, {
    workflow: "test",
    parameters: { concurrency: LANES },
    spans: [run(0, 4, 30), finding("begun", 100, 70), ...runs(30, 4, 30)],
    expect: ([action, ...more]) => {
      assert.ok(action.type === "propose");
      assert.deepEqual([action.changes, more], [{ concurrency: 2 }, []]);
      assert.equal(
        action.reason,
        "Of 1 run with concurrency 4, health is 61 of 100, less than 80: less, 2",
      );
    },
  });
  const known = { value: 4, usual: 4, patience: 1, leisure: 4, samples: [], well: 3, idle: 0 };
  for (const [state, grows] of [["begun", false], ["over", true]] as const) {
    await testPlugin(plugin, {
      workflow: "test",
      state: { test: { ...known, ill: true } },
      parameters: { concurrency: LANES },
      spans: [finding(state, 70, 70), ...runs(5, 4, 30)],
      expect: (actions) => assert.equal(actions.length === 1, grows),
    });
  }
});

Deno.test("a finding that is about waiting alone is no reason for less", async () => {
  await testPlugin(plugin, {
    workflow: "test",
    parameters: { concurrency: LANES },
    spans: [run(0, 4, 30), finding("begun", 95, 95)],
    expect: [],
  });
});

Deno.test("it keeps to the bounds, and to runs that say something", async () => {
  const attributes = {
    "spanloop.parameter.concurrency": 4,
    "spanloop.experiment.arm": "candidate",
  };
  await testPlugin(plugin, {
    parameters: { concurrency: { ...LANES, max: 4, min: 4 } },
    spans: [...runs(30, 4, 30), ...runs(30, 4, 30, { outcome: "failed" })],
    expect: [],
  });
  await testPlugin(plugin, {
    parameters: { concurrency: LANES },
    spans: [
      ...runs(30, 9, 30),
      ...runs(30, 4, 30, { outcome: "cancelled" }),
      ...runs(30, 4, 30, { attributes }),
      ...runs(30, 4, 30, { runId: "of another kind" }),
    ],
    expect: [],
  });
});
