import assert from "node:assert/strict";
import type { JournalRecord } from "../core/span.ts";
import { Bus } from "./bus.ts";

const record = (position: number) => ({ position }) as JournalRecord;

Deno.test("listeners hear records in order, until they leave (J4)", () => {
  const bus = new Bus((thrown) => assert.fail(String(thrown)));
  const heard: string[] = [];
  const leave = bus.subscribe(({ position }) => heard.push(`a${position}`));
  bus.subscribe(({ position }) => heard.push(`b${position}`));
  bus.publish([record(1), record(2)]);
  leave();
  bus.publish([record(3)]);
  assert.deepEqual(heard, ["a1", "b1", "a2", "b2", "b3"]);
});

Deno.test("a listener that throws disturbs no other, and is told of (J5)", () => {
  const errors: unknown[] = [];
  const heard: number[] = [];
  const bus = new Bus((thrown) => errors.push(thrown));
  const broken = new Error("broken");
  bus.subscribe(() => {
    throw broken;
  });
  bus.subscribe(({ position }) => heard.push(position));
  bus.publish([record(1), record(2)]);
  assert.deepEqual(heard, [1, 2]);
  assert.deepEqual(errors, [broken, broken]);
});
