import assert from "node:assert/strict";
import { type GivenSpan, openPlugin, testPlugin } from "spanloop/testing";
import { CONFIG, type Config } from "./config.ts";
import { enough, judge, type Sample } from "./control.ts";
import plugin from "./plugin.ts";

const CALL: Config = {
  step: "call",
  parameter: "concurrency",
  target_error_rate: 0.01,
  latency_factor: 2.5,
  increase: 1,
  decrease: 0.75,
};

function calls(count: number, concurrency: number, more: GivenSpan = {}): GivenSpan[] {
  return Array.from({ length: count }, () => ({
    name: "call",
    duration: 0.1,
    attributes: { "spanloop.parameter.concurrency": concurrency },
    ...more,
  }));
}

function samples(seconds: readonly number[], failed = 0): Sample[] {
  const failures = Array.from({ length: failed }, () => ({ failed: 1 }));
  return [...seconds.map((seconds) => ({ failed: 0, seconds })), ...failures]
    .map((sample) => ({ ...sample, traceId: "", spanId: "" }));
}

const ten = (seconds: number) => Array.from({ length: 10 }, () => seconds);

Deno.test("CONFIG's defaults are those of the tests", () => {
  const defaults = Object.entries(CONFIG.properties)
    .flatMap(([name, property]) => "default" in property ? [[name, property.default]] : []);
  assert.deepEqual({ step: "call", ...Object.fromEntries(defaults) }, CALL);
});

Deno.test("it asks for one more while attempts succeed, with numbers and evidence", async () => {
  const { actions } = await testPlugin(plugin, {
    config: { step: "call" },
    workflow: "test",
    parameters: { concurrency: { value: 4, min: 1, max: 8 } },
    spans: [...calls(10, 4), { name: "other", duration: 9 }, ...calls(10, 4, { duration: 0.2 })],
    expect: (actions) => assert.equal(actions.length, 1),
  });
  const [{ action, event }] = actions;
  assert.ok(action.type === "propose" && "span" in event);
  const { evidence, ...rest } = action;
  assert.deepEqual(rest, {
    type: "propose",
    workflow: "test",
    changes: { concurrency: 5 },
    reason:
      "Of 20 attempts at call with concurrency 4, 0 % failed (at most 1 %), and half took up to " +
      "100 ms, 1.00 times the best (at most 2.5): more, 5",
    version: 0,
    immediate: true,
  });
  assert.equal(evidence!.length, 20);
  assert.equal(evidence!.at(-1)!.spanId, event.span.spanId);
});

Deno.test("errors make it ask for less, items that failed among them", async () => {
  for (
    const failing of [
      { outcome: "failed", error: "http.status" },
      { outcome: "timed_out" },
      { items: { processed: 8, failed: 2 } },
    ] as const
  ) {
    await testPlugin(plugin, {
      config: { step: "call" },
      parameters: { concurrency: { value: 8, min: 1, max: 64 } },
      spans: [...calls(18, 8), ...calls(2, 8, failing)],
      expect: ([action]) => {
        assert.ok(action.type === "propose");
        assert.deepEqual(action.changes, { concurrency: 6 });
        assert.match(action.reason, /^Of 20 attempts at call with concurrency 8, (10|2) % failed/);
      },
    });
  }
});

Deno.test("attempts that take longer than at best make it ask for less", async () => {
  const loop = await openPlugin(plugin, {
    config: { step: "call" },
    parameters: () => ({ concurrency: { value, min: 1, max: 64 } }),
  });
  // A service that does four at once: beyond them each further one waits its turn.
  let value = 1;
  const values: number[] = [];
  for (let i = 0; i < 1_000; i++) {
    const duration = 0.1 * Math.max(1, value / 4);
    for (const action of await loop.span(calls(1, value, { duration })[0])) {
      assert.ok(action.type === "propose");
      value = Number(action.changes.concurrency);
      values.push(value);
    }
  }
  await loop.close();
  // It climbs to where an attempt takes more than 2.5 times as long, and from then on stays near it.
  assert.deepEqual(values.slice(0, 13), [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 8, 9, 10]);
  assert.deepEqual([...new Set(values.slice(10))].sort((a, b) => a - b), [8, 9, 10, 11]);
});

Deno.test("attempts that another value ruled do not count", async () => {
  const one = calls(1, 4)[0];
  await testPlugin(plugin, {
    config: { step: "call" },
    parameters: { concurrency: { value: 5, max: 8 } },
    spans: [
      ...calls(30, 4),
      ...calls(10, 5),
      ...Array.from({ length: 10 }, () => ({ ...one, outcome: "failed" as const })),
      ...calls(10, 5),
    ],
    expect: ([action, ...more]) => {
      assert.ok(action.type === "propose");
      assert.deepEqual([action.changes, more], [{ concurrency: 6 }, []]);
    },
  });
});

Deno.test("attempts that were cancelled, skipped or interrupted do not count", async () => {
  const outcomes = ["cancelled", "skipped", "interrupted"] as const;
  await testPlugin(plugin, {
    config: { step: "call" },
    parameters: { concurrency: { value: 4 } },
    spans: [...calls(19, 4), ...outcomes.flatMap((outcome) => calls(9, 4, { outcome }))],
    expect: [],
  });
});

Deno.test("it keeps to the bounds, and asks for nothing that rules already", async () => {
  for (const [value, duration] of [[8, 0.1], [1, 9]]) {
    await testPlugin(plugin, {
      config: { step: "call" },
      state: { test: { value, best: 0.1, samples: [] } },
      parameters: { concurrency: { value, min: 1, max: 8 } },
      spans: calls(100, value, {
        duration,
        ...value === 1 ? { items: { processed: 1, failed: 1 } } : {},
      }),
      expect: [],
    });
  }
});

Deno.test("a parameter that is not tunable is told of", async () => {
  const test = testPlugin(plugin, {
    config: { step: "call", parameter: "workers" },
    parameters: { concurrency: { value: 4 } },
    spans: calls(1, 4),
    expect: [],
  });
  await assert.rejects(test, /test has no tunable parameter workers; name one of its/);
});

Deno.test("what the least concurrency gives is the best there is, even if it was better once", () => {
  const window = { value: 2, best: 0.1, samples: samples(ten(0.5)) };
  assert.deepEqual(judge(window, CALL, { min: 1 }).value, 1);
  const least = judge({ ...window, value: 1 }, CALL, { min: 1 });
  assert.deepEqual([least.best, least.value], [0.5, 2]);
  const again = judge({ value: 2, best: least.best, samples: samples(ten(0.5)) }, CALL, { min: 1 });
  assert.equal(again.value, 3);
});

Deno.test("when all fail there is no best, and less is asked for until nothing is left", () => {
  const all = { value: 9, samples: samples([], 20) };
  const { value, best, reason } = judge(all, CALL, { min: 1 });
  assert.deepEqual([value, best], [6, undefined]);
  assert.equal(
    reason,
    "Of 20 attempts at call with concurrency 9, 100 % failed (at most 1 %): less, 6",
  );
  assert.equal(judge({ ...all, value: 1 }, CALL, {}).value, 1);
});

Deno.test("a verdict takes twice as many attempts as are under way", () => {
  assert.deepEqual([1, 10, 11, 64].map(enough), [20, 20, 22, 128]);
});
