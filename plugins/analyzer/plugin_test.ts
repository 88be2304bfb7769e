import assert from "node:assert/strict";
import type { Action, Analysis, Json, PluginSpan } from "spanloop";
import { type GivenSpan, openPlugin, testPlugin } from "spanloop/testing";
import { normalOf, randomOf } from "./_test_series.ts";
import plugin from "./plugin.ts";
import { Step } from "./step.ts";

const SEED = 20_261_121;
console.log(`seed ${SEED}`);

const SPAN: PluginSpan = {
  traceId: "a".repeat(32),
  spanId: "b".repeat(16),
  name: "load",
  kind: "internal",
  startTime: 0,
  status: "unset",
  attributes: {},
  links: [],
  external: false,
};

/** Runs of a workflow, one every ten minutes, made span by span. */
class Runs {
  readonly spans: GivenSpan[] = [];
  time = 1_750_000_000;
  #count = 0;

  /** A run with attempts that take so long, by step; each step begins when the one before has ended. */
  add(
    steps: Readonly<Record<string, readonly GivenSpan[]>>,
    { outcome = "succeeded", waited = 0, ...run }: GivenSpan & { readonly waited?: number } = {},
  ): string {
    const made = Math.round((this.time - waited) * 1e3).toString(16).padStart(12, "0");
    const runId = `${made.slice(0, 8)}-${made.slice(8)}-7000-8000-${
      String(++this.#count).padStart(12, "0")
    }`;
    const began = this.time;
    for (const [stepId, attempts] of Object.entries(steps)) {
      for (const { duration = 1, ...more } of attempts) {
        const startTime = this.time;
        this.time += duration;
        this.spans.push({ name: stepId, stepId, runId, startTime, endTime: this.time, ...more });
      }
    }
    const role = "run";
    this.spans.push({
      role,
      name: "run",
      runId,
      startTime: began,
      endTime: this.time,
      outcome,
      ...run,
    });
    this.time = began + 600;
    return runId;
  }
}

type Findings = readonly { readonly name: string; readonly [attribute: string]: Json }[];

function findings(actions: readonly Action[]): Findings {
  return actions.map((action) => {
    assert.ok(action.type === "emit");
    return { name: action.name, ...action.attributes } as Findings[number];
  });
}

const CONFIG = { error_rate: 0.1, success_rate: 0.8, mean_duration: 10, health: 80, window: 20 };

async function analyse(spans: readonly GivenSpan[], config = {}): Promise<Analysis> {
  const opened = await openPlugin(plugin, { config });
  for (const span of spans) await opened.span(span);
  const { outputs } = await opened.step("report", {});
  await opened.close();
  return outputs as unknown as Analysis;
}

Deno.test("each threshold is told once when it is passed, with its numbers, and once when that is over", async () => {
  const runs = new Runs();
  const failed = { outcome: "failed", error: "shell.exit" } as const;
  for (let i = 0; i < 10; i++) runs.add({ load: [{ duration: 1 }] });
  for (let i = 0; i < 8; i++) runs.add({ load: [{ duration: 30, ...failed }] }, failed);
  for (let i = 0; i < 40; i++) runs.add({ load: [{ duration: 1 }] });
  const { actions } = await testPlugin(plugin, { spans: runs.spans, expect: () => {} });
  const told = findings(actions.map(({ action }) => action));
  const of = (name: string) => told.filter((one) => one.name === name);
  for (const name of ["error_rate", "success_rate", "slow", "health"]) {
    assert.deepEqual(
      of(`finding.${name}`).map((one) => one["spanloop.finding.state"]),
      ["begun", "over"],
      name,
    );
  }
  const [rate] = of("finding.error_rate");
  assert.equal(rate["spanloop.finding.value"], 2 / 12);
  assert.equal(rate["spanloop.finding.count"], 12);
  assert.equal(rate["spanloop.finding.threshold"], 0.1);
  assert.equal(rate["spanloop.step.id"], "load");
  assert.match(
    String(rate["spanloop.finding.message"]),
    /^load: 17 % of 12 attempts failed in the last 12 runs \(95 % .* to .*\); at most 10 % may$/,
  );
  const [slow] = of("finding.slow");
  assert.ok(Number(slow["spanloop.finding.value"]) > 10, `${slow["spanloop.finding.value"]}`);
  const [health] = of("finding.health");
  assert.match(String(health["spanloop.finding.message"]), /most of it is lost by /);
});

Deno.test("what is below its threshold, or of fewer than three runs, is not told", async () => {
  const runs = new Runs();
  runs.add({ load: [{ outcome: "failed", error: "x" }] }, { outcome: "failed" });
  runs.add({ load: [{ outcome: "failed", error: "x" }] }, { outcome: "failed" });
  for (let i = 0; i < 30; i++) {
    const items = { processed: 91, failed: i === 0 ? 9 : 8 };
    runs.add({ rest: [{ duration: 9.9, items }] });
  }
  const { actions } = await testPlugin(plugin, {
    config: { success_rate: 0.3, health: 10 },
    spans: runs.spans.filter(({ stepId, role }) => stepId !== "load" || role === "run"),
    expect: () => {},
  });
  assert.deepEqual(findings(actions.map(({ action }) => action)), []);
});

Deno.test("a change of cost is told with the run that it began with, how sure and by how much", async () => {
  const random = randomOf(SEED);
  const runs = new Runs();
  const add = (seconds: number, version: number) => {
    const items = { processed: 100, failed: 0 };
    return runs.add({
      load: [1, 2].map(() => ({
        duration: seconds * Math.exp(0.1 * normalOf(random)),
        items,
        attributes: { "spanloop.batch.index": 0 },
      })),
    }, { attributes: { "spanloop.parameters.version": version } });
  };
  for (let i = 0; i < 40; i++) add(0.2, 1);
  const since = add(0.4, 2);
  for (let i = 0; i < 20; i++) add(0.4, 2);
  const { actions } = await testPlugin(plugin, { spans: runs.spans, expect: () => {} });
  const changes = actions.filter(({ action }) =>
    action.type === "emit" && action.name === "finding.change_point"
  );
  assert.equal(changes.length, 1);
  const [{ action }] = changes;
  const [told] = findings([action]);
  assert.equal(told["spanloop.finding.since"], since);
  assert.equal(told["spanloop.parameters.version"], 2);
  const [ratio, low, high] = ["ratio", "low", "high"].map((name) =>
    Number(told[`spanloop.finding.${name}`])
  );
  assert.ok(low <= 2 && 2 <= high && Math.abs(ratio - 2) < 0.3, `${low} ${ratio} ${high}`);
  assert.ok(Number(told["spanloop.finding.confidence"]) > 0.995);
  assert.match(
    String(told["spanloop.finding.message"]),
    /^load: since run .{8} an item costs .* times as much .*; that run was the first with version 2/,
  );
  const span = runs.spans.find(({ role, runId }) => role === "run" && runId === since)!;
  const position = runs.spans.indexOf(span);
  assert.deepEqual(action.type === "emit" && action.links?.length, 1, `${position}`);
});

Deno.test("a run that costs five times as much is an anomaly, and a candidate's values are not", async () => {
  const random = randomOf(SEED);
  const runs = new Runs();
  const costs = (times: number, attributes = {}) =>
    runs.add({ load: [{ duration: times * Math.exp(0.1 * normalOf(random)), attributes }] });
  for (let i = 0; i < 30; i++) costs(1);
  costs(5, { "spanloop.experiment.arm": "candidate" });
  costs(1);
  const odd = costs(5);
  for (let i = 0; i < 3; i++) costs(1);
  const { actions } = await testPlugin(plugin, { spans: runs.spans, expect: () => {} });
  const told = actions.filter(({ action }) =>
    action.type === "emit" && action.name === "finding.anomaly"
  );
  assert.deepEqual(told.map(({ event }) => "span" in event && event.span.runId), [odd]);
  const [anomaly] = findings([told[0].action]);
  assert.ok(Number(anomaly["spanloop.finding.score"]) >= 4.5);
  assert.ok(Math.abs(Number(anomaly["spanloop.finding.expected"]) - 1) < 0.1);
});

Deno.test("the report says of each step what its spans say", async () => {
  const runs = new Runs();
  for (let i = 0; i < 10; i++) {
    const batch = (index: number, more: GivenSpan = {}): GivenSpan => ({
      duration: 2,
      items: { processed: 9, failed: 1 },
      attributes: { "spanloop.batch.index": index },
      ...more,
    });
    const first = runs.time + 1;
    runs.add({
      fetch: [{ duration: 1 }],
      load: [batch(0), batch(1, { outcome: "failed", error: "x" }), batch(1, { attempt: 2 })],
    }, { waited: 2 });
    // The span around the batches, which ends with the last one.
    const run = runs.spans.pop()!;
    runs.spans.push({
      role: "step",
      name: "load",
      stepId: "load",
      runId: run.runId,
      startTime: first,
      endTime: first + 6,
      items: { processed: 18, failed: 2 },
    }, run);
  }
  const { health, workflows: [flow] } = await analyse(runs.spans);
  assert.equal(flow.workflow, "test");
  assert.equal(flow.runs, 10);
  assert.deepEqual(flow.success.rate, 1);
  assert.ok(Math.abs(flow.queue - 2) < 0.01, `${flow.queue}`);
  assert.ok(Math.abs(flow.durations.mean - 7) < 1e-5);
  const [load, fetch] = flow.steps;
  assert.deepEqual([load.step, load.unit, load.runs, load.attempts], ["load", "item", 10, 30]);
  assert.ok(Math.abs(load.throughput - 20 / 6) < 1e-3, `${load.throughput}`);
  assert.ok(Math.abs(load.cost - 6 / 20) < 1e-3, `${load.cost}`);
  assert.deepEqual([load.errors.rate, load.errors.of], [0.1, 200]);
  assert.ok(load.errors.low < 0.1 && load.errors.high > 0.1);
  assert.ok(Math.abs(load.retries - 1 / 3) < 1e-9);
  assert.ok(Math.abs(load.path - 6 / 7) < 1e-3, `${load.path}`);
  assert.ok(Math.abs(load.durations.p95 / 2 - 1) < 0.0201);
  assert.equal(load.recent.length, 10);
  assert.deepEqual([fetch.unit, fetch.errors.rate], ["attempt", 0]);
  assert.ok(Math.abs(fetch.path - 1 / 7) < 1e-3);
  // 2 of 9 seconds waited: (100 * 0.9^0.3 * (7/9)^0.1).
  assert.ok(Math.abs(health! - 100 * 0.9 ** 0.3 * (7 / 9) ** 0.1) < 0.2, `${health}`);
  assert.deepEqual(flow.health.parts.map(({ part }) => part), [
    "success",
    "errors",
    "speed",
    "waiting",
  ]);
});

Deno.test("it goes on from what it kept as if it had never stopped", async () => {
  const random = randomOf(SEED);
  const runs = new Runs();
  for (let i = 0; i < 60; i++) {
    const seconds = Math.exp(0.1 * normalOf(random)) * (i < 40 ? 1 : 3);
    runs.add({ a: [{ duration: seconds }], b: [{ duration: 20 * seconds }] });
  }
  const whole = await testPlugin(plugin, { spans: runs.spans, expect: () => {} });
  let state: Readonly<Record<string, Json>> = {};
  const told: Action[] = [];
  for (let from = 0; from < runs.spans.length; from += 50) {
    const part = await testPlugin(plugin, {
      state,
      spans: runs.spans.slice(from, from + 50),
      expect: () => {},
    });
    state = part.state;
    told.push(...part.actions.map(({ action }) => action));
  }
  assert.deepEqual(
    findings(told).map(({ name }) => name),
    findings(whole.actions.map(({ action }) => action)).map(({ name }) => name),
  );
  assert.ok(told.length > 2, `${told.length} findings`);
});

Deno.test("it knows so many steps, and makes room only by what it has not heard of for long", async () => {
  const runs = new Runs();
  for (let i = 0; i < 100; i++) runs.add({ [`step${i}`]: [{ duration: 1 }] });
  const { state, log } = await testPlugin(plugin, { spans: runs.spans, expect: () => {} });
  const stepsOf = (state: Readonly<Record<string, Json>>) =>
    Object.keys(state).filter((key) => key.startsWith("step/"));
  assert.equal(stepsOf(state).length, 64);
  assert.ok(stepsOf(state).includes("step/test/step0"));
  assert.deepEqual(log, ["It knows 64 steps now, and has no room for more"]);
  const later = new Runs();
  later.time = runs.time + 40 * 86_400;
  later.add({ new1: [{ duration: 1 }], new2: [{ duration: 1 }] });
  const { state: then } = await testPlugin(plugin, {
    state,
    spans: later.spans,
    expect: () => {},
  });
  assert.equal(stepsOf(then).length, 64);
  assert.ok(stepsOf(then).includes("step/test/new2") && !stepsOf(then).includes("step/test/step0"));
});

Deno.test("what it keeps stays within what a plugin may keep, whatever its steps are called and do", async () => {
  const random = randomOf(SEED);
  const runs = new Runs();
  const names = Array.from({ length: 40 }, (_, i) => `${"x".repeat(97)}${i}`);
  const failed = { outcome: "failed", error: "x" } as const;
  for (let i = 0; i < 30; i++) {
    runs.add(
      Object.fromEntries(names.map((name) => [
        name,
        [{ duration: 11 * Math.exp(2 * normalOf(random)), ...random() < 0.5 ? failed : {} }],
      ])),
      random() < 0.5 ? failed : {},
    );
  }
  // And runs that never end.
  const open: GivenSpan[] = Array.from({ length: 400 }, (_, i) => ({
    stepId: names[i % 40],
    name: "x",
    runId: `run${Math.floor(i / 40)}${"y".repeat(30)}`,
    startTime: runs.time + i * 1.234567,
    duration: 0.123456,
    items: { processed: 123456, failed: 123456 },
  }));
  const { state } = await testPlugin(plugin, {
    spans: [...runs.spans, ...open],
    expect: () => {},
  });
  const flow = JSON.stringify(state["flow/test"]).length;
  // A year of hourly runs of a step, at the end of a week.
  const step = new Step();
  for (let run = 0; run < 365 * 24; run++) {
    const time = 1_750_032_000 + 3_600 * run + 1.234567;
    const cost = Math.exp(2 * normalOf(random));
    step.attempt({ ...SPAN, duration: cost, endTime: time }, run % 3 === 0);
    const counts = { attempts: 1e6, failures: 1e5, items: 1e7, failedItems: 1e6 };
    const work = { busy: cost, wall: cost, path: cost, wait: cost, cost };
    step.run({ run, time, unit: "item", ...counts, ...work });
  }
  const size = JSON.stringify(step.write()).length;
  console.log(`${flow} bytes of the workflow, ${size} of a step`);
  assert.ok(flow < 64 * 1024, `${flow}`);
  assert.ok(size < 9_000, `${size}`);
});

Deno.test("runs that never end, and steps without a run, cost nothing for ever", async () => {
  const spans: GivenSpan[] = [];
  for (let i = 0; i < 400; i++) {
    spans.push({ name: "load", stepId: "load", runId: `run${i}`, duration: 1 });
  }
  for (const [runId, outcome] of [["run399", "skipped"], ["run398", "cancelled"]] as const) {
    spans.push({ role: "run", name: "run", runId, outcome });
  }
  const { state } = await testPlugin(plugin, { spans, expect: [] });
  const { open, skipped } = state["flow/test"] as { open: Json[]; skipped: number };
  assert.deepEqual([skipped, open.length], [2, 190]);
  assert.deepEqual(await analyse([]), { health: null, workflows: [] });
});

Deno.test("the configuration has the thresholds that were asked for", async () => {
  const opened = await openPlugin(plugin);
  await opened.close();
  const { properties } = plugin.config!;
  for (const [name, value] of Object.entries(CONFIG)) {
    assert.equal(properties[name as keyof typeof properties].default, value, name);
  }
});
