import assert from "node:assert/strict";
import type { Entry, Store } from "../core/store.ts";
import type { EndEntry, JournalRecord, StartEntry } from "../core/span.ts";
import { StoreError } from "../core/errors.ts";
import { openStore } from "../store/open.ts";
import { Bus } from "./bus.ts";
import { Recorder } from "./recorder.ts";

const RUN = "0190a000-0000-7000-8000-000000000001";
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const HOLDER = { host: "h", bootId: "b", pid: 1, startTime: "1" };

const newRun = (trigger?: string, runId = RUN): Entry => ({
  type: "run",
  runId,
  header: {
    runId,
    workflow: "w",
    file: "/w.yaml",
    definition: "d",
    modules: {},
    traceId: TRACE,
    spanId: "00f067aa0ba902b7",
    params: {},
    sources: {},
    priority: 5,
    createdAt: 1n,
    ...(trigger === undefined ? {} : { trigger }),
  },
  text: "name: w",
  status: "running",
  holder: HOLDER,
  expiresAt: 10n,
});

const start = (n: number): StartEntry => ({
  type: "start",
  runId: RUN,
  role: "attempt",
  key: `s${n}`,
  stepId: `s${n}`,
  attempt: 1,
  span: {
    traceId: TRACE,
    spanId: n.toString(16).padStart(16, "0"),
    name: `s${n}`,
    kind: "internal",
    startTime: BigInt(n),
    attributes: {},
  },
});

const end = (n: number): EndEntry => ({
  type: "end",
  runId: RUN,
  role: "attempt",
  key: `s${n}`,
  stepId: `s${n}`,
  spanId: n.toString(16).padStart(16, "0"),
  outcome: "succeeded",
  end: { endTime: BigInt(n + 1), error: false, attributes: {} },
});

async function record(
  test: (parts: {
    recorder: Recorder;
    store: Store;
    heard: JournalRecord[];
    commits: number[];
    told: string[];
    refuse(reason: Error | undefined): void;
  }) => Promise<void>,
): Promise<void> {
  const real = await openStore("memory:", { durability: "normal" });
  const commits: number[] = [];
  const told: string[] = [];
  let refusal: Error | undefined;
  // The real store, whose commits are counted and can be made to fail.
  const store: Store = new Proxy(real, {
    get(target, name) {
      if (name === "commit") {
        return (entries: readonly Entry[], fences: ReadonlyMap<string, number>) => {
          if (refusal !== undefined) return Promise.reject(refusal);
          commits.push(entries.length);
          return target.commit(entries, fences);
        };
      }
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const heard: JournalRecord[] = [];
  const bus = new Bus((thrown) => assert.fail(String(thrown)));
  bus.subscribe((event) => {
    if (event.event === "started" || event.event === "ended") heard.push(event.record);
  });
  const recorder = new Recorder({
    store,
    bus,
    onLost: (runId, why) =>
      told.push(`lost ${runId}${why === undefined ? "" : `: ${why.message}`}`),
    onDuplicate: (runId) => told.push(`duplicate ${runId}`),
  });
  const refuse = (reason: Error | undefined) => void (refusal = reason);
  await test({ recorder, store, heard, commits, told, refuse });
  await real.close();
}

Deno.test("what is appended in one turn shares a commit; nothing is heard before it (J1, J4)", () =>
  record(async ({ recorder, heard, commits }) => {
    recorder.fence(RUN, 1);
    recorder.append(newRun());
    for (let n = 1; n <= 5; n++) recorder.append(start(n));
    recorder.append(end(1));
    assert.equal(heard.length, 0);
    await recorder.committed();
    assert.deepEqual(commits, [7]);
    assert.deepEqual(
      heard.map(({ type, key }) => `${type} ${key}`),
      ["start s1", "start s2", "start s3", "start s4", "start s5", "end s1"],
    );
    assert.ok(heard.every(({ position }, i) => i === 0 || position > heard[i - 1].position));
  }));

Deno.test("committed() covers all that was appended before it, across groups (J1)", () =>
  record(async ({ recorder, store }) => {
    recorder.fence(RUN, 1);
    recorder.append(newRun());
    const first = recorder.committed();
    await new Promise((resolve) => setImmediate(resolve));
    recorder.append(start(1));
    recorder.append(end(1));
    await Promise.all([first, recorder.committed()]);
    assert.equal((await store.since(0, 10)).length, 2);
  }));

Deno.test("a run that another process holds writes nothing and is told once (R7)", () =>
  record(async ({ recorder, store, told }) => {
    recorder.fence(RUN, 1);
    recorder.append(newRun());
    await recorder.committed();
    await store.acquire(`run:${RUN}`, {
      holder: { ...HOLDER, pid: 2 },
      now: 11n,
      expiresAt: 20n,
      isDead: () => false,
    });
    recorder.append(start(1));
    await recorder.committed();
    recorder.append(end(1));
    await recorder.committed();
    assert.deepEqual(told, [`lost ${RUN}`]);
    assert.equal((await store.since(0, 10)).length, 0);
  }));

Deno.test("a second run of a trigger's event is refused and told (R9)", () =>
  record(async ({ recorder, told, store }) => {
    const second = RUN.replace(/1$/, "2");
    recorder.fence(RUN, 1);
    recorder.fence(second, 1);
    recorder.append(newRun("w/cron/1"));
    recorder.append(newRun("w/cron/1", second));
    await recorder.committed();
    assert.deepEqual(told, [`duplicate ${second}`]);
    assert.equal((await store.runs({})).length, 1);
  }));

Deno.test("after a commit that failed nothing later of its runs is written; other runs go on (J1)", () =>
  record(async ({ recorder, store, refuse, heard, told }) => {
    const other = RUN.replace(/1$/, "2");
    recorder.fence(RUN, 1);
    recorder.fence(other, 1);
    recorder.append(newRun());
    recorder.append(newRun(undefined, other));
    await recorder.committed();
    const full = new StoreError("store.full", "The disk is full");
    refuse(full);
    recorder.append(start(1));
    await assert.rejects(recorder.committed(), full);
    assert.deepEqual(told, [`lost ${RUN}: The disk is full`]);
    refuse(undefined);
    recorder.append(end(1));
    recorder.append({ ...start(2), runId: other });
    await recorder.committed();
    assert.deepEqual(heard.map(({ runId, key }) => `${runId} ${key}`), [`${other} s2`]);
    assert.equal((await store.since(0, 10)).length, 1);
    assert.equal(told.length, 1);
  }));
