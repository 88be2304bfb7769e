import assert from "node:assert/strict";
import { HERE, THERE } from "../../tests/contract/store_entries.ts";
import type { Action } from "../core/action.ts";
import { StoreError } from "../core/errors.ts";
import { seeded } from "../core/seeded_test.ts";
import type { Lease, Reaction, Store } from "../core/store.ts";
import { openStore } from "../store/open.ts";
import {
  attempt,
  emittedBy,
  fastClock,
  fenceOf,
  passing,
  plugin,
  type Point,
  recordsOf,
  runBegins,
  runEnds,
  type TestPlugin,
  TestProcess,
} from "./_hosting_fixture_test.ts";
import { HOST_KEY, HOST_LEASE } from "./host.ts";
import { keys, readRecord } from "./record.ts";

const ATTEMPTS = { event: "ended", role: "attempt" } as const;
const ATTEMPTS_HERE = 60;

const counter = (name: string, more = {}) =>
  plugin(name, ({ span }, { state }) => {
    const count = Number(state.get("count") ?? 0) + 1;
    state.set("count", count);
    const number = Number(span.attributes.number ?? -1);
    return [{ type: "emit", name: `${name}.counted`, attributes: { count, number } }];
  }, { subscribe: ATTEMPTS, ...more });

async function onFile(
  test: (store: Store, open: () => Promise<Store>) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const opened: Store[] = [];
  const open = async () => {
    opened.push(await openStore(`sqlite:${folder}/store.db`, { durability: "normal" }));
    return opened.at(-1)!;
  };
  try {
    await test(await open(), open);
  } finally {
    for (const store of opened) await store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

async function counts(store: Store, name: string): Promise<number[]> {
  return (await emittedBy(store, name)).map(({ attributes }) => Number(attributes.count));
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!await what()) await new Promise((resolve) => setTimeout(resolve, 2));
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

Deno.test("of two processes one hosts, and hears what the other one commits (R8)", () =>
  onFile(async (store, open) => {
    const other = await open();
    const plugins: TestPlugin[] = [{ definition: counter("one") }];
    const isDead = () => false;
    const first = new TestProcess({ store, plugins, isDead });
    const second = new TestProcess({ store: other, plugins, holder: THERE, isDead });
    await first.host.start(0);
    await second.host.start(0);
    assert.deepEqual([first.host.hosting, second.host.hosting], [true, false]);
    assert.deepEqual(JSON.parse((await store.getItem(HOST_KEY)) ?? "null"), HERE);
    await first.commit(runBegins(1), new Map());
    await second.commit(runBegins(2), new Map());
    for (let number = 1; number <= 10; number++) {
      await first.commit(attempt(1, number), fenceOf(1));
      await second.commit(attempt(2, number), fenceOf(2));
    }
    await until(async () => (await counts(store, "one")).length === 20);
    assert.deepEqual(await counts(store, "one"), upTo(20));
    // It gives the lease back when it ends; the other one goes on where it was.
    await first.close();
    assert.equal(await store.getItem(HOST_KEY), "");
    await second.commit(attempt(2, 11), fenceOf(2));
    await until(() => second.host.hosting);
    await second.drain();
    assert.deepEqual(await counts(store, "one"), upTo(21));
    assert.equal((await emittedBy(store, "one")).length, 21);
    await second.close();
  }));

Deno.test("a host that has lost its lease writes nothing more (R7, R8)", () =>
  onFile(async (store, open) => {
    const other = await open();
    const gate = Promise.withResolvers<void>();
    let held = false;
    const slow = plugin("one", async (event, context) => {
      held = true;
      if (event.span.attributes.number === 3) await gate.promise;
      return await counter("one").onSpan!(event, context);
    }, { subscribe: ATTEMPTS });
    const first = new TestProcess({ store, plugins: [{ definition: slow }] });
    await first.host.start(0);
    await first.commit(runBegins(1), new Map());
    await first.commit(attempt(1, 1), fenceOf(1));
    await first.drain();
    first.stopKeeper();
    await first.commit(attempt(1, 2), fenceOf(1));
    await first.commit(attempt(1, 3), fenceOf(1));
    await until(() => held);
    // As if it had slept: the other one takes the lease of a process that it takes for dead.
    const second = new TestProcess({
      store: other,
      plugins: [{ definition: counter("one") }],
      holder: THERE,
    });
    await second.host.start(0);
    await second.drain();
    assert.deepEqual(await counts(store, "one"), upTo(3));
    const before = await readRecord(store, "one@test");
    gate.resolve();
    await until(() => !first.host.hosting);
    assert(first.lines.some((line) => line.includes("another process hosts the plugins now")));
    assert.deepEqual(await readRecord(store, "one@test"), before);
    assert.deepEqual(await counts(store, "one"), upTo(3));
    await first.close();
    await second.close();
  }));

Deno.test("what was made under a lease that is gone is not written under the next one (R7)", () =>
  onFile(async (store, open) => {
    const other = await open();
    const gate = Promise.withResolvers<void>();
    let holds = false;
    const cursors: number[] = [];
    const told = new Proxy(store, {
      get(target, name) {
        if (name !== "react") return Reflect.get(target, name, target).bind?.(target);
        return (lease: Lease, reaction: Reaction) => {
          const cursor = reaction.items[keys.cursor("one@test")];
          if (cursor) cursors.push(Number(cursor));
          return target.react(lease, reaction);
        };
      },
    });
    const stuck = passing(told, async (what) => {
      if (what !== "before react" || !holds) return;
      holds = false;
      await gate.promise;
      throw new StoreError("store.busy", "The store is busy; try again");
    });
    const plugins: TestPlugin[] = [{ definition: counter("one") }];
    const first = new TestProcess({ store: stuck, plugins, isDead: () => false });
    await first.host.start(0);
    await first.commit(runBegins(1), new Map());
    await first.drain();
    holds = true;
    await first.commit(attempt(1, 1), fenceOf(1));
    await until(() => !holds);
    // While it waits, another one hosts for a while, and hears more.
    const second = new TestProcess({ store: other, plugins, holder: THERE });
    await second.host.start(0);
    await until(() => !first.host.hosting);
    await second.commit(runBegins(2), new Map());
    await second.commit(attempt(2, 1), fenceOf(2));
    await second.drain();
    await second.close();
    const before = await readRecord(store, "one@test");
    cursors.length = 0;
    gate.resolve();
    await until(() => first.host.hosting);
    await first.drain();
    assert(
      cursors.every((cursor) => cursor >= before.cursor!),
      `${cursors} after ${before.cursor}`,
    );
    assert.deepEqual(await readRecord(store, "one@test"), before);
    assert.deepEqual(await counts(store, "one"), upTo(2));
    await first.close();
  }));

Deno.test("a host that takes over hears what nobody has written of its own workflows (J4)", () =>
  onFile(async (store, open) => {
    const other = await open();
    const alive = { yes: true };
    const isDead = () => !alive.yes;
    // The first dies before it has written that it knows the second's workflow.
    let dead = false;
    const mortal = passing(store, () => dead ? new Promise(() => {}) : Promise.resolve());
    const first = new TestProcess({ store: mortal, isDead });
    await first.host.start(0);
    const second = new TestProcess({ store: other, holder: THERE, isDead });
    second.use("test", [{ definition: counter("one") }], await store.last());
    await second.host.start(await store.last());
    dead = true;
    first.stopKeeper();
    await second.commit(runBegins(2), new Map());
    for (let number = 1; number <= 5; number++) await second.commit(attempt(2, number), fenceOf(2));
    alive.yes = false;
    await until(() => second.host.hosting);
    await second.drain();
    assert.deepEqual(await counts(store, "one"), upTo(5));
    await second.close();
  }));

Deno.test("workflows that another process runs are met, and met again as they change (R8)", () =>
  onFile(async (store, open) => {
    const other = await open();
    let uses: readonly TestPlugin[] = [{ definition: counter("one"), workflow: "strange" }];
    let fails = true;
    const process = new TestProcess({
      store,
      plugins: [{ definition: counter("all"), workflow: null }],
      usesOf: () => {
        if (!fails) return Promise.resolve(uses);
        fails = false;
        return Promise.reject(new Error("line 3 does not hold"));
      },
    });
    await process.host.start(0);
    const run = async (number: number) => {
      await other.commit(runBegins(number, "strange"), new Map());
      await other.commit(attempt(number, 1), fenceOf(number));
      await other.commit(runEnds(number), fenceOf(number));
      await until(async () => (await counts(store, "all")).length === number);
      await process.drain();
    };
    await run(1);
    assert(process.lines.some((line) => line.includes("not known: line 3 does not hold")));
    assert.deepEqual(await counts(store, "one"), []);
    await run(2);
    assert.deepEqual(await counts(store, "one"), [1]);
    uses = [{ definition: counter("two"), workflow: "strange" }];
    await run(3);
    assert.deepEqual([await counts(store, "one"), await counts(store, "two")], [[1], [1]]);
    // What this process itself runs is known better than from what others ran.
    uses = [];
    process.use("strange", [{ definition: counter("two"), workflow: "strange" }]);
    await run(4);
    assert.deepEqual(await counts(store, "two"), [1, 2]);
    await process.close();
  }));

Deno.test("use() lets go, adds, and goes on where one was that has changed", () =>
  onFile(async (store) => {
    const process = new TestProcess({ store });
    const names = async () => (await process.host.reports()).map(({ name }) => name).sort();
    await process.host.start(0);
    await process.commit(runBegins(1), new Map());
    await process.commit(attempt(1, 1), fenceOf(1));
    const [one, two] = [{ definition: counter("one") }, { definition: counter("two") }];
    process.use("test", [one, two], 0);
    assert.deepEqual(await names(), ["one", "two"]);
    await process.commit(attempt(1, 2), fenceOf(1));
    await process.drain();
    process.use("test", [{ ...one, grant: { rate: 1_000 } }]);
    assert.deepEqual(await names(), ["one"]);
    await process.commit(attempt(1, 3), fenceOf(1));
    await process.drain();
    // The same again changes nothing.
    const opened = process.channels.length;
    process.use("test", [{ ...one, grant: { rate: 1_000 } }]);
    // It begins with what happens from now on where it is new, and after its cursor where it is not.
    process.use("test", [{ ...one, grant: { rate: 1_000 } }, two, { definition: counter("new") }]);
    await process.drain();
    await process.commit(attempt(1, 4), fenceOf(1));
    await process.drain();
    assert.equal(process.channels.length, opened + 2);
    assert.deepEqual(await counts(store, "one"), upTo(4));
    assert.deepEqual(await counts(store, "two"), upTo(4));
    assert.deepEqual(await counts(store, "new"), upTo(1));
    // Others' workflows are another matter.
    process.use("other", []);
    process.use(undefined, []);
    assert.deepEqual(await names(), ["new", "one", "two"]);
    await process.close();
  }));

Deno.test("reload() goes on with the state of before, whatever was under way", () =>
  onFile(async (store) => {
    const process = new TestProcess({ store, plugins: [{ definition: counter("one") }] });
    await process.host.start(0);
    await process.commit(runBegins(1), new Map());
    for (let number = 1; number <= 50; number++) {
      await process.commit(attempt(1, number), fenceOf(1));
      if (number % 5 === 0) process.host.reload(({ name }) => name === "one");
      if (number % 7 === 0) process.host.reload(({ name }) => name === "two");
    }
    await process.drain();
    assert.deepEqual(await counts(store, "one"), upTo(50));
    assert.equal(process.channels.length, 11);
    await process.close();
  }));

Deno.test("close() while it starts, stands by or drains leaves no lease and nothing that goes on", () =>
  onFile(async (store, open) => {
    const plugins: TestPlugin[] = [{ definition: counter("one") }];
    for (let turns = 0; turns < 12; turns++) {
      const process = new TestProcess({ store, plugins });
      const starting = process.host.start(0);
      for (let i = 0; i < turns; i++) await Promise.resolve();
      await process.close();
      await starting;
      assert.equal(process.host.hosting, false);
    }
    const holder = new TestProcess({ store: await open(), isDead: () => false });
    await holder.host.start();
    assert(holder.host.hosting, "nobody kept it");
    const waiting = new TestProcess({ store, plugins, holder: THERE, isDead: () => false });
    await waiting.host.start();
    await waiting.close();
    await holder.close();
    // Nothing is left to stop one that never ends.
    const slow = plugin("slow", () => new Promise(() => {}), { subscribe: ATTEMPTS });
    const process = new TestProcess({ store, plugins: [{ definition: slow }] });
    await process.host.start(0);
    await process.commit(runBegins(1), new Map());
    await process.commit(attempt(1, 1), fenceOf(1));
    const enough = new AbortController();
    const draining = process.host.drain(enough.signal);
    enough.abort();
    await draining;
    await process.close();
    const taken = await store.acquire(HOST_LEASE, {
      holder: THERE,
      now: 0n,
      expiresAt: 1n,
      isDead: () => false,
    });
    assert("acquired" in taken);
  }));

// Kills: an event's way from the store to the plugin and back, dropped at any of its steps.

const proposer = plugin("proposer", ({ span, position }, { state }) => {
  const count = Number(state.get("count") ?? 0) + 1;
  state.set("count", count);
  state.set(`last ${count % 3}`, { position, name: span.name });
  const actions: Action[] = [];
  if (count % 2 === 0) {
    const attributes = { count, number: Number(span.attributes.number) };
    actions.push({ type: "emit", name: "proposer.counted", attributes });
  }
  if (count % 3 === 0) {
    actions.push({ type: "propose", changes: { batch: count }, reason: `${count}` });
  }
  if (count % 10 === 0) actions.push({ type: "command", name: "lean.go" });
  return actions;
}, { subscribe: ATTEMPTS });

// Hears the other one's findings, and is asynchronous.
const echo = plugin("echo", async ({ span }, { state }) => {
  const count = Number(state.get("count") ?? 0) + 1;
  await new Promise((resolve) => setTimeout(resolve, 0));
  state.set("count", count);
  return [{ type: "emit", name: "echo", attributes: { count, of: Number(span.attributes.count) } }];
}, { subscribe: { name: "proposer.*" } });

interface Scene {
  readonly store: Store;
  // Runs that commands started, by their ids.
  readonly commands: Set<string>;
  // Attempts that are still to happen.
  readonly rest: number[];
}

async function outcome({ store, commands }: Scene, exact: boolean) {
  // Where what happens stands among what is made of it depends on when that is written.
  const idOf = (id: string) => exact ? id : "";
  const tell = async (name: string, exact: boolean) =>
    (await emittedBy(store, name)).map(({ attributes, time, spanId }) => ({
      attributes,
      time,
      spanId: exact ? spanId : "",
    }));
  const { state: proposed, report } = await readRecord(store, "proposer@test");
  const { state: echoed } = await readRecord(store, "echo@test");
  const ledger = [...await store.ledger({ limit: 1_000 })].reverse();
  ledger.forEach((entry, index) => {
    assert.equal(entry.number, index + 1);
    assert.equal(entry.version, index + 1, "each version is of one entry, and none is missing");
  });
  return {
    proposed: exact ? proposed : proposed.count,
    echoed,
    handled: report?.handled,
    refused: report?.refused,
    emitted: await tell("proposer", exact),
    echoes: await tell("echo", false),
    ledger: ledger.map(({ proposal: { id, changes, at }, decision, before }) => ({
      id: idOf(id),
      changes,
      at,
      decision,
      before,
    })),
    values: (await store.snapshot("test")).values,
    commands: exact ? [...commands].sort() : commands.size,
  };
}

// Runs one process until it has passed so many points, then drops it; undefined: until it is done.
async function incarnation(scene: Scene, killAt: number | undefined): Promise<boolean> {
  const { store, commands, rest } = scene;
  const killed = Promise.withResolvers<"killed">();
  let points = 0;
  let dead = false;
  const point: Point = () => {
    if (dead || ++points === killAt) {
      dead = true;
      killed.resolve("killed");
      return new Promise(() => {});
    }
    return Promise.resolve();
  };
  const grant = { rate: 20, propose: ["*"], command: ["*"] };
  const process = new TestProcess({
    store: passing(store, point),
    point,
    clock: fastClock(100),
    plugins: [{ definition: proposer, grant }, { definition: echo }],
    command: async ({ id }) => {
      await point("command");
      commands.add(id);
      await point("commanded");
      return ["run"];
    },
  });
  const work = async () => {
    await process.host.start(0);
    while (rest.length > 0) {
      // The run's own commits are not what is killed here; that they are told of may not happen.
      const { records } = await store.commit(attempt(1, rest.shift()!), fenceOf(1));
      await point("committed");
      process.bus.publish(records);
      if (rest.length % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await process.drain();
    await process.close();
    return "done" as const;
  };
  const end = await Promise.race([work(), killed.promise]);
  process.stopKeeper();
  return end === "done";
}

// `live`: how many attempts happen while the processes live; the others are there before.
async function through(live: number, kills: () => number | undefined) {
  let result: unknown;
  let count = 0;
  await onFile(async (store) => {
    await store.commit(runBegins(1), new Map());
    const numbers = Array.from({ length: ATTEMPTS_HERE }, (_, i) => i + 1);
    const rest = numbers.splice(ATTEMPTS_HERE - live);
    for (const number of numbers) await store.commit(attempt(1, number), fenceOf(1));
    const scene: Scene = { store, commands: new Set(), rest };
    while (!await incarnation(scene, kills())) count++;
    const records = await recordsOf(store);
    const ids = records.flatMap((one) => one.type === "emitted" ? [one.span.spanId] : []);
    assert.equal(new Set(ids).size, ids.length, "a span was emitted twice");
    result = await outcome(scene, live === 0);
  });
  return { result, kills: count };
}

const never = () => undefined;

for (const live of [0, ATTEMPTS_HERE - 5]) {
  const when = live === 0 ? "after a run" : "during a run";
  Deno.test(`a process that is dropped anywhere ${when} leaves what one makes that is not (T3, P2, R9)`, async () => {
    const random = seeded(when);
    console.log(`seed ${random.seed}`);
    const { result: expected } = await through(live, never);
    let kills = 0;
    // Once at each of the first points, then several times in a row at any.
    for (let at = 1; at <= 100; at += 1 + random.below(3)) {
      const plan = [at];
      const found = await through(live, () => plan.shift());
      kills += found.kills;
      assert.deepEqual(found.result, expected, `killed at ${at}`);
    }
    for (let round = 0; round < 8; round++) {
      const plan = Array.from({ length: 12 }, () => 1 + random.below(160));
      const found = await through(live, () => plan.shift());
      kills += found.kills;
      assert.deepEqual(found.result, expected, `round ${round}`);
    }
    console.log(`${kills} kills`);
    assert(kills > 80);
  });
}
