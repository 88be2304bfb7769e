import assert from "node:assert/strict";
import { end, received, start, T0 } from "../../tests/contract/store_entries.ts";
import type { Action } from "../core/action.ts";
import type { ActionOutcome } from "../core/plugin_report.ts";
import type { PluginDefinition } from "../core/plugin.ts";
import { seeded } from "../core/seeded_test.ts";
import type { Entry, Store } from "../core/store.ts";
import type { TuneContract } from "../core/workflow.ts";
import { openStore } from "../store/open.ts";
import {
  contractOf,
  fenceOf,
  opened,
  passing,
  plugin,
  recordsOf,
  runBegins,
  runEnds,
  spanIdOf,
  type TestPlugin,
  TestProcess,
  useOf,
} from "./_hosting_fixture_test.ts";
import { Reader } from "./feed.ts";
import type { Heard } from "./heard.ts";
import { PastStore, replay } from "./replay.ts";

const SECOND = 1_000_000_000n;
const HOUR = 3_600n * SECOND;
const RUNS = 96;
const ATTEMPTS_A_RUN = 12;

// Looks at what is slow, and proposes, says and orders more than its rate, its bounds and its cooldown allow.
const optimizer = plugin("optimizer", ({ span, position }, { state, now }) => {
  const slow = Number(state.get("slow") ?? 0) * 0.9 + 0.1 * (span.duration ?? 0);
  state.set("slow", slow);
  const seen = Number(state.get("seen") ?? 0) + 1;
  state.set("seen", seen);
  const actions: Action[] = [];
  if (slow > 0.6) actions.push({ type: "emit", name: "slow", attributes: { slow, now } });
  if (seen % 7 === 0) {
    actions.push({
      type: "propose",
      changes: { batch: Math.round(slow * 1_000) - 300 },
      reason: `slow ${slow}`,
      ...seen % 35 === 0 ? { version: 0 } : {},
      ...seen % 49 === 0 ? { evidence: [{ traceId: "c".repeat(32), spanId: "d".repeat(16) }] } : {},
    });
  }
  if (seen % 50 === 0) actions.push({ type: "command", name: "lean.go", params: { position } });
  return actions;
}, { subscribe: [{ role: "attempt" }, { name: "GET *" }] });

const USED: TestPlugin = {
  definition: optimizer,
  grant: { propose: ["*"], command: ["*"], external: true, rate: 12 },
};

// A day of runs every quarter of an hour, as an engine and a receiver commit them.
async function recordDay(store: Store, random: { next(): number; below(n: number): number }) {
  for (let run = 0; run < RUNS; run++) {
    const began = T0 + BigInt(run) * HOUR / 4n;
    const entries: Entry[] = [...runBegins(run)];
    for (let number = 1; number <= ATTEMPTS_A_RUN; number++) {
      const spanId = spanIdOf(run, number);
      const startTime = began + BigInt(number) * 2n * SECOND;
      const endTime = startTime + BigInt(Math.floor(random.next() * (run % 24) / 12 * 1e9));
      const key = `s${number}`;
      const begun = start(`run-${run}`, key);
      entries.push(
        { ...begun, span: { ...begun.span, spanId, startTime } },
        end(`run-${run}`, key, {
          spanId,
          end: { endTime, error: random.below(10) === 0, attributes: {} },
        }),
      );
    }
    await store.commit(entries, fenceOf(run));
    const spans = Array.from(
      { length: 20 },
      (_, i) => received(run * 20 + i, { startTime: began, endTime: began + BigInt(i) * SECOND }),
    );
    await store.receive(spans, began);
    await store.commit(runEnds(run), fenceOf(run));
  }
}

async function eventsOf(store: Store): Promise<Heard[]> {
  const events: Heard[] = [];
  const reader = new Reader(store, 0);
  for (let page = await reader.next(); page !== undefined; page = await reader.next()) {
    events.push(...page);
  }
  return events;
}

async function onDay(test: (store: Store) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const store = await openStore(`sqlite:${folder}/store.db`, { durability: "normal" });
  const random = seeded("day");
  console.log(`seed ${random.seed}`);
  try {
    await recordDay(store, random);
    await test(store);
  } finally {
    await store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

const contract = (name: string) => Promise.resolve({ ...contractOf(name)!, tune: TUNE });
const TUNE: TuneContract = {
  cooldownMs: 600_000,
  maxChangesPerDay: 20,
  blackout: [{ cron: "0 20 * * *", forMs: 3_600_000 }],
  guards: [],
};

async function replayed(
  definition: PluginDefinition,
  events: Iterable<Heard>,
  before: ConstructorParameters<typeof PastStore>[0],
): Promise<string[]> {
  const past = new PastStore(before);
  const one = await opened(definition);
  const outcomes = await Array.fromAsync(
    replay(useOf({ ...USED, definition }), one, events, { past, machineZone: "UTC", contract }),
  );
  await one.link.close();
  return outcomes.map((outcome) => JSON.stringify(outcome));
}

const nothingBefore: ConstructorParameters<typeof PastStore>[0] = {
  snapshot: (workflow: string) =>
    Promise.resolve({ workflow, version: 0, values: {}, frozen: [], at: 0n }),
  ledger: () => Promise.resolve([]),
  known: () => Promise.resolve([]),
  run: () => Promise.resolve(undefined),
};

// What was decided live, as a replay tells it.
const told = (outcomes: readonly (ActionOutcome & { entry?: unknown })[]) =>
  outcomes.map(({ entry: _, ...outcome }) => JSON.stringify(outcome));

Deno.test("a recorded day is decided on byte for byte alike: replayed, and live in batches of any size (T4)", () =>
  onDay(async (store) => {
    const events = await eventsOf(store);
    const expected = await replayed(optimizer, events, nothingBefore);
    console.log(`${events.length} events, ${expected.length} actions`);
    // Each way in which it can go is there.
    const rules = ["accepted", "stale", "cooldown", "daily_limit", "blackout", "evidence", "rate"];
    for (const what of rules) {
      assert(expected.some((line) => line.includes(`"${what}"`)), what);
    }
    assert.deepEqual(await replayed(optimizer, events, nothingBefore), expected);
    const random = seeded("batches");
    console.log(`seed ${random.seed}`);
    for (let round = 0; round < 2; round++) {
      // Another store with the same day, which a host hears as it comes, more or less at once.
      const copy = await openStore("memory:", { durability: "normal" });
      const records = await recordsOf(store);
      const process = new TestProcess({
        store: passing(
          copy,
          () =>
            random.below(20) > 0
              ? Promise.resolve()
              : new Promise((resolve) => setTimeout(resolve, random.below(2))),
        ),
        plugins: [USED],
        contract,
        command: () => Promise.resolve(["run"]),
      });
      if (round === 0) await process.host.start(0);
      const runs = new Set<string>();
      for (let from = 0; from < records.length;) {
        const some = records.slice(from, from += 1 + random.below(60));
        for (const record of some) {
          if (record.type === "received") {
            const [{ span, position }] = (await copy.receive([record.span], T0)).records;
            process.bus.tell({ event: "received", span, position });
          } else if (record.type !== "emitted") {
            const created = runs.has(record.runId) ? [] : [runBegins(numberOf(record.runId))[0]];
            runs.add(record.runId);
            const { position: _, ...entry } = record;
            const { records } = await copy.commit(
              [...created, entry],
              fenceOf(numberOf(record.runId)),
            );
            process.bus.publish(records);
          }
        }
        if (random.below(2) === 0) await new Promise((resolve) => setTimeout(resolve, 0));
      }
      if (round === 1) await process.host.start(0);
      await process.drain();
      assert.deepEqual(told(process.outcomes).map(shape), expected.map(shape));
      await process.close();
      await copy.close();
    }
  }));

const numberOf = (runId: string) => Number(runId.slice("run-".length));

// A host's spans stand between what comes live: without the positions.
function shape(line: string): unknown {
  const { id, position: _, ...outcome } = JSON.parse(line);
  const text = JSON.stringify(outcome).replaceAll(/"position":\d+/g, "");
  return [String(id).split("/").at(-1), text];
}

Deno.test("a replay tells the ids and decisions of the run as it was live (T4)", () =>
  onDay(async (store) => {
    const events = await eventsOf(store);
    const process = new TestProcess({
      store,
      plugins: [USED],
      contract,
      command: () => Promise.resolve(["run"]),
    });
    await process.host.start(0);
    await process.drain();
    await process.close();
    const live = told(process.outcomes);
    assert.deepEqual(await replayed(optimizer, events, nothingBefore), live);
    assert((await store.ledger({ limit: 10_000 })).length > 100);
    // What it emitted since is in the store; it does not hear itself (H2), and nothing changes.
    assert.deepEqual(await replayed(optimizer, await eventsOf(store), nothingBefore), live);
  }));

Deno.test("a replay writes nothing, and its entries are told apart from those of before", () =>
  onDay(async (store) => {
    const events = (await eventsOf(store)).slice(0, 200);
    const process = new TestProcess({ store, plugins: [USED], contract });
    await process.host.start(0);
    await process.drain();
    await process.close();
    const before = await Promise.all([store.last(), store.version(), store.ledger({ limit: 9 })]);
    const past = new PastStore(store);
    const [{ number }] = await store.ledger({ limit: 1 });
    const [entry] = await store.ledger({ limit: 1 });
    const { entry: made } = await past.decide(entry, { expected: 0 }) as { entry: typeof entry };
    assert.equal(made.number, number + 1);
    const first = events.find(({ kind }) => kind === "received")!;
    assert(first.kind === "received");
    assert.equal((await past.known([first.span])).length, 1, "what is stored is known");
    await replayed(optimizer, events, store);
    assert.deepEqual(
      await Promise.all([store.last(), store.version(), store.ledger({ limit: 9 })]),
      before,
    );
  }));

Deno.test("a plugin that throws ends its replay with the event", () =>
  onDay(async (store) => {
    const events = await eventsOf(store);
    const bad = plugin("bad", ({ position }) => {
      if (position > 30) throw new Error("thirty!");
    }, { subscribe: {} });
    await assert.rejects(replayed(bad, events, nothingBefore), /bad threw at event 3\d: .*thirty!/);
  }));
