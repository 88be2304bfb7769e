import assert from "node:assert/strict";
import { RUN_TRACE, T0 } from "../../tests/contract/store_entries.ts";
import { seeded } from "../core/seeded_test.ts";
import type { ReceivedAttributes, ReceivedValue } from "../core/span.ts";
import { emittedHeard, endedHeard, receivedHeard, startedHeard } from "./_heard_fixture_test.ts";
import { attributeOf, toSpanEvent } from "./plugin_span.ts";

const LINK = { traceId: "c".repeat(32), spanId: "d".repeat(16) };
const SECOND = 1_000_000_000n;

Deno.test("a span's start tells what is known then, without its inputs (T1)", () => {
  const heard = startedHeard({
    name: "orders.load",
    workflow: "orders",
    attributes: { team: "data" },
    start: { inputs: { token: "secret" } },
    span: { parentSpanId: "e".repeat(16), links: [{ ...LINK, attributes: { why: "x" } }] },
  });
  assert.deepEqual(toSpanEvent(heard), {
    event: "started",
    position: 7,
    span: {
      traceId: RUN_TRACE,
      spanId: "00f067aa0ba902b7",
      parentSpanId: "e".repeat(16),
      name: "orders.load",
      kind: "internal",
      startTime: Number(T0 / 1_000_000_000n),
      status: "unset",
      attributes: { team: "data" },
      links: [LINK],
      external: false,
      workflow: "orders",
      runId: "run-1",
      role: "attempt",
      stepId: "load",
      attempt: 1,
    },
  });
});

Deno.test("a span's end adds its outcome and its attributes, without its outputs (T1)", () => {
  const startTime = 1_790_000_000n * SECOND;
  const { span } = toSpanEvent(endedHeard({
    attributes: { team: "data", tries: 1 },
    span: { startTime },
    end: {
      outcome: "failed",
      end: {
        endTime: startTime + SECOND / 4n,
        error: true,
        message: "no",
        attributes: { tries: 2, code: 1 },
      },
      outputs: { stdout: "private" },
      failure: { code: "shell.exit", message: "no", errorClass: "error" },
      items: { processed: 3, failed: 1 },
      tail: "private",
    },
  }));
  const { attributes, duration, endTime, status, message, outcome, error, items } = span;
  assert.deepEqual(attributes, { team: "data", tries: 2, code: 1 });
  assert.deepEqual([duration, endTime, status, message], [0.25, 1_790_000_000.25, "error", "no"]);
  assert.deepEqual([outcome, error, items], ["failed", "shell.exit", { processed: 3, failed: 1 }]);
  assert.ok(!JSON.stringify(span).includes("private"));
});

Deno.test("a received span keeps its status, is external, and its values become JSON (T2)", () => {
  const attributes = {
    small: 12n,
    large: 2n ** 60n,
    bytes: new Uint8Array([255, 0, 1]),
    rate: NaN,
    least: -Infinity,
    nothing: null,
    list: [1n, "a", [NaN]],
    map: { deep: { big: -(2n ** 60n) } },
  };
  const { span } = toSpanEvent(receivedHeard({ status: "ok", message: "m", attributes }));
  assert.deepEqual(span.attributes, {
    small: 12,
    large: "1152921504606846976",
    bytes: "/wAB",
    rate: "NaN",
    least: "-Infinity",
    nothing: null,
    list: [1, "a", ["NaN"]],
    map: { deep: { big: "-1152921504606846976" } },
  });
  assert.deepEqual([span.status, span.message, span.external], ["ok", "m", true]);
  assert.deepEqual([span.workflow, span.runId, span.role], [undefined, undefined, undefined]);
});

Deno.test("an emitted span names its plugin and has no length", () => {
  const more = { plugin: "slow", workflow: "orders", runId: "run-1", stepId: "load" };
  const { span } = toSpanEvent(emittedHeard(more));
  const { plugin, workflow, runId, stepId, duration, startTime, endTime, external } = span;
  assert.deepEqual({ plugin, workflow, runId, stepId }, more);
  assert.deepEqual([duration, startTime === endTime, external], [0, true, false]);
});

Deno.test("a received attribute `__proto__` is data, at any depth", () => {
  const hostile = JSON.parse('{"__proto__":{"polluted":1},"map":{"__proto__":{"polluted":1}}}');
  // Values that have to be changed go another way than those that are JSON already.
  for (const value of [{ polluted: 1 }, { polluted: 1n }, NaN]) {
    const attributes = { ...hostile };
    Object.defineProperty(attributes, "__proto__", { value, enumerable: true });
    const { span } = toSpanEvent(receivedHeard({ attributes }));
    assert.deepEqual(Object.keys(span.attributes), ["__proto__", "map"]);
    assert.equal(Object.getPrototypeOf(span.attributes), Object.prototype);
    assert.equal(Object.getPrototypeOf(span.attributes.map), Object.prototype);
    assert.equal(span.attributes.polluted, undefined);
  }
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

Deno.test("trusted plugins cannot change what others hear, nor the journal", () => {
  const attributes = { team: "data", list: ["a"] };
  const heard = endedHeard({ attributes, span: { links: [LINK] } });
  const event = toSpanEvent(heard);
  for (const shared of [event, event.span, event.span.attributes, event.span.links]) {
    assert.ok(Object.isFrozen(shared));
  }
  assert.ok(!Object.isFrozen(heard.start.span.attributes));
  (event.span.attributes.list as string[]).push("b");
  assert.deepEqual(attributes.list, ["a"]);
});

Deno.test("a plugin's span is the same after a way through JSON, whatever was received", () => {
  const random = seeded("plugin_span");
  const value = (depth: number): ReceivedValue => {
    switch (random.below(depth > 3 ? 8 : 10)) {
      case 0:
        return BigInt(random.below(1_000)) ** BigInt(random.below(9));
      case 1:
        return random.pick([NaN, Infinity, -Infinity, -0, 0, 1e308, 5e-324]);
      case 2:
        return new Uint8Array(random.below(5));
      case 3:
        return null;
      case 4:
        return random.next() - 0.5;
      case 5:
        return random.pick(["", "a\0", "é😀", "__proto__"]);
      case 6:
        return random.below(2) === 0;
      case 7:
        return -BigInt(random.below(1_000));
      case 8:
        return Array.from({ length: random.below(4) }, () => value(depth + 1));
      default:
        return map(depth + 1);
    }
  };
  const keys = ["a", "b", "__proto__", "constructor", "toString", "1", "length"];
  const map = (depth: number): ReceivedAttributes =>
    Object.fromEntries(
      Array.from({ length: random.below(5) }, () => [random.pick(keys), value(depth)]),
    );
  for (let round = 0; round < 2_000; round++) {
    const attributes = map(0);
    const event = toSpanEvent(receivedHeard({ attributes }));
    assert.deepEqual(JSON.parse(JSON.stringify(event)), event, `seed ${random.seed}`);
    assert.deepEqual(Object.keys(event.span.attributes), Object.keys(attributes));
  }
});

Deno.test("an attribute by itself is what it is among all", () => {
  const begun = { team: "data", tries: 1, minus: -0, none: NaN };
  const ended = endedHeard({
    attributes: begun,
    end: { end: { endTime: T0 + SECOND, error: false, attributes: { tries: 2, code: 1 } } },
  });
  const received = receivedHeard({
    attributes: { ...begun, big: 2n ** 60n, list: [1n], of: null },
  });
  for (const heard of [startedHeard({ attributes: begun }), ended, received]) {
    const { attributes } = toSpanEvent(heard).span;
    for (const key of [...Object.keys(attributes), "missing", "toString"]) {
      const wanted = Object.hasOwn(attributes, key) ? attributes[key] : undefined;
      assert.deepEqual(attributeOf(heard, key), wanted, key);
    }
  }
});
