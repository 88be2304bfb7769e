import assert from "node:assert/strict";
import type { PluginDefinition } from "../core/plugin.ts";
import { seeded } from "../core/seeded_test.ts";
import type { Store } from "../core/store.ts";
import { openStore } from "../store/open.ts";
import {
  attempt,
  emittedBy,
  failing,
  fenceOf,
  plugin,
  type ProcessOptions,
  runBegins,
  runEnds,
  type TestPlugin,
  TestProcess,
} from "./_hosting_fixture_test.ts";
import { keys, readRecord } from "./record.ts";

const ATTEMPTS = { event: "ended", role: "attempt" } as const;

// Counts attempts in its state, and says their numbers.
function counter(name: string, before: PluginDefinition["onSpan"] = () => {}): PluginDefinition {
  return plugin(name, async (event, context) => {
    await before(event, context);
    const count = Number(context.state.get("count") ?? 0) + 1;
    context.state.set("count", count);
    return [{
      type: "emit",
      name: "counted",
      attributes: { count, number: Number(event.span.attributes.number) },
    }];
  }, { subscribe: ATTEMPTS });
}

async function onFile(test: (store: Store) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const store = await openStore(`sqlite:${folder}/store.db`, { durability: "normal" });
  try {
    await test(store);
  } finally {
    await store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

async function hosted(
  options: ProcessOptions,
  use: (process: TestProcess) => Promise<void>,
): Promise<TestProcess> {
  const process = new TestProcess(options);
  await process.host.start(0);
  try {
    await use(process);
  } finally {
    await process.close();
  }
  return process;
}

async function fill(process: TestProcess | Store, from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number++) {
    await process.commit(attempt(1, number), fenceOf(1));
  }
}

async function counted(store: Store, name: string): Promise<string[]> {
  return (await emittedBy(store, name)).map(({ attributes: { count, number } }) =>
    `${count}:${number}`
  );
}

const each = (from: number, to: number, less = 0) =>
  Array.from({ length: to - from + 1 }, (_, i) => `${from + i - less}:${from + i}`);

Deno.test("it hears what was before it and what happens, in order, and keeps its state with its cursor (J4, T3)", () =>
  onFile(async (store) => {
    await store.commit(runBegins(1), new Map());
    await fill(store, 1, 40);
    const plugins: TestPlugin[] = [{ definition: counter("one") }];
    await hosted({ store, plugins }, async (process) => {
      await fill(process, 41, 60);
      await process.drain();
    });
    assert.deepEqual(await counted(store, "one"), each(1, 60));
    const { cursor, state, report } = await readRecord(store, "one@test");
    assert.deepEqual([state, report?.handled, report?.actions], [{ count: 60 }, 60, 60]);
    assert.equal(cursor, await store.last());
    await fill(store, 61, 65);
    await hosted({ store, plugins }, (process) => process.drain());
    assert.deepEqual(await counted(store, "one"), each(1, 65));
  }));

Deno.test("one whose state is of another version starts with none, where it was", () =>
  onFile(async (store) => {
    await store.commit(runBegins(1), new Map());
    await fill(store, 1, 3);
    const one = counter("one");
    await hosted({ store, plugins: [{ definition: one }] }, (process) => process.drain());
    await fill(store, 4, 5);
    const next = { ...one, stateVersion: 2 };
    const { lines } = await hosted(
      { store, plugins: [{ definition: next }] },
      (process) => process.drain(),
    );
    assert.match(lines.join(), /starts with no state: what it kept was of version 1, and it is of/);
    assert.deepEqual((await counted(store, "one")).slice(3), each(4, 5, 3));
    const { state, stateVersion } = await readRecord(store, "one@test");
    assert.deepEqual([state, stateVersion], [{ count: 2 }, 2]);
  }));

Deno.test("more events than fit into memory are read from the store, each handled once", () =>
  onFile(async (store) => {
    await store.commit(runBegins(1), new Map());
    await fill(store, 1, 3);
    const gate = Promise.withResolvers<void>();
    const heard: number[] = [];
    const slow = plugin("slow", async ({ span: { attributes: { number } } }, { state }) => {
      if (number === 5) await gate.promise;
      heard.push(Number(number));
      state.set("count", Number(state.get("count") ?? 0) + 1);
    }, { subscribe: ATTEMPTS });
    const quick = counter("quick");
    const MANY = 10_100;
    await hosted({
      store,
      plugins: [{ definition: slow }, { definition: quick, grant: { rate: 1e6 } }],
    }, async (process) => {
      await process.drain();
      await fill(process, 4, 6);
      const entries = [];
      for (let number = 7; number <= MANY; number++) entries.push(...attempt(1, number));
      await process.commit(entries, fenceOf(1));
      // A slow one does not hold the other.
      while ((await counted(store, "quick")).length < MANY) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert.equal(heard.length, 4);
      gate.resolve();
      await process.drain();
    });
    assert.deepEqual(heard, Array.from({ length: MANY }, (_, i) => i + 1));
    assert.deepEqual((await readRecord(store, "slow@test")).state, { count: MANY });
    assert.deepEqual(await counted(store, "quick"), each(1, MANY));
  }));

Deno.test("one that throws is tried three times, set aside, and goes on when its file has changed (H1)", () =>
  onFile(async (store) => {
    await store.commit(runBegins(1), new Map());
    await fill(store, 1, 6);
    let tries = 0;
    let broken = true;
    const bad = counter("bad", ({ span }) => {
      if (span.attributes.number !== 4 || !broken) return;
      tries++;
      throw new Error("four!");
    });
    const good = counter("good");
    const plugins: TestPlugin[] = [{ definition: bad }, { definition: good }];
    const { lines } = await hosted({ store, plugins }, async (process) => {
      await process.drain();
      const [report] = await process.host.reports();
      assert.equal(report.state, "set_aside");
      assert(report.lag > 0, "what it has not heard is its lag");
    });
    assert.equal(tries, 3);
    const aside = lines.filter((line) => line.includes("set aside"));
    assert.equal(aside.length, 1);
    assert.match(aside[0], /plugin bad is set aside after 3 tries at one event: .*four!/);
    assert.deepEqual(await counted(store, "bad"), each(1, 3));
    assert.deepEqual(await counted(store, "good"), each(1, 6));

    // The same again: nobody calls it.
    await hosted({ store, plugins }, (process) => process.drain());
    assert.equal(tries, 3);
    broken = false;
    await hosted({ store, plugins }, (process) => process.drain());
    assert.deepEqual(await counted(store, "bad"), each(1, 3));
    const mended: TestPlugin[] = [{ definition: bad, fingerprint: "2" }, { definition: good }];
    await hosted({ store, plugins: mended }, (process) => process.drain());
    assert.deepEqual(await counted(store, "bad"), each(1, 6));
    assert.equal((await readRecord(store, "bad@test")).aside, undefined);
  }));

Deno.test("one that was set aside goes on when a person says so, while it is hosted", () =>
  onFile(async (store) => {
    await store.commit(runBegins(1), new Map());
    await fill(store, 1, 3);
    let broken = true;
    const bad = counter("bad", ({ span }) => {
      if (broken && span.attributes.number === 2) throw new Error("two!");
    });
    await hosted({ store, plugins: [{ definition: bad }] }, async (process) => {
      await process.drain();
      assert.deepEqual(await counted(store, "bad"), each(1, 1));
      broken = false;
      await store.setItem(keys.retry("bad@test"), "1");
      while ((await counted(store, "bad")).length < 3) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await process.drain();
    });
    assert.deepEqual(await counted(store, "bad"), each(1, 3));
    assert.equal(await store.getItem(keys.retry("bad@test")), undefined);
    assert.equal(await store.getItem(keys.aside("bad@test")), undefined);
  }));

Deno.test("one that cannot be loaded holds its place, and hears what it missed once it can be", () =>
  onFile(async (store) => {
    await store.commit(runBegins(1), new Map());
    const one = counter("one");
    const missing = { ...one, name: "other" };
    await hosted({
      store,
      // Opened under a name that the fixture does not know.
      plugins: [{ definition: one }],
      point: () => Promise.reject(new Error("no such module")),
    }, async (process) => {
      await fill(process, 1, 3);
      await process.drain();
      assert.equal((await process.host.reports())[0].why, "no such module");
    });
    await hosted({ store, plugins: [{ definition: one }] }, (process) => process.drain());
    assert.deepEqual(await counted(store, "one"), each(1, 3));
    assert.deepEqual(await counted(store, missing.name), []);
  }));

Deno.test("one that is gone in the middle is opened again with the state of before (H1, T3)", () =>
  onFile(async (store) => {
    await store.commit(runBegins(1), new Map());
    await fill(store, 1, 5);
    let channels: TestProcess["channels"] = [];
    let kills = 0;
    const one = counter("one", ({ span }) => {
      if (span.attributes.number !== 3 || kills++ >= 2) return;
      // As when its process ends: nothing of the answer comes.
      channels.at(-1)!.onGone({ code: "plugin.exit", message: "it has exited" });
    });
    const { lines } = await hosted({ store }, async (process) => {
      channels = process.channels;
      process.use("test", [{ definition: one }], 0);
      await process.drain();
      // Between two calls.
      channels.at(-1)!.onGone({ code: "plugin.exit", message: "it has exited" });
      await fill(process, 6, 6);
      await process.drain();
    });
    assert.deepEqual(await counted(store, "one"), each(1, 6));
    assert.equal(channels.length, 4);
    assert(lines.some((line) => line.includes("it is started again when it is needed")));
  }));

Deno.test("a store that fails is waited for: nothing is lost, nothing is done twice (T3)", () =>
  onFile(async (store) => {
    await store.commit(runBegins(1), new Map());
    await fill(store, 1, 10);
    const proposer = plugin("proposer", ({ span }, { state }) => {
      const count = Number(state.get("count") ?? 0) + 1;
      const number = Number(span.attributes.number);
      state.set("count", count);
      return [
        { type: "emit", name: "counted", attributes: { count, number } },
        { type: "propose", changes: { batch: 20 + count }, reason: "more" },
      ];
    }, { subscribe: ATTEMPTS });
    let calls = 0;
    const lucky = failing(store, (method) => {
      if (["acquire", "release", "last", "renew"].includes(method)) return false;
      return ++calls % 7 === 0;
    });
    const { lines } = await hosted({
      store: lucky,
      plugins: [{ definition: proposer, grant: { propose: ["*"], rate: 12 } }],
    }, async (process) => {
      await process.drain();
      await fill(store, 11, 12);
      await process.drain();
    });
    assert(lines.some((line) => line.includes("waits for the store")));
    // The rate is of actions that were carried out: a second try takes nothing of it.
    assert.deepEqual((await readRecord(store, "proposer@test")).state, { count: 12 });
    const entries = await store.ledger({ limit: 1_000 });
    assert.equal(new Set(entries.map(({ proposal: { id } }) => id)).size, entries.length);
    const expected = await onceThrough(proposer, 12);
    assert.deepEqual(await counted(store, "proposer"), expected.counted);
    assert.deepEqual(entries.map(({ proposal: { id } }) => id), expected.proposals);
    await store.commit(runEnds(1), fenceOf(1));
  }));

// What the same plugin does with a store that never fails.
async function onceThrough(definition: PluginDefinition, to: number) {
  let result: { counted: string[]; proposals: string[] } | undefined;
  await onFile(async (store) => {
    await store.commit(runBegins(1), new Map());
    await fill(store, 1, to);
    await hosted(
      { store, plugins: [{ definition, grant: { propose: ["*"], rate: 12 } }] },
      (process) => process.drain(),
    );
    result = {
      counted: await counted(store, definition.name),
      proposals: (await store.ledger({ limit: 1_000 })).map(({ proposal: { id } }) => id),
    };
  });
  return result!;
}

Deno.test("whatever goes wrong with it on the way, each event is handled once, in order (J4, H1, T3)", async () => {
  const random = seeded("faults");
  console.log(`seed ${random.seed}`);
  for (let round = 0; round < 12; round++) {
    await onFile(async (store) => {
      await store.commit(runBegins(1), new Map());
      let channels: TestProcess["channels"] = [];
      // Faults by the event that they meet; none of them three times.
      const faults = new Map<number, number>();
      const LAST = 200;
      const faulty = counter("faulty", async ({ span: { attributes } }) => {
        const number = Number(attributes.number);
        if (random.below(8) === 0) await new Promise((resolve) => setTimeout(resolve, 0));
        const met = faults.get(number) ?? 0;
        if (met >= 2 || random.below(20) > 0) return;
        faults.set(number, met + 1);
        if (random.below(2) === 0) throw new Error("not now");
        channels.at(-1)!.onGone({ code: "plugin.exit", message: "it has exited" });
        await new Promise((resolve) => setTimeout(resolve, 0));
      });
      let busy = false;
      await hosted(
        { store: failing(store, () => busy && random.below(10) === 0) },
        async (process) => {
          busy = true;
          channels = process.channels;
          process.use("test", [{ definition: faulty, grant: { rate: 1e6 } }], 0);
          for (let number = 1; number <= LAST;) {
            const many = Math.min(LAST, number + random.below(40));
            const entries = [];
            for (; number <= many; number++) entries.push(...attempt(1, number));
            // Of this process, or of another one.
            const { records } = await store.commit(entries, fenceOf(1));
            if (random.below(3) > 0) process.bus.publish(records);
            if (random.below(2) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
            if (random.below(10) === 0) process.host.reload(() => true);
          }
          await process.drain();
          busy = false;
          await process.drain();
        },
      );
      assert.deepEqual(await counted(store, "faulty"), each(1, LAST));
      assert.deepEqual((await readRecord(store, "faulty@test")).state, { count: LAST });
    });
  }
});
