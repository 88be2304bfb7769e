import assert from "node:assert/strict";
import { emitted, newRun, received, start, T0 } from "../../tests/contract/store_entries.ts";
import type { StoreRecord } from "../core/span.ts";
import type { Store } from "../core/store.ts";
import { openStore } from "../store/open.ts";
import { attempt, fenceOf, recordsOf, runBegins, runEnds } from "./_hosting_fixture_test.ts";
import type { Heard } from "./heard.ts";
import { Joiner } from "./joiner.ts";

type Journalled = Heard & { readonly kind: "journal" };

async function onMemory(test: (store: Store) => Promise<void>): Promise<void> {
  const store = await openStore("memory:", { durability: "normal" });
  try {
    await test(store);
  } finally {
    await store.close();
  }
}

async function joined(store: Store, records: readonly StoreRecord[]): Promise<Journalled[]> {
  const joiner = new Joiner(store);
  const found: Heard[] = [];
  for (const record of records) {
    const heard = await joiner.find(record);
    if (heard !== undefined) found.push(heard);
  }
  return found as Journalled[];
}

Deno.test("a joiner that begins anywhere says the same as one that saw all (J4)", () =>
  onMemory(async (store) => {
    await store.commit([...runBegins(1), ...runBegins(2, "other")], new Map());
    for (let i = 1; i <= 5; i++) {
      for (const run of [1, 2]) await store.commit(attempt(run, i), fenceOf(run));
    }
    await store.commit(runEnds(1), fenceOf(1));
    const records = await recordsOf(store);
    const all = await joined(store, records);
    assert.equal(all.length, records.length);
    for (let from = 1; from < records.length; from++) {
      assert.deepEqual(await joined(store, records.slice(from)), all.slice(from));
    }
  }));

Deno.test("the workflow and the depth are those of the run, a sub-workflow's are its own (H2, S6)", () =>
  onMemory(async (store) => {
    await store.commit(runBegins(1, "parent"), new Map());
    const parent = { runId: "run-1", key: "call", depth: 1 };
    // Its start says the depth as its header does.
    await store.commit([
      newRun("run-2", { workflow: "child", parent, reactionDepth: 3 }),
      start("run-2", "", {
        role: "run",
        span: {
          ...start("run-2", "").span,
          attributes: { "cicd.pipeline.name": "child", "spanloop.reaction.depth": 3 },
        },
      }),
    ], new Map());
    await store.commit(attempt(1, 1), fenceOf(1));
    await store.commit(attempt(2, 1), fenceOf(2));
    const records = await recordsOf(store);
    const tell = (one: Journalled) => `${one.event} ${one.workflow} ${one.depth}`;
    const expected = [
      "started parent 0",
      "started child 3",
      "started parent 0",
      "ended parent 0",
      "started child 3",
      "ended child 3",
    ];
    assert.deepEqual((await joined(store, records)).map(tell), expected);
    for (let from = 1; from < records.length; from++) {
      const told = await joined(store, records.slice(from));
      assert.deepEqual(told.map(tell), expected.slice(from));
    }
  }));

Deno.test("an end finds the start that the bus knows, also of a run that it has not met", () =>
  onMemory(async (store) => {
    await store.commit([...runBegins(1), ...attempt(1, 1)], new Map());
    const [, begun, ended] = await recordsOf(store);
    const joiner = new Joiner(store);
    assert(ended.type === "end" && begun.type === "start");
    assert.equal(joiner.join(ended, begun), undefined, "its workflow is not known yet");
    const found = await joiner.find(ended) as Journalled;
    assert.deepEqual([found.workflow, found.start.key], ["test", "s1"]);
    assert.deepEqual(joiner.join(ended, begun), found);
  }));

Deno.test("what is left of a run that was deleted tells nothing, and the next is told", () =>
  onMemory(async (store) => {
    await store.commit([...runBegins(1), ...attempt(1, 1)], new Map());
    await store.commit(runEnds(1), fenceOf(1));
    const old = await recordsOf(store);
    assert.equal((await store.prune(T0 + 10n ** 15n)).runs, 1);
    await store.commit([...runBegins(2), ...attempt(2, 1)], new Map());
    const later = await recordsOf(store);
    // A start says what it is of; an end without one does not.
    const told = await joined(store, [...old.slice(1), ...later]);
    assert.deepEqual(told.map(({ start: { runId } }) => runId), Array(3).fill("run-2"));
  }));

Deno.test("received and emitted spans say everything by themselves", () =>
  onMemory(async (store) => {
    const joiner = new Joiner(store);
    const far = joiner.join({ type: "received", position: 1, span: received(1) })!;
    assert.deepEqual([far.kind, far.event, far.at], ["received", "ended", T0 + 5n]);
    const made = joiner.join({ type: "emitted", position: 2, span: emitted(1) })!;
    assert.deepEqual([made.kind, made.event, made.at], ["emitted", "ended", T0 + 9n]);
    await store.last();
  }));
