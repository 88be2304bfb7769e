import assert from "node:assert/strict";
import type { BusEvent, EndRecord, StartRecord } from "../core/span.ts";
import { Bus } from "./bus.ts";

const RUN = "0190a000-0000-7000-8000-000000000001";

const start = (position: number, runId = RUN): StartRecord => ({
  type: "start",
  runId,
  role: "attempt",
  key: `s${position}`,
  position,
  span: {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: position.toString(16).padStart(16, "0"),
    name: `s${position}`,
    kind: "internal",
    startTime: 1n,
    attributes: {},
  },
});

const end = (position: number, of: StartRecord): EndRecord => ({
  type: "end",
  runId: of.runId,
  role: of.role,
  key: of.key,
  spanId: of.span.spanId,
  outcome: "succeeded",
  end: { endTime: 2n, error: false, attributes: {} },
  position,
});

const words = (event: BusEvent) =>
  event.event === "started" || event.event === "ended"
    ? `${event.event} ${event.record.position}`
    : event.event;

Deno.test("listeners hear what was committed in order, until they leave (J4)", () => {
  const bus = new Bus((thrown) => assert.fail(String(thrown)));
  const heard: string[] = [];
  const leave = bus.subscribe((event) => heard.push(`a: ${words(event)}`));
  bus.subscribe((event) => heard.push(`b: ${words(event)}`));
  bus.publish([start(1), end(2, start(1))]);
  leave();
  bus.publish([start(3)]);
  assert.deepEqual(heard, [
    "a: started 1",
    "b: started 1",
    "a: ended 2",
    "b: ended 2",
    "b: started 3",
  ]);
});

Deno.test("an end comes with its start, whoever started it (R5)", () => {
  const bus = new Bus((thrown) => assert.fail(String(thrown)));
  bus.publish([start(1)]);
  bus.adopt(start(2));
  const ended: string[] = [];
  bus.subscribe((event) => {
    if (event.event === "ended") ended.push(event.start.key);
  });
  bus.publish([end(3, start(2)), end(4, start(1)), end(5, start(1))]);
  assert.deepEqual(ended, ["s2", "s1"], "each once");
});

Deno.test("what a lost run has open is told of once, and other runs' spans stay", () => {
  const bus = new Bus((thrown) => assert.fail(String(thrown)));
  const other = RUN.replace(/1$/, "2");
  const heard: BusEvent[] = [];
  bus.publish([start(1), start(2, other)]);
  bus.subscribe((event) => heard.push(event));
  bus.lose(RUN);
  bus.lose(RUN);
  bus.publish([end(3, start(1)), end(4, start(2, other))]);
  assert.deepEqual(heard.map(words), ["lost", "ended 4"]);
  assert.deepEqual(heard[0].event === "lost" && heard[0].open.map(({ key }) => key), ["s1"]);
});

Deno.test("a listener that throws disturbs no other, and is told of once (J5)", () => {
  const errors: unknown[] = [];
  const heard: string[] = [];
  const bus = new Bus((thrown) => errors.push(thrown));
  const broken = new Error("broken");
  bus.subscribe(() => {
    throw broken;
  });
  bus.subscribe((event) => heard.push(words(event)));
  bus.publish([start(1), start(2)]);
  assert.deepEqual(heard, ["started 1", "started 2"]);
  assert.deepEqual(errors, [broken]);
});

Deno.test("who asks for it hears of a commit before its records, and harms nobody by a fault (J5)", () => {
  const errors: unknown[] = [];
  const heard: string[] = [];
  const bus = new Bus((thrown) => errors.push(thrown));
  const broken = new Error("broken");
  bus.onPublish(() => {
    throw broken;
  });
  const leave = bus.onPublish(() => heard.push("commit"));
  bus.subscribe((event) => heard.push(words(event)));
  bus.publish([start(1), start(2)]);
  leave();
  bus.publish([end(3, start(1))]);
  assert.deepEqual(heard, ["commit", "started 1", "started 2", "ended 3"]);
  assert.deepEqual(errors, [broken, broken]);
});
