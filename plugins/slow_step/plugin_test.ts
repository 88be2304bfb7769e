import assert from "node:assert/strict";
import type { Json } from "spanloop";
import { type GivenSpan, testPlugin } from "spanloop/testing";
import { NOTHING, observe, quantile, type Recent, tooMany } from "./history.ts";
import plugin from "./plugin.ts";

const SEED = 20_261_121;
console.log(`seed ${SEED}`);

// Mulberry32: small, and good enough to draw durations with.
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ seed >>> 15, 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed)) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
}

/** A step under observation, without a plugin around it. */
class Step {
  recent: Recent = NOTHING;
  history: readonly number[] = [];

  /** Whether it has become slow with an attempt. */
  add(seconds: number): boolean {
    const attempt = [seconds, "a".repeat(32), "b".repeat(16)] as const;
    const { recent, history, left } = observe(this.recent, attempt, () => this.history);
    this.recent = recent;
    this.history = history ?? this.history;
    return left !== undefined;
  }
}

const next = random(SEED);
const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
const STEADY: Readonly<Record<string, () => number>> = {
  "log-normal (σ 0.5)": () => Math.exp(0.5 * normal()),
  "exponential": () => -Math.log(1 - next()),
  "log-normal (σ 1)": () => Math.exp(normal()),
};

function attempts(count: number, seconds: () => number, more: GivenSpan = {}): GivenSpan[] {
  return Array.from({ length: count }, () => ({ name: "load", duration: seconds(), ...more }));
}

Deno.test("a step that becomes slow is told of once, and again after it has come back", async () => {
  const draw = STEADY["log-normal (σ 0.5)"];
  const twice = () => 2 * draw();
  const spans = [
    ...attempts(300, draw),
    ...attempts(200, twice),
    ...attempts(200, draw),
    ...attempts(200, twice),
  ];
  const { actions } = await testPlugin(plugin, {
    spans,
    expect: (actions) =>
      assert.deepEqual(actions.map((action) => "name" in action && action.name), [
        "finding.slow_step",
        "finding.slow_step",
      ]),
  });
  const [{ action, event }] = actions;
  assert.ok(action.type === "emit" && "span" in event);
  const { "spanloop.finding.p95.now": now, "spanloop.finding.p95.before": before, ...rest } = action
    .attributes!;
  assert.deepEqual(rest, {
    "cicd.pipeline.name": "test",
    "spanloop.step.id": "load",
    "spanloop.finding.attempts": 40,
  });
  assert.ok(Number(now) > Number(before), `${now} now, ${before} before`);
  const links = action.links!.map(({ spanId }) => spanId);
  assert.ok(links.includes(event.span.spanId) && links.length >= 9, links.join());
});

Deno.test("batches of another size, other steps and attempts that failed make no step slow", async () => {
  const { state } = await testPlugin(plugin, {
    spans: [
      ...attempts(200, () => 2, { items: { processed: 20, failed: 0 } }),
      ...attempts(60, () => 4, { items: { processed: 39, failed: 1 } }),
      ...attempts(60, () => 40, { outcome: "failed" }),
      ...attempts(200, () => 40, { name: "save" }),
    ],
    expect: [],
  });
  assert.deepEqual(Object.keys(state).sort(), [
    "history/test/load",
    "history/test/save",
    "recent/test/load",
    "recent/test/save",
  ]);
});

Deno.test("attempts that time out make a step slow", async () => {
  await testPlugin(plugin, {
    spans: [
      ...attempts(200, STEADY.exponential),
      ...attempts(20, () => 60, { outcome: "timed_out" }),
    ],
    expect: (actions) => assert.equal(actions.length, 1),
  });
});

Deno.test("what stays slow for long becomes the history", () => {
  const step = new Step();
  let left = 0;
  const add = (count: number, factor: number) => {
    for (let i = 0; i < count; i++) if (step.add(factor * STEADY.exponential())) left++;
  };
  add(400, 1);
  add(900, 3);
  assert.equal(left, 1);
  assert.equal(step.recent.slowSince, undefined);
  assert.ok(quantile(step.history) > 6);
  add(100, 9);
  assert.equal(left, 2);
});

Deno.test("all that is kept fits: 140 steps that are slow", async () => {
  const step = new Step();
  for (let i = 0; i < 469; i++) {
    step.add(Number((1e-5 * (i < 460 ? 1 : 9) * (1 + next())).toPrecision(4)));
  }
  assert.equal(step.history.length, 300);
  // Every one of the last 40 slow, and none of it told of yet.
  const times = Array.from({ length: 40 }, () => [1.234e-5, "a".repeat(32), "b".repeat(16)]);
  const state: Record<string, Json> = {};
  for (let i = 0; i < 140; i++) {
    state[`recent/workflow/step-${i}`] = { ...step.recent, times };
    state[`history/workflow/step-${i}`] = step.history;
  }
  const size = JSON.stringify(state).length;
  assert.ok(size < 1024 ** 2, `${size} bytes`);
  const { state: after, log } = await testPlugin(plugin, {
    spans: [{ name: "step-7", workflow: "workflow" }, { name: "one-more" }],
    state,
    expect: [],
  });
  assert.equal(Object.keys(after).length, 280);
  assert.deepEqual(log, []);
});

Deno.test("so many exceedances come by chance once in a thousand times at most", () => {
  // By the definition, without any formula: of 140 times in any order, how often do the last 40 have so many above
  // the 95th percentile of the first 100?
  const rounds = 20_000;
  let exceeded = 0;
  for (let i = 0; i < rounds; i++) {
    const limit = quantile(Array.from({ length: 100 }, next));
    let above = 0;
    for (let k = 0; k < 40; k++) if (next() > limit) above++;
    if (above >= tooMany(100) - 4) exceeded++;
  }
  // Beta-binomial (40, 6, 95): at least 7 of 40.
  const expected = 0.02406;
  assert.equal(tooMany(100), 11);
  assert.equal(tooMany(300), 9);
  assert.ok(Math.abs(exceeded / rounds - expected) < 0.004, `${exceeded / rounds}`);
});

// What the README says of false alarms and of delays, with room for another seed.
for (const [name, draw] of Object.entries(STEADY)) {
  Deno.test(`noise is not taken for a slowdown, and twice as slow is noticed: ${name}`, () => {
    let alarms = 0;
    let observed = 0;
    const delays: number[] = [];
    for (let series = 0; series < 60; series++) {
      const step = new Step();
      for (let i = 0; i < 1_000; i++) if (step.add(draw())) alarms++;
      observed += 1_000;
      if (step.recent.slowSince !== undefined) continue;
      for (let delay = 1; delay <= 1_000; delay++) {
        if (!step.add(2 * draw())) continue;
        delays.push(delay);
        break;
      }
    }
    delays.sort((a, b) => a - b);
    const [half, most] = [0.5, 0.9].map((share) => delays[Math.floor(share * delays.length)]);
    const rate = alarms / observed * 10_000;
    console.log(`${name}: ${rate} false alarms in 10,000, noticed after ${half} (90 %: ${most})`);
    assert.ok(rate < 3);
    assert.ok(delays.length >= 55, `${delays.length} of 60 were noticed`);
    assert.ok(half <= 100 && half >= 10);
  });
}
