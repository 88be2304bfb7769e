import assert from "node:assert/strict";
import { definePlugin, type PluginDefinition } from "spanloop";
import { openPlugin, type PluginTest, testPlugin } from "spanloop/testing";

// Says each slow span, and how many there have been.
const slow = definePlugin({
  name: "slow",
  role: "analyzer",
  subscribe: [{ event: "ended", role: "attempt", where: "duration > 1.0" }, { cron: "0 * * * *" }],
  actions: ["emit"],
  config: {
    type: "object",
    additionalProperties: false,
    properties: { finding: { type: "string", default: "finding.slow" } },
  },
  onSpan({ span }, { config, state, log, now }) {
    const count = Number(state.get("count") ?? 0) + 1;
    state.set("count", count);
    log(`${span.name} at ${now}`);
    return [{ type: "emit", name: config.finding, attributes: { count, step: span.stepId! } }];
  },
  onTick({ time }, { state }) {
    return [{
      type: "emit",
      name: "count",
      attributes: { time, count: Number(state.get("count")) },
    }];
  },
});

Deno.test("testPlugin() tells a plugin what it subscribes to, and compares its actions", async () => {
  const { actions, state, log } = await testPlugin(slow, {
    spans: [
      { name: "load", duration: 2, endTime: 100 },
      { name: "load", duration: 0.5 },
      { name: "run", role: "run", duration: 9 },
      { name: "load", duration: 3, plugin: "slow" },
      { name: "save", duration: 3, endTime: 200 },
    ],
    ticks: [150],
    state: { count: 5 },
    config: { finding: "it" },
    expect: [
      { type: "emit", name: "it", attributes: { count: 6, step: "load" } },
      { type: "emit", name: "count", attributes: { time: 150, count: 6 } },
      { type: "emit", name: "it", attributes: { count: 7, step: "save" } },
    ],
  });
  assert.deepEqual(state, { count: 7 });
  assert.deepEqual(log, ["load at 100", "save at 200"]);
  assert.deepEqual(actions.map(({ event }) => "span" in event ? event.span.name : event.time), [
    "load",
    150,
    "save",
  ]);
});

Deno.test("testPlugin() shows the difference", async () => {
  const test = testPlugin(slow, {
    spans: [{ name: "load", duration: 2 }],
    expect: [{ type: "emit", name: "finding.slow", attributes: { count: 2, step: "load" } }],
  });
  await assert.rejects(test, (error: Error) => {
    assert.equal(error.name, "AssertionError");
    assert.match(error.message, /-\s+count: 2|\+\s+count: 1/);
    return true;
  });
  await assert.rejects(
    testPlugin(slow, {
      spans: [{ duration: 2 }],
      expect: (actions) => assert.equal(actions.length, 7),
    }),
    /1 !== 7/,
  );
});

type Faults = readonly (readonly [PluginDefinition | object, Partial<PluginTest>, RegExp])[];

// A plugin that gives back what it is told to.
const giving = (returned: unknown, more: object = {}) => ({
  name: "giving",
  role: "agent",
  subscribe: { name: "load" },
  actions: ["emit"],
  onSpan: () => returned,
  ...more,
});

const FAULTS: Faults = [
  [{ name: "Slow" }, {}, /`name` must be lower-case letters/],
  [giving([], { subscribe: { nam: "x" } }), {}, /subscription to spans has no `nam`/],
  [
    giving([], { subscribe: { where: "duration >" } }),
    {},
    /subscription 1: its `where` does not hold/,
  ],
  [
    giving([], { config: { type: "objekt" } }),
    {},
    /configuration does not hold: the plugin's own schema/,
  ],
  [slow, { config: { findings: 1 } }, /configuration does not hold: .*findings/],
  [giving(7), {}, /must give back a list of actions, or nothing/],
  [
    giving([{ type: "emit" }]),
    {},
    /refuse action 0 that answers load \(ended, position 2\): `name` must/,
  ],
  [giving([{ type: "command", name: "x" }]), {}, /does not list `command` in its `actions`/],
  [giving([], { onSpan: () => JSON.parse("{") }), {}, /SyntaxError: .*testing_test\.ts:\d+/],
  [slow, { spans: [{ nam: "x" } as object] }, /A span has no `nam`/],
  [slow, { spans: [{ duration: -1 }] }, /must not be negative/],
  [slow, { spans: "nowhere.jsonl" }, /Cannot read nowhere\.jsonl: /],
];

Deno.test("testPlugin() says what is wrong with a plugin or a test", async () => {
  for (const [plugin, more, says] of FAULTS) {
    const test = { spans: [{ name: "load" }], expect: [], ...more };
    await assert.rejects(testPlugin(plugin as PluginDefinition, test), says, String(says));
  }
});

Deno.test("a plugin under test sees parameters, and what ran before in runs that have ended", async () => {
  const asking = definePlugin({
    name: "asking",
    role: "optimizer",
    subscribe: { name: "now" },
    actions: ["propose"],
    async onSpan(_, { query, parameters, log }) {
      log((await query({ stepId: "load" })).map(({ duration }) => duration).join());
      const { version, parameters: { size } } = await parameters();
      const changes = { size: Math.min(Number(size.value) * 2, size.max!) };
      return [{ type: "propose", changes, reason: "More is better.", version }];
    },
  });
  const { log } = await testPlugin(asking, {
    workflow: "test",
    spans: [
      { name: "load", duration: 1, runId: "one" },
      { name: "load", duration: 2, runId: "one" },
      { name: "load", duration: 3, runId: "other", workflow: "other" },
      { name: "load", duration: 4, runId: "open" },
      { name: "now", runId: "two" },
      { role: "run", runId: "open", duration: 9 },
    ],
    parameters: { size: { value: 8, max: 10 } },
    expect: [{ type: "propose", changes: { size: 10 }, reason: "More is better.", version: 0 }],
  });
  assert.deepEqual(log, ["4,2,1"]);
});

Deno.test("openPlugin() answers each span with its actions", async () => {
  const plugin = await openPlugin(slow, {});
  try {
    const [emit] = await plugin.span({ name: "load", duration: 2 });
    assert.deepEqual(emit, {
      type: "emit",
      name: "finding.slow",
      attributes: { count: 1, step: "load" },
    });
    assert.deepEqual(await plugin.span({ name: "load", duration: 1 }), []);
    assert.equal((await plugin.tick(7)).length, 1);
    assert.deepEqual(plugin.state, { count: 1 });
  } finally {
    await plugin.close();
  }
});

// Proposes twice what rules for the workflow that it is told, and says what it was answered.
const doubling = definePlugin({
  name: "doubling",
  role: "optimizer",
  subscribe: { role: "attempt" },
  actions: ["propose"],
  onSpan({ span }, { state }) {
    state.set("last", span.name);
  },
  steps: {
    double: {
      with: {
        type: "object",
        additionalProperties: false,
        properties: { name: { type: "string" }, by: { type: "number", default: 2 } },
        required: ["name"],
      },
      async run({ with: { name, by }, log, now, propose, parameters, kept, query }) {
        const { parameters: { [String(name)]: { value } } } = await parameters("other");
        const changes = { [String(name)]: Number(value) * Number(by) };
        const { outcome } = await propose({ workflow: "other", changes, reason: "twice" });
        log(`${name} at ${now}`);
        return { outcome, kept: await kept("other"), spans: (await query({})).length };
      },
    },
    bare: { run: async ({ propose }) => void await propose({ changes: {}, reason: "none" }) },
  },
});

Deno.test("a step of a tested plugin sees what was heard and kept, and its proposals are told", async () => {
  const plugin = await openPlugin(doubling, {
    workflow: "own",
    parameters: { size: { value: 4 } },
  });
  try {
    await plugin.span({ name: "load", endTime: 100 });
    const { outputs, proposals, log } = await plugin.step("double", { with: { name: "size" } });
    assert.deepEqual(outputs, { outcome: "applied", kept: { last: "load" }, spans: 1 });
    assert.deepEqual(proposals, [
      { type: "propose", workflow: "other", changes: { size: 8 }, reason: "twice" },
    ]);
    assert.deepEqual(log, ["size at 100"]);
    const held = await plugin.step("double", {
      with: { name: "size", by: 3 },
      decide: ({ changes }) => ({ outcome: changes.size === 12 ? "held" : "refused" }),
    });
    assert.equal(held.outputs.outcome, "held");
    await assert.rejects(plugin.step("bare"), {
      name: "AssertionError",
      message: "An engine would refuse action 0 in `bare`: `changes` " +
        "must name at least one parameter",
    });
    await assert.rejects(plugin.step("double"), { code: "step.input" });
    await assert.rejects(plugin.step("treble"), { code: "step.unknown", message: /double, bare/ });
  } finally {
    await plugin.close();
  }
});
