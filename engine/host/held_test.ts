import assert from "node:assert/strict";
import { definePlugin, type Json } from "../../mod.ts";
import { inProcess } from "./in_process.ts";
import { PluginLink } from "./link.ts";
import type { HandlerCall } from "./protocol.ts";

const clock = {
  now: () => 0n,
  monotonic: () => performance.now(),
  after: () => () => {},
};

// Counts what it hears in an object that it holds; how often that was read and written.
async function started(state: Readonly<Record<string, Json>> = {}) {
  const seen = { read: 0, written: 0 };
  const COUNT = {
    read: (kept: Json | undefined) => {
      seen.read++;
      return { count: Number(kept ?? 0) };
    },
    write: (held: { count: number }): Json => {
      seen.written++;
      return held.count > 1_000 ? "x".repeat(70_000) : held.count;
    },
  };
  const plugin = definePlugin({
    name: "counter",
    role: "analyzer",
    subscribe: { name: "a" },
    onSpan({ position }, { state }) {
      if (position === 13) throw new TypeError("unlucky");
      if (position === 20) return state.delete("count");
      const held = state.hold("count", COUNT);
      held.count += position === 30 ? 1_000 : 1;
      if (position === 40) assert.deepEqual([state.keys(), state.has("count")], [["count"], true]);
      assert.equal(state.has("other"), false);
    },
  });
  const link = new PluginLink(
    inProcess({ monotonic: clock.monotonic, load: () => Promise.resolve({ default: plugin }) }),
    { clock, onLog: () => {}, answer: () => Promise.resolve(null) },
  );
  await link.load("file:///counter.ts");
  link.start({}, state);
  return { link, seen };
}

function call(position: number): HandlerCall {
  const span = {
    traceId: "0".repeat(32),
    spanId: "0".repeat(16),
    name: "a",
    kind: "internal" as const,
    startTime: 1,
    status: "ok" as const,
    attributes: {},
    links: [],
    external: false,
  };
  return { kind: "span", event: { event: "ended", position, span }, now: 2 };
}

Deno.test("a held value is read once, and written once for all events that were handled together", async () => {
  const { link, seen } = await started({ count: 5 });
  assert.deepEqual((await link.handle([call(1), call(2), call(3)])).state, { count: 8 });
  assert.deepEqual((await link.handle([call(4)])).state, { count: 9 });
  assert.deepEqual(seen, { read: 1, written: 2 });
  await link.close();
});

Deno.test("what was held is kept with the events before the one that throws (J4)", async () => {
  const { link } = await started();
  const handled = await link.handle([call(1), call(2), call(13), call(4)]);
  assert.equal(handled.count, 2);
  assert.deepEqual(handled.state, { count: 2 });
  assert.equal(handled.failure?.message, "unlucky");
  assert.deepEqual((await link.handle([call(4)])).state, { count: 3 });
  await link.close();
});

Deno.test("a held value that is taken away begins anew", async () => {
  const { link, seen } = await started();
  assert.deepEqual((await link.handle([call(1), call(20)])).state, { count: null });
  assert.deepEqual((await link.handle([call(40)])).state, { count: 1 });
  assert.equal(seen.read, 2);
  await link.close();
});

Deno.test("events whose held values are too large to be kept are not handled", async () => {
  const { link } = await started();
  await link.handle([call(1)]);
  const handled = await link.handle([call(2), call(30)]);
  assert.equal(handled.count, 0);
  assert.deepEqual(handled.state, {});
  assert.match(handled.failure?.message ?? "", /state's count would take 70002 bytes/);
  // What was written last is what it goes on with.
  assert.deepEqual((await link.handle([call(2)])).state, { count: 2 });
  await link.close();
});
