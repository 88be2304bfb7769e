import assert from "node:assert/strict";
import type { Entry, Holder, Lease, Pruned, Receipt, Store } from "../../engine/core/store.ts";
import { openStore } from "../../engine/store/open.ts";
import {
  change,
  emitted,
  end,
  HERE,
  journal,
  newRun,
  received,
  refusal,
  RUN_TRACE,
  seeded,
  start,
  status,
  T0,
  THERE,
} from "./store_entries.ts";

const RUNS = ["a", "b", "c", "d", "e", "f", "aa", "b_"];
const GROUPS = [undefined, "g", "h"];
const LEASES = [...RUNS.map((runId) => `run:${runId}`), "schedules", "plugins"];
const STATUSES = ["queued", "running", "queued", "succeeded", "failed"] as const;

type Operation = (store: Store) => Promise<unknown>;

/** Draws one operation, with all its values, so that it can be done to several stores alike. */
function draw(random: (bound: number) => number): { name: string; run: Operation } {
  const pick = <T>(list: readonly T[]) => list[random(list.length)];
  const now = T0 + BigInt(random(2000));
  const lease = (): Lease => ({ name: pick(LEASES), fence: 1 + random(4) });
  const dead = pick([[], [HERE.pid], [THERE.pid], [HERE.pid, THERE.pid]]);
  const isDead = (holder: Holder) => dead.includes(holder.pid);

  const entry = (): Entry => {
    const runId = pick(RUNS);
    const drawn = random(10);
    if (drawn < 4) return start(runId, `k${random(9)}`);
    if (drawn < 7) {
      const text = "x".repeat(random(12) === 0 ? 70_000 : random(9));
      return end(runId, `k${random(9)}`, { outputs: { text }, retryAt: now });
    }
    if (drawn < 8) return status(runId, pick(STATUSES), now);
    const other = pick(RUNS);
    return newRun(runId, {
      createdAt: now,
      workflow: pick(["v", "w"]),
      definition: pick(["one", "two"]),
      priority: random(10),
      group: pick(GROUPS),
      trigger: random(3) === 0 ? `w/cron/${random(4)}` : undefined,
      parent: random(4) === 0 ? { runId: other, key: "k", depth: 1 } : undefined,
      rerun: random(4) === 0 ? { runId: other, reuse: [] } : undefined,
    }, pick(["queued", "running"]));
  };

  const operations: Record<string, () => Operation> = {
    commit: () => {
      const entries = Array.from({ length: 1 + random(6) }, entry);
      const wrong = new Map(RUNS.map((runId) => [runId, random(6)]));
      return async (store) => {
        const fences = new Map<string, number>();
        for (const [runId, fence] of wrong) {
          const current = (await store.run(runId))?.lease?.fence;
          fences.set(runId, fence > 0 && current !== undefined ? current : fence + 1);
        }
        return await store.commit(entries, fences);
      };
    },
    acquire: () => {
      const [name, holder] = [pick(LEASES), pick([HERE, THERE])];
      const expiresAt = now + BigInt(random(1000));
      return (store) => store.acquire(name, { holder, now, expiresAt, isDead });
    },
    renew: () => {
      const leases = Array.from({ length: random(4) }, lease);
      return (store) => store.renew(leases, now + 500n);
    },
    release: () => {
      const leases = Array.from({ length: random(3) }, lease);
      return (store) => store.release(leases);
    },
    claim: () => {
      const runId = pick(RUNS);
      const agingNs = BigInt(1 + random(120));
      const request = { now, agingNs, isDead: random(2) === 0 ? isDead : undefined };
      return (store) => store.claim(runId, request);
    },
    receive: () => {
      const spans = Array.from({ length: random(70) }, () =>
        received(random(40), {
          // Of the runs' trace, or of others; the runs' own span among them.
          traceId: random(3) === 0 ? RUN_TRACE : String(random(3) + 1).repeat(32),
          ...random(9) === 0 ? { spanId: "00f067aa0ba902b7" } : {},
          resource: { "service.name": String(random(3)) },
        }));
      return (store) => store.receive(spans, now);
    },
    react: () => {
      const spans = Array.from({ length: random(50) }, () =>
        emitted(random(200), {
          traceId: random(3) === 0 ? RUN_TRACE : String(random(3) + 1).repeat(32),
          // One that a received span has, too.
          ...random(9) === 0 ? { spanId: received(random(40)).spanId, time: T0 } : {},
          plugin: pick(["p", "q"]),
        }));
      const items = { [pick(["x", "y"])]: pick([null, String(now)]), [`x${random(9)}`]: "z" };
      const [under, wrong] = [lease(), random(3) === 0];
      const isDead = () => true;
      return async (store) => {
        const request = { holder: HERE, now, expiresAt: now, isDead };
        const taken = await store.acquire("plugins", request) as { acquired: Lease };
        return await store.react(wrong ? under : taken.acquired, { spans, items, at: now });
      };
    },
    known: () => {
      const spans = Array.from({ length: random(9) }, () => ({
        traceId: random(3) === 0 ? RUN_TRACE : String(random(3) + 1).repeat(32),
        spanId: pick([
          "00f067aa0ba902b7",
          received(random(40)).spanId,
          emitted(random(200)).spanId,
        ]),
      }));
      return (store) => store.known(spans);
    },
    items: () => {
      const prefix = pick(["", "x", "x1", "z"]);
      return async (store) => [...await store.items(prefix)];
    },
    decide: () => {
      const [id, workflow] = [`p${random(120)}`, pick(["v", "w"])];
      const changes = { [pick(["x", "y"])]: random(9), ...random(3) === 0 ? { z: null } : {} };
      const [late, refused] = [random(4) === 0, random(3) === 0];
      return async (store) => {
        const { version } = await store.snapshot(workflow);
        const expected = late ? version + 1 : version;
        const proposed = refused ? refusal : change;
        return await store.decide(...proposed(id, expected, { workflow, changes, at: now }));
      };
    },
    ledger: () => {
      const query = {
        workflow: pick([undefined, "v"]),
        parameter: pick([undefined, "x", "z"]),
        number: pick([undefined, undefined, undefined, 1 + random(50)]),
        proposal: pick([undefined, undefined, undefined, `p${random(120)}`]),
        outcome: pick([undefined, "refused"] as const),
        since: pick([undefined, now]),
        limit: pick([undefined, 3]),
      };
      return (store) => store.ledger(query);
    },
    signal: () => {
      const runId = pick(RUNS);
      return (store) => store.signal(runId, "cancel", { at: String(now) }, now);
    },
    setItem: () => {
      const [key, under] = [pick(["x", "y"]), random(2) === 0 ? lease() : undefined];
      return (store) => store.setItem(key, String(now), under);
    },
    register: () => {
      const [name, file] = [pick(["v", "w"]), pick(["/a", "/b"])];
      return random(4) === 0
        ? (store) => store.reregister(name, file)
        : (store) => store.register(name, file);
    },
    runs: () => {
      const query = {
        workflow: pick([undefined, "v"]),
        group: pick(GROUPS),
        statuses: pick([undefined, ["queued", "running"] as const, ["failed"] as const]),
        prefix: pick([undefined, "a", "b_"]),
        before: pick([undefined, now]),
        limit: pick([undefined, 3]),
      };
      return (store) => store.runs(query);
    },
    since: () => {
      const [after, limit] = [random(300), random(20)];
      return (store) => store.since(after, limit);
    },
    prune: () => (store) => store.prune(now),
  };
  // Commits are most of what a store does.
  const name = pick(["commit", "commit", "commit", "commit", ...Object.keys(operations)]);
  if (name === "prune" && random(3) > 0) return draw(random);
  return { name, run: operations[name]() };
}

/** Everything that can be read from a store. */
async function contents(store: Store): Promise<unknown> {
  return {
    runs: await store.runs({}),
    journals: await Promise.all(RUNS.map((runId) => journal(store, runId))),
    all: await store.since(0, 1e6),
    last: await store.last(),
    signals: await store.signals(RUNS, 0),
    items: await store.items(""),
    ledger: await store.ledger({ limit: 1e6 }),
    snapshots: await Promise.all(
      ["v", "w"].flatMap((name) => [store.snapshot(name), store.snapshot(name, 1)]),
    ),
    definitions: [await store.definition("one"), await store.definition("two")],
  };
}

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
  Deno.test(`SQLite does what memory does, whatever is asked (J4, P2, R7, T2, T3), seed ${seed}`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "store-" });
    const location = `sqlite:${folder}/store.db`;
    const memory = await openStore("memory:", { durability: "normal" });
    let sqlite = await openStore(location, { durability: "normal" });
    const random = seeded(seed);
    const done: string[] = [];
    const sum = { records: 0, pruned: 0, claimed: 0, received: 0, own: 0, repeated: 0 };
    const reactions = { emitted: 0, lost: 0, found: 0 };
    const changes = { decided: 0, known: 0, stale: 0 };
    for (let i = 0; i < 2000; i++) {
      const { name, run } = draw(random);
      done.push(name);
      const before = await sqlite.version();
      const [expected, actual] = [await run(memory), await run(sqlite)];
      assert.deepEqual(actual, expected, `operation ${i}: ${done.slice(-5)}`);
      if (name === "commit") {
        assert.notEqual(await sqlite.version(), before);
        sum.records += (actual as { records: unknown[] }).records.length;
      }
      if (name === "prune") sum.pruned += (actual as Pruned).runs;
      if (name === "claim" && actual) sum.claimed++;
      if (name === "decide") {
        const result = actual as Awaited<ReturnType<Store["decide"]>>;
        if ("stale" in result) changes.stale++;
        else if (result.repeated) changes.known++;
        else changes.decided++;
      }
      if (name === "receive") {
        const { records, own, repeated } = actual as Receipt;
        sum.received += records.length;
        sum.own += own;
        sum.repeated += repeated;
      }
      if (name === "react") {
        const records = actual as Awaited<ReturnType<Store["react"]>>;
        if (records === undefined) reactions.lost++;
        else reactions.emitted += records.length;
      }
      if (name === "known") reactions.found += (actual as unknown[]).length;
      if (i % 60 === 0) assert.deepEqual(await contents(sqlite), await contents(memory));
      if (i % 200 === 199) {
        await sqlite.close();
        sqlite = await openStore(location, { durability: "normal", create: false });
      }
    }
    assert.deepEqual(await contents(sqlite), await contents(memory));
    // A sequence in which nothing happens would show nothing.
    const counts = { ...sum, ...changes, ...reactions };
    assert(Object.values(counts).every((count) => count > 3), JSON.stringify(counts));
    await sqlite.close();
    await Deno.remove(folder, { recursive: true });
  });
}
