import assert from "node:assert/strict";
import { emitted, HERE, nobody, received, T0 } from "../../tests/contract/store_entries.ts";
import { seeded } from "../core/seeded_test.ts";
import type { BusEvent } from "../core/span.ts";
import type { Lease, Store } from "../core/store.ts";
import { openStore } from "../store/open.ts";
import { Bus } from "../telemetry/bus.ts";
import {
  attempt,
  failing,
  fenceOf,
  passing,
  recordsOf,
  runBegins,
  runEnds,
} from "./_hosting_fixture_test.ts";
import { Feed, Reader } from "./feed.ts";
import type { Heard } from "./heard.ts";

const TURNS = 60;

async function onFile(test: (open: () => Promise<Store>) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const opened: Store[] = [];
  try {
    await test(async () => {
      opened.push(await openStore(`sqlite:${folder}/store.db`, { durability: "normal" }));
      return opened.at(-1)!;
    });
  } finally {
    for (const store of opened) await store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

async function lease(store: Store): Promise<Lease> {
  const taken = await store.acquire("plugins", {
    holder: HERE,
    now: T0,
    expiresAt: T0 + 10n ** 15n,
    isDead: nobody,
  });
  assert("acquired" in taken);
  return taken.acquired;
}

function follow(store: Store, from = 0): { feed: Feed; heard: Heard[]; errors: unknown[] } {
  const heard: Heard[] = [];
  const errors: unknown[] = [];
  const feed = new Feed({
    store,
    onHeard: (one) => heard.push(one),
    onError: (thrown) => errors.push(thrown),
  }, from);
  return { feed, heard, errors };
}

async function allPositions(store: Store): Promise<number[]> {
  return (await recordsOf(store)).map(({ position }) => position);
}

const positions = (heard: readonly Heard[]) => heard.map(({ position }) => position);

// One that commits when it is told to, and tells of it late: each kind in its order, but not among one another.
function teller(random: { below(n: number): number }, tell: (event: () => void) => void) {
  const queues = new Map<string, Promise<void>>();
  return {
    later(kind: string, event: () => void) {
      const turns = random.below(4);
      const before = queues.get(kind) ?? Promise.resolve();
      queues.set(
        kind,
        before.then(async () => {
          for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
          tell(event);
        }),
      );
    },
    done: () => Promise.all(queues.values()),
  };
}

for (const broken of [0, 0.2]) {
  Deno.test(
    `a feed tells all that two processes commit, in order and once${
      broken > 0 ? ", though the store fails" : ""
    } (J4)`,
    () =>
      onFile(async (open) => {
        const random = seeded(`feed ${broken}`);
        console.log(`seed ${random.seed}`);
        const [here, there] = [await open(), await open()];
        const lucky = failing(here, (method) => method !== "close" && random.next() < broken);
        const { feed, heard } = follow(lucky);
        const bus = new Bus((thrown) => assert.fail(String(thrown)));
        bus.subscribe((event: BusEvent) => feed.hear(event));
        const fence = await lease(here);
        const { later, done } = teller(random, (event) => event());
        // Runs 0 to 3 are of this process, 4 to 7 of the other one.
        const next = new Map<number, number>();
        let spans = 0;
        for (let turn = 0; turn < TURNS; turn++) {
          const kind = random.below(8);
          const run = random.below(8);
          const store = run < 4 ? here : there;
          if (kind === 0) {
            const { records } = await store.receive([received(++spans)], T0);
            if (run >= 4) continue;
            for (const { span, position } of records) {
              later("received", () => bus.tell({ event: "received", span, position }));
            }
          } else if (kind === 1) {
            const made = await here.react(fence, { spans: [emitted(++spans)], items: {}, at: T0 });
            for (const record of made!) {
              later("emitted", () => bus.tell({ event: "emitted", record }));
            }
          } else {
            const number = next.get(run) ?? 0;
            next.set(run, number + 1);
            const entries = number === 0 ? runBegins(run) : attempt(run, number);
            const { records } = await store.commit(entries, fenceOf(run));
            if (run < 4) later("journal", () => bus.publish(records));
          }
          if (random.below(4) === 0) await new Promise((resolve) => setImmediate(resolve));
          if (random.below(10) === 0) await feed.look();
        }
        await done();
        // As the host does with every poll.
        do await feed.look(); while (feed.behind);
        assert.deepEqual(positions(heard), await allPositions(here));
        for (const one of heard) {
          if (one.kind !== "journal" || one.end === undefined) continue;
          assert.equal(one.end.spanId, one.start.span.spanId);
          assert.equal(one.workflow, "test");
        }
      }),
  );
}

Deno.test("what is committed while the store is read is not taken for deleted (J4)", () =>
  onFile(async (open) => {
    const store = await open();
    let hold: Promise<void> | undefined;
    const slow = passing(store, async (what) => {
      if (what === "after since") await hold;
    });
    const { feed, heard } = follow(slow);
    const gate = Promise.withResolvers<void>();
    hold = gate.promise;
    const looking = feed.look();
    await new Promise((resolve) => setImmediate(resolve));
    const { records } = await store.receive([received(1)], T0);
    hold = undefined;
    feed.hear({ event: "received", span: records[0].span, position: records[0].position });
    gate.resolve();
    await looking;
    await feed.look();
    assert.deepEqual(positions(heard), [records[0].position]);
  }));

Deno.test("look() tells what was committed before it, though the store was being read", () =>
  onFile(async (open) => {
    const [store, other] = [await open(), await open()];
    let hold: Promise<void> | undefined;
    const { feed, heard } = follow(passing(store, async (what) => {
      if (what === "after since") await hold;
    }));
    const gate = Promise.withResolvers<void>();
    hold = gate.promise;
    const first = feed.look();
    await new Promise((resolve) => setImmediate(resolve));
    await other.receive([received(1)], T0);
    hold = undefined;
    const second = feed.look();
    gate.resolve();
    await Promise.all([first, second]);
    assert.equal(heard.length, 1);
  }));

Deno.test("a feed that could not read says so, is behind until it can, and tells nothing once stopped", () =>
  onFile(async (open) => {
    const store = await open();
    let fails = true;
    const { feed, heard, errors } = follow(failing(store, () => fails));
    await store.receive([received(1)], T0);
    await feed.look();
    assert.deepEqual([heard.length, errors.length, feed.behind], [0, 1, true]);
    fails = false;
    await feed.look();
    assert.deepEqual([heard.length, errors.length, feed.behind], [1, 1, false]);
    await store.receive([received(2)], T0);
    feed.stop();
    fails = true;
    await feed.look();
    assert.deepEqual([heard.length, errors.length], [1, 1]);
  }));

Deno.test("a feed passes what was deleted before it was read", () =>
  onFile(async (open) => {
    const store = await open();
    const { feed, heard } = follow(store);
    const { records } = await store.receive([received(1)], 1n);
    const [{ position, span }] = records;
    await store.receive([received(2)], 1n);
    await store.prune(2n);
    // A gap, so that the store is asked.
    feed.hear({ event: "received", span, position: position + 1 });
    await feed.look();
    assert.deepEqual([heard.length, feed.position], [0, position + 1]);
    const [later] = (await store.receive([received(3)], 5n)).records;
    feed.hear({ event: "received", span: later.span, position: later.position });
    await feed.look();
    assert.deepEqual(positions(heard), [later.position]);
  }));

Deno.test("a reader gives pages until the end, and again from a page that failed", () =>
  onFile(async (open) => {
    const store = await open();
    await store.commit(runBegins(1), new Map());
    for (let i = 1; i <= 400; i++) await store.commit(attempt(1, i), fenceOf(1));
    await store.commit(runEnds(1), fenceOf(1));
    const random = seeded("reader");
    console.log(`seed ${random.seed}`);
    const reader = new Reader(failing(store, () => random.next() < 0.3), 3);
    const heard: Heard[] = [];
    for (;;) {
      const page = await reader.next().catch(() => []);
      if (page === undefined) break;
      heard.push(...page);
    }
    assert.deepEqual(positions(heard), (await allPositions(store)).filter((one) => one > 3));
    assert.equal(reader.position, await store.last());
  }));
