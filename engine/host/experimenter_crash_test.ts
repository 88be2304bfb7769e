// The engine's own plugin in a process that is killed at any point: one verdict an experiment, and the ledger, the
// snapshot and the spans say the same.
import assert from "node:assert/strict";
import { end, newRun, RUN_TRACE, start, status, T0 } from "../../tests/contract/store_entries.ts";
import {
  CICD_PIPELINE_NAME,
  SPANLOOP_BATCH_FROM,
  SPANLOOP_BATCH_TO,
  SPANLOOP_EXPERIMENT_ARM,
  SPANLOOP_EXPERIMENT_ID,
  SPANLOOP_EXPERIMENT_PAIR,
  SPANLOOP_EXPERIMENT_SLICE_FROM,
  SPANLOOP_EXPERIMENT_SLICE_TO,
  SPANLOOP_STEP_ID,
  spanloopParameter,
} from "../../semconv/attributes.ts";
import type { Arm } from "../core/proposal.ts";
import { seeded } from "../core/seeded_test.ts";
import type { Entry, Store } from "../core/store.ts";
import type { Workflow } from "../core/workflow.ts";
import { ParameterLedger } from "../parameters/ledger.ts";
import { loadWorkflow } from "../spec/load.ts";
import { openStore } from "../store/open.ts";
import {
  emittedBy,
  failing,
  fastClock,
  fenceOf,
  passing,
  type Point,
  spanIdOf,
  TestProcess,
} from "./_hosting_fixture_test.ts";
import { experimenter } from "./experimenter.ts";
import { readRecord } from "./record.ts";

const SECOND = 1_000_000_000n;

function flow(): Workflow {
  const { workflow } = loadWorkflow({
    bytes: new TextEncoder().encode(`name: test
params:
  size: { type: integer, default: 10, tune: { min: 1, max: 500, apply: live, mode: auto } }
tune:
  objective: { minimize: duration / items, of: load }
  guards: [{ metric: error_rate, of: load, below: 0.2 }]
steps:
  - id: load
    for_each: { list: ["a"], batch: "\${{ params.size }}" }
    run: "true"
`),
    file: "/w/test.yaml",
    display: "test.yaml",
  });
  return workflow!;
}

/** A run whose step is cut into pairs of slices, a batch each; the candidate's take `candidate` seconds. */
function runOf(run: number, experiment: string, pairs: number, candidate: bigint): Entry[] {
  const runId = `run-${run}`;
  let time = T0 + BigInt(run) * 10_000n * SECOND;
  let number = 1;
  const named = { [CICD_PIPELINE_NAME]: "test" };
  const entries: Entry[] = [
    newRun(runId, { spanId: spanIdOf(run, 0), createdAt: time, sources: { size: "default" } }),
    start(runId, "run", {
      role: "run",
      stepId: undefined,
      span: {
        ...start(runId, "").span,
        spanId: spanIdOf(run, 0),
        startTime: time,
        attributes: named,
      },
    }),
  ];
  const step = { [SPANLOOP_STEP_ID]: "load" };
  const whole = {
    traceId: RUN_TRACE,
    spanId: spanIdOf(run, number++),
    name: "load",
    kind: "internal" as const,
    startTime: time,
    attributes: step,
  };
  entries.push(start(runId, "load", { role: "step", attempt: undefined, span: whole }));
  for (let pair = 0; pair < pairs; pair++) {
    const order: Arm[] = pair % 2 === 0 ? ["incumbent", "candidate"] : ["candidate", "incumbent"];
    for (const [index, arm] of order.entries()) {
      const from = (pair * 2 + index) * 40;
      const spanId = spanIdOf(run, number++);
      const key = `load[${from},${from + 40})`;
      const range = { from, to: from + 40 };
      const attributes = {
        ...step,
        [spanloopParameter("size")]: arm === "candidate" ? 20 : 10,
        [SPANLOOP_BATCH_FROM]: from,
        [SPANLOOP_BATCH_TO]: from + 40,
        [SPANLOOP_EXPERIMENT_ID]: experiment,
        [SPANLOOP_EXPERIMENT_ARM]: arm,
        [SPANLOOP_EXPERIMENT_PAIR]: pair,
        [SPANLOOP_EXPERIMENT_SLICE_FROM]: from,
        [SPANLOOP_EXPERIMENT_SLICE_TO]: from + 40,
      };
      const span = { ...whole, spanId, startTime: time, attributes };
      entries.push(start(runId, key, { stepId: "load", range, span }));
      time += (arm === "candidate" ? candidate : 8n) * SECOND;
      entries.push(end(runId, key, {
        stepId: "load",
        spanId,
        items: { processed: 39, failed: 1 },
        end: { endTime: time, error: false, attributes: {} },
      }));
    }
  }
  const ended = { endTime: time, error: false, attributes: {} };
  entries.push(
    end(runId, "load", { role: "step", spanId: whole.spanId, end: ended }),
    end(runId, "run", { role: "run", stepId: undefined, spanId: spanIdOf(run, 0), end: ended }),
    status(runId, "succeeded", time),
  );
  return entries;
}

async function scene(store: Store): Promise<void> {
  const workflow = flow();
  const ledger = new ParameterLedger({ store, machineZone: "UTC" });
  const propose = async (id: string, name: string, size: number) => {
    const { version } = await store.snapshot("test");
    await ledger.propose(
      {
        id,
        workflow: "test",
        author: { kind: "plugin", name },
        changes: { size },
        reason: "r",
        evidence: [],
        version,
        at: T0,
      },
      workflow,
      { evidenceKnown: true },
    );
  };
  await propose("first", "one", 20);
  await propose("second", "other", 5);
  // The first is better, the one that waits for it is worse.
  for (const [run, experiment, candidate] of [[1, "first", 2n], [2, "answer/2", 30n]] as const) {
    await store.commit(runOf(run, experiment, 12, candidate), fenceOf(run));
  }
}

// Runs one process until it has passed so many points, then drops it; whether it came to its end.
async function incarnation(store: Store, killAt: number | undefined): Promise<boolean> {
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
  const its = passing(store, point);
  const definition = experimenter({ of: "load", tries: { load: 1 }, parameters: ["size"] }, {
    workflow: "test",
    contract: () => Promise.resolve(flow()),
    store: its,
  });
  const process = new TestProcess({
    store: its,
    point,
    clock: fastClock(100),
    contract: () => Promise.resolve(flow()),
    plugins: [{ definition, engine: true, grant: { rate: 1e6 } }],
  });
  const work = async () => {
    await process.host.start(0);
    await process.drain();
    await process.close();
    return "done" as const;
  };
  const end = await Promise.race([work(), killed.promise]);
  process.stopKeeper();
  return end === "done";
}

async function through(kills: () => number | undefined, fails?: (method: string) => boolean) {
  const folder = await Deno.makeTempDir();
  const store = await openStore(`sqlite:${folder}/store.db`, { durability: "normal" });
  try {
    await scene(store);
    let count = 0;
    // What these could not do, as the store failed to the end, the last one does.
    for (let i = 0; i < 3 && fails !== undefined; i++) {
      assert.ok(await incarnation(failing(store, fails), undefined));
    }
    while (!await incarnation(store, kills())) count++;
    const { values, experiment, version } = await store.snapshot("test");
    const { state, report } = await readRecord(store, "experiments@test");
    const result = {
      values,
      experiment,
      version,
      state,
      handled: report?.handled,
      ledger: await store.ledger({ limit: 100 }),
      emitted: await emittedBy(store, "experiments"),
    };
    return { result, kills: count };
  } finally {
    await store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a process that is killed anywhere leaves the verdicts of one that is not (T3, P2, P4)", async () => {
  const { result: expected } = await through(() => undefined);
  assert.deepEqual(expected.values, { size: 20 });
  assert.equal(expected.experiment, undefined);
  assert.deepEqual(
    expected.ledger.toReversed().map(({ decision: { outcome, rule }, answers }) =>
      `${outcome} ${rule} ${answers}`
    ),
    [
      "testing experiment undefined",
      "waiting experiment undefined",
      "applied verdict 1",
      "testing experiment 2",
      "ended verdict 4",
    ],
  );
  assert.deepEqual(
    expected.emitted.map(({ name }) => name.replace("experiment.", "")),
    ["measurement", "verdict", "measurement", "measurement", "verdict", "measurement"],
  );
  const random = seeded("experimenter");
  console.log(`seed ${random.seed}`);
  let kills = 0;
  for (let at = 1; at <= 60; at += 1 + random.below(3)) {
    const plan = [at];
    const found = await through(() => plan.shift());
    kills += found.kills;
    assert.deepEqual(found.result, expected, `killed at ${at}`);
  }
  for (let round = 0; round < 6; round++) {
    const plan = Array.from({ length: 10 }, () => 1 + random.below(80));
    const found = await through(() => plan.shift());
    kills += found.kills;
    assert.deepEqual(found.result, expected, `round ${round}`);
  }
  console.log(`${kills} kills`);
  assert.ok(kills > 40);
});

const FAILING = new Set(["run", "snapshot", "ledger", "decide", "since", "react"]);

Deno.test("a store that fails now and then changes no verdict, and sets nothing aside (H1)", async () => {
  const { result: expected } = await through(() => undefined);
  const random = seeded("experimenter-faults");
  console.log(`seed ${random.seed}`);
  for (let round = 0; round < 4; round++) {
    const fails = (method: string) => FAILING.has(method) && random.below(4) === 0;
    const { result } = await through(() => undefined, fails);
    assert.deepEqual(result, expected, `round ${round}`);
  }
});
