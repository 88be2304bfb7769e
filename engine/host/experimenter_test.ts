import assert from "node:assert/strict";
import {
  SPANLOOP_BATCH_FROM,
  SPANLOOP_BATCH_TO,
  SPANLOOP_EXPERIMENT_ARM,
  SPANLOOP_EXPERIMENT_ID,
  SPANLOOP_EXPERIMENT_PAIR,
  SPANLOOP_EXPERIMENT_SLICE_FROM,
  SPANLOOP_EXPERIMENT_SLICE_TO,
  SPANLOOP_MEASUREMENT_ARMS,
  SPANLOOP_MEASUREMENT_DURATIONS,
  SPANLOOP_MEASUREMENT_FAILED,
  SPANLOOP_MEASUREMENT_GOAL,
  SPANLOOP_MEASUREMENT_ITEMS,
  SPANLOOP_MEASUREMENT_OBJECTIVES,
  SPANLOOP_MEASUREMENT_VALUES,
  spanloopParameter,
} from "../../semconv/attributes.ts";
import type { EmitAction } from "../core/action.ts";
import type { Json } from "../core/json.ts";
import type { ValueSource } from "../core/parameter.ts";
import type { PluginSpan } from "../core/plugin.ts";
import type { Arm } from "../core/proposal.ts";
import type { Outcome } from "../core/span.ts";
import type { Store } from "../core/store.ts";
import type { Workflow } from "../core/workflow.ts";
import { loadWorkflow } from "../spec/load.ts";
import { opened } from "./_hosting_fixture_test.ts";
import { newRun } from "../../tests/contract/store_entries.ts";
import type { Compared } from "../parameters/evidence.ts";
import { ParameterLedger } from "../parameters/ledger.ts";
import { openStore } from "../store/open.ts";
import type { ConcludeAction, EngineAction } from "./engine_action.ts";
import { experimenter } from "./experimenter.ts";

type Made = EmitAction | EngineAction;

const FLOW = `name: orders
params:
  size: { type: integer, default: 10, tune: { min: 1, max: 500, apply: live, mode: auto } }
tune:
  objective: { OBJECTIVE, of: load }
  guards: [GUARD]
steps:
  - id: load
    for_each: { list: ["a"], batch: "\${{ params.size }}" }
    run: "true"
    retry: { attempts: 2, on: [error] }
`;

const ERRORS = "{ metric: error_rate, of: load, below: 0.02 }";

function flow(objective = "minimize: duration / items", guard = ERRORS): Workflow {
  const text = FLOW.replace("OBJECTIVE", objective).replace("GUARD", guard);
  const { workflow, diagnostics } = loadWorkflow({
    bytes: new TextEncoder().encode(text),
    file: "/w/orders.yaml",
    display: "orders.yaml",
  });
  assert.ok(workflow, JSON.stringify(diagnostics));
  return workflow;
}

const EXPERIMENT = "first";
const SIZES: Record<Arm, number> = { incumbent: 10, candidate: 20 };

/** The experimenter of a workflow, on a store with a ledger; spans are told to it by hand. */
class Scene {
  workflow: Workflow | undefined = flow();
  source: ValueSource = "default";
  /** The state that it keeps, by key. */
  readonly state: Record<string, Json> = {};
  /** What it asked for. */
  readonly made: Made[] = [];
  /** Lines of its log. */
  readonly lines: string[] = [];
  readonly #store: Store;
  readonly #ledger: ParameterLedger;
  readonly #runs = new Set<string>();
  #link: Awaited<ReturnType<typeof opened>>["link"] | undefined;
  #time = 1_000;
  #spans = 0;

  constructor(store: Store) {
    this.#store = store;
    this.#ledger = new ParameterLedger({ store, machineZone: "UTC" });
  }

  /** Begins anew with the state that is kept, as after a restart. */
  async restart(): Promise<void> {
    await this.#link?.close();
    const measured = { of: "load", tries: { load: 2 }, parameters: ["size"] };
    const definition = experimenter(measured, {
      workflow: "orders",
      contract: () => Promise.resolve(this.workflow),
      store: this.#store,
    });
    const { link } = await opened(definition, undefined, (line) => this.lines.push(line));
    link.start({}, this.state, "orders");
    this.#link = link;
  }

  /** Lets an experiment begin. */
  async begin(id = EXPERIMENT, size = 20): Promise<void> {
    this.#time += 1;
    const { version } = await this.#store.snapshot("orders");
    const { entry } = await this.#ledger.propose(
      {
        id,
        workflow: "orders",
        author: { kind: "plugin", name: "asks" },
        changes: { size },
        reason: "r",
        evidence: [],
        version,
        at: this.#at,
        exposure: 0.5,
      },
      flow(),
      { evidenceKnown: true },
    );
    assert.equal(entry.decision.outcome, "testing");
  }

  /** A person changes the values, and then back. */
  async stop(): Promise<void> {
    for (const size of [11, 10]) {
      this.#time += 1;
      await this.#ledger.set(flow(), { size }, {
        id: `person/${size}/${this.#spans}`,
        at: this.#at,
      });
    }
  }

  get #at(): bigint {
    return BigInt(Math.round(this.#time * 1e6)) * 1_000n;
  }

  async #begins(runId: string): Promise<void> {
    if (this.#runs.has(runId)) return;
    this.#runs.add(runId);
    const header = { workflow: "orders", sources: { size: this.source }, createdAt: this.#at };
    await this.#store.commit([newRun(runId, header)], new Map([[runId, 1]]));
  }

  /** Hears a span; twice, as after a crash before anything was kept, it makes the same (T3). */
  async hear(span: Partial<PluginSpan>): Promise<readonly Made[]> {
    await this.#begins(span.runId ?? "run-1");
    const id = (++this.#spans).toString(16).padStart(16, "0");
    const event = {
      event: "ended" as const,
      position: this.#spans,
      span: {
        traceId: "a".repeat(32),
        spanId: id,
        name: "x",
        kind: "internal" as const,
        startTime: this.#time,
        endTime: this.#time,
        status: "unset" as const,
        attributes: {},
        links: [],
        external: false,
        workflow: "orders",
        runId: "run-1",
        outcome: "succeeded" as const,
        ...span,
      },
    };
    const call = { kind: "span" as const, event, now: this.#time };
    const before = { ...this.state };
    const handled = await this.#link!.handle([call]);
    assert.equal(handled.failure, undefined, JSON.stringify(handled.failure));
    for (const [key, value] of Object.entries(handled.state)) {
      if (value === null) delete this.state[key];
      else this.state[key] = value;
    }
    const made = handled.actions.flatMap(({ actions }) => actions as unknown as Made[]);
    if (made.length > 0) {
      const after = { ...this.state };
      for (const key of Object.keys(this.state)) delete this.state[key];
      Object.assign(this.state, before);
      await this.restart();
      const again = await this.#link!.handle([call]);
      assert.deepEqual(again.actions.flatMap(({ actions }) => actions), made);
      Object.assign(this.state, after);
      for (const key of Object.keys(this.state)) if (!(key in after)) delete this.state[key];
      await this.restart();
    }
    this.made.push(...made);
    for (const action of made) {
      if (action.type === "conclude") {
        const { experiment, verdict, evidence } = action;
        await this.#ledger.conclude(flow(), { experiment, verdict, evidence, at: this.#at });
      } else if (action.type === "roll_back") {
        const { type: _, ...breach } = action;
        await this.#ledger.rollBack(flow(), { ...breach, at: this.#at });
      }
    }
    return made;
  }

  /** The tuned values that rule. */
  async ruling(): Promise<Readonly<Record<string, Json>>> {
    return (await this.#store.snapshot("orders")).values;
  }

  /** Hears a whole run that takes so long. */
  async whole(
    runId: string,
    seconds: number,
    more: { readonly size?: number; readonly arm?: Arm; readonly pair?: number } = {},
  ): Promise<void> {
    await this.attempt(0, 40, seconds, { runId, ...more });
    await this.step("succeeded", runId);
    await this.end("succeeded", runId);
  }

  /** Hears an attempt at `count` items from `from` on, which takes `seconds`. */
  attempt(
    from: number,
    count: number,
    seconds: number,
    more: {
      readonly arm?: Arm;
      readonly pair?: number;
      readonly slice?: readonly [number, number];
      readonly failed?: number;
      readonly outcome?: Outcome;
      readonly attempt?: number;
      readonly size?: number;
      readonly runId?: string;
      readonly experiment?: string;
      readonly countless?: boolean;
    } = {},
  ): Promise<readonly Made[]> {
    const { arm, pair = 0, slice, failed = 0, runId = "run-1", outcome = "succeeded" } = more;
    const startTime = this.#time;
    this.#time += seconds;
    return this.hear({
      role: "attempt",
      stepId: "load",
      runId,
      startTime,
      endTime: this.#time,
      attempt: more.attempt ?? 1,
      outcome,
      ...more.countless ? {} : { items: { processed: count - failed, failed } },
      attributes: {
        [spanloopParameter("size")]: more.size ?? SIZES[arm ?? "incumbent"],
        ...more.countless ? {} : { [SPANLOOP_BATCH_FROM]: from, [SPANLOOP_BATCH_TO]: from + count },
        ...arm === undefined ? {} : {
          [SPANLOOP_EXPERIMENT_ID]: more.experiment ?? EXPERIMENT,
          [SPANLOOP_EXPERIMENT_ARM]: arm,
          [SPANLOOP_EXPERIMENT_PAIR]: pair,
        },
        ...slice === undefined ? {} : {
          [SPANLOOP_EXPERIMENT_SLICE_FROM]: slice[0],
          [SPANLOOP_EXPERIMENT_SLICE_TO]: slice[1],
        },
      },
    });
  }

  step(outcome: Outcome = "succeeded", runId = "run-1"): Promise<readonly Made[]> {
    return this.hear({ role: "step", stepId: "load", outcome, runId });
  }

  end(outcome: Outcome = "succeeded", runId = "run-1"): Promise<readonly Made[]> {
    return this.hear({ role: "run", outcome, runId });
  }

  /** A pair of slices of 40 items each, in two batches; seconds and failures of each. */
  async pair(
    pair: number,
    seconds: Record<Arm, number>,
    more: { readonly failed?: number; readonly runId?: string } = {},
  ): Promise<void> {
    const order: Arm[] = pair % 2 === 0 ? ["incumbent", "candidate"] : ["candidate", "incumbent"];
    for (const [index, arm] of order.entries()) {
      const from = 20 + pair * 80 + index * 40;
      const slice = [from, from + 40] as const;
      const failed = arm === "candidate" ? more.failed : 0;
      for (const part of [0, 20]) {
        const { runId } = more;
        await this.attempt(from + part, 20, seconds[arm] / 2, { arm, pair, slice, failed, runId });
      }
    }
  }

  get verdicts(): readonly ConcludeAction[] {
    return this.made.filter((action) => action.type === "conclude");
  }

  get measurements(): readonly EmitAction[] {
    return this.made.filter((action) => action.type === "emit");
  }
}

async function scene(test: (scene: Scene) => Promise<void>, isTested = true): Promise<void> {
  const store = await openStore("memory:", { durability: "normal" });
  try {
    const scene = new Scene(store);
    await scene.restart();
    if (isTested) await scene.begin();
    await test(scene);
  } finally {
    await store.close();
  }
}

function told({ name, attributes = {} }: EmitAction): unknown {
  assert.equal(name, "experiment.measurement");
  return {
    experiment: attributes[SPANLOOP_EXPERIMENT_ID],
    arms: attributes[SPANLOOP_MEASUREMENT_ARMS],
    values: attributes[SPANLOOP_MEASUREMENT_VALUES],
    goal: attributes[SPANLOOP_MEASUREMENT_GOAL],
    objectives: attributes[SPANLOOP_MEASUREMENT_OBJECTIVES],
    durations: attributes[SPANLOOP_MEASUREMENT_DURATIONS],
    items: attributes[SPANLOOP_MEASUREMENT_ITEMS],
    failed: attributes[SPANLOOP_MEASUREMENT_FAILED],
  };
}

const WHOLE = {
  experiment: undefined,
  arms: ["incumbent"],
  values: ['{"size":10}'],
  goal: "minimize duration / items of load",
  objectives: [0.1],
  durations: [4],
  items: [40],
  failed: [1],
};

Deno.test("a run without an experiment is measured at the end of the objective's step", () =>
  scene(async (scene) => {
    await scene.attempt(0, 20, 2, { failed: 1 });
    await scene.attempt(20, 20, 2);
    assert.deepEqual(scene.made, []);
    const [measured, ...others] = await scene.step();
    assert.deepEqual([told(measured as EmitAction), others], [WHOLE, []]);
    assert.deepEqual(await scene.end(), [{ type: "begin" }], "what waits may begin");
    const runs = Object.keys(scene.state).filter((key) => key.startsWith("run/"));
    assert.deepEqual(runs, [], "nothing is kept of a run that is over");
  }, false));

Deno.test("what was given, changed in mid-step, cancelled or taken up again is not measured (V3)", async () => {
  const cases: Record<string, (scene: Scene) => Promise<unknown>> = {
    given: (scene) => {
      scene.source = "command line";
      return Promise.resolve();
    },
    changed: (scene) => scene.attempt(40, 20, 2, { size: 30 }),
    cancelled: (scene) => scene.attempt(40, 20, 2, { outcome: "cancelled" }),
    "taken up again": (scene) => scene.hear({ role: "resume", outcome: undefined }),
  };
  for (const [what, spoil] of Object.entries(cases)) {
    await scene(async (scene) => {
      if (what === "given") await spoil(scene);
      await scene.attempt(0, 20, 2);
      if (what !== "given") await spoil(scene);
      assert.deepEqual(await scene.step(), [], what);
    }, false);
  }
});

Deno.test("pairs of slices come to a verdict in the middle of a run, which tells what was measured first", () =>
  scene(async (scene) => {
    await scene.attempt(0, 20, 30);
    for (let pair = 0; scene.verdicts.length === 0; pair++) {
      assert.ok(pair < 8, "no verdict");
      await scene.pair(pair, { incumbent: 8, candidate: 2 });
    }
    const [emitted, concluded, begin] = scene.made as [EmitAction, ConcludeAction, Made];
    assert.equal(begin.type, "begin");
    const { verdict, experiment, values, incumbent, evidence } = concluded;
    assert.deepEqual([experiment, values, incumbent], [EXPERIMENT, { size: 20 }, { size: 10 }]);
    assert.deepEqual([verdict.outcome, verdict.action, verdict.ended], [
      "improved",
      "kept",
      "interval",
    ]);
    assert.ok(Math.abs(verdict.effect!.ratio - 4) < 1e-3);
    assert.ok(evidence.length > 1);
    assert.deepEqual((told(emitted) as { objectives: number[] }).objectives, [0.2, 0.05]);
    assert.deepEqual((told(emitted) as { arms: string[] }).arms, ["incumbent", "candidate"]);
    for (let pair = 9; pair < 20; pair++) await scene.pair(pair, { incumbent: 8, candidate: 2 });
    await scene.step();
    await scene.end();
    assert.equal(scene.verdicts.length, 1, "what is over is not judged again");
  }));

Deno.test("only whole slices are compared (A6)", () =>
  scene(async (scene) => {
    for (let pair = 0; pair < 8; pair++) {
      const slice = [pair * 80, pair * 80 + 40] as const;
      // One that was abandoned, as its ranges say, would be forty times as fast.
      await scene.attempt(slice[0], 20, 0.1, { arm: "candidate", pair, slice });
      const other = [slice[1], slice[1] + 40] as const;
      await scene.attempt(other[0], 40, 4, { arm: "incumbent", pair, slice: other });
    }
    await scene.step();
    await scene.end();
    assert.deepEqual(scene.verdicts, []);
    const [measured] = scene.measurements.map(told) as { arms: string[]; items: number[] }[];
    assert.deepEqual([measured.arms, measured.items], [["incumbent"], [320]]);
    const known = scene.state.experiment as { pairs: number[] };
    assert.deepEqual(known.pairs, []);
  }));

Deno.test("a breach of a guard ends it in the middle of a slice, and tells what it came to", () =>
  scene(async (scene) => {
    await scene.pair(0, { incumbent: 4, candidate: 4 });
    const slice = [200, 1_000] as const;
    let at = slice[0];
    while (scene.verdicts.length === 0) {
      assert.ok(at < slice[1], "no breach");
      await scene.attempt(at, 40, 4, { arm: "candidate", pair: 1, slice, failed: 12 });
      at += 40;
    }
    const [{ verdict }] = scene.verdicts;
    assert.deepEqual([verdict.outcome, verdict.ended, verdict.guards[0].breached], [
      "regressed",
      "guard",
      true,
    ]);
    assert.ok(at <= 400, `within a few batches: ${at}`);
    const [measured] = scene.measurements.map(told) as { items: number[]; failed: number[] }[];
    assert.deepEqual(measured.failed, [0, (at - 200) / 40 * 12], "the slice under way is told");
    assert.equal(measured.items[1], 40 + at - 200);
  }));

/** What is known of the guard on errors. */
function countsOf(scene: Scene): Record<Arm, unknown[]> {
  const { guards } = scene.state.experiment as unknown as Compared;
  return guards[0].counts as unknown as Record<Arm, unknown[]>;
}

Deno.test("errors are counted a slice at a time, and those of a run of its own at its end", () =>
  scene(async (scene) => {
    await scene.pair(0, { incumbent: 4, candidate: 4 }, { failed: 1 });
    await scene.pair(1, { incumbent: 4, candidate: 4 });
    await scene.step();
    const one = { items: 40, failed: 2 };
    const none = { items: 40, failed: 0 };
    assert.deepEqual(countsOf(scene), { candidate: [one, none], incumbent: [none, none] });
    await scene.end();
    const of = { runId: "run-2", arm: "candidate", pair: 2 } as const;
    for (const at of [0, 40, 80]) await scene.attempt(at, 40, 4, { ...of, failed: 1 });
    assert.equal(countsOf(scene).candidate.length, 2);
    await scene.end("succeeded", "run-2");
    assert.deepEqual(countsOf(scene).candidate, [one, none, { items: 120, failed: 3 }]);
  }));

Deno.test("what an incumbent brought before the experiment excuses a candidate that brings the same", async () => {
  for (const failed of [20, 0]) {
    await scene(async (scene) => {
      for (const run of [1, 2, 3]) {
        await scene.attempt(0, 200, 4, { runId: `run-${run}`, failed, size: 10 });
        // What other values bring is not the incumbent's.
        await scene.attempt(0, 200, 4, { runId: `other-${run}`, failed: 100, size: 11 });
        for (const runId of [`run-${run}`, `other-${run}`]) {
          await scene.step("succeeded", runId);
          await scene.end("succeeded", runId);
        }
      }
      await scene.begin();
      const slice = [0, 120] as const;
      await scene.attempt(0, 40, 4, { runId: "run-9", arm: "candidate", slice, failed: 5 });
      const before = [{ items: 200, failed }, { items: 200, failed }];
      assert.deepEqual(countsOf(scene).incumbent, before);
      await scene.attempt(40, 40, 4, { runId: "run-9", arm: "candidate", slice, failed: 5 });
      assert.deepEqual(
        scene.verdicts.map(({ verdict }) => verdict.ended),
        failed > 0 ? [] : ["guard"],
      );
    }, false);
  }
});

Deno.test("a batch that fails as a whole does not end it, a second one does", () =>
  scene(async (scene) => {
    const whole = { arm: "candidate", slice: [0, 45], failed: 9, outcome: "failed" } as const;
    for (const attempt of [1, 2]) await scene.attempt(0, 9, 1, { ...whole, attempt });
    assert.equal(scene.verdicts.length, 0);
    for (const attempt of [1, 2]) await scene.attempt(9, 9, 1, { ...whole, attempt });
    const [{ verdict: { ended, guards } }] = scene.verdicts;
    assert.deepEqual([ended, guards[0].value], ["guard", 1]);
  }));

Deno.test("what rules is not taken back for one batch that fails as a whole, as a candidate is not; several take it back", () =>
  scene(async (scene) => {
    const whole = { failed: 80, outcome: "failed" } as const;
    const fail = async (from: number) => {
      for (const attempt of [1, 2]) await scene.attempt(from, 80, 1, { ...whole, attempt });
    };
    await fail(0);
    await scene.attempt(80, 80, 1);
    assert.equal(scene.made.length, 0);
    for (let from = 160; from < 800 && scene.made.length === 0; from += 80) await fail(from);
    const back = scene.made.find((action) => action.type === "roll_back");
    assert.ok(back?.type === "roll_back");
    const guard = { metric: "error_rate", of: "load", below: 0.02 };
    assert.deepEqual([back.guard, back.values], [guard, { size: 10 }]);
    assert.ok(back.value * back.last >= 4 * 80, `${back.value} of ${back.last}`);
  }, false));

Deno.test("what was kept is taken back once its runs break a guard on another metric", () =>
  scene(async (scene) => {
    scene.workflow = flow(undefined, "{ metric: duration, of: load, below: 10 }");
    for (let run = 0; run < 3; run++) await scene.whole(`before-${run}`, 8);
    await scene.begin();
    for (let pair = 0; pair < 8; pair++) await scene.pair(pair, { incumbent: 0.6, candidate: 0.2 });
    await scene.step();
    await scene.end();
    assert.deepEqual(await scene.ruling(), { size: 20 });
    for (let run = 0; run < 9; run++) await scene.whole(`well-${run}`, 7, { size: 20 });
    assert.deepEqual(await scene.ruling(), { size: 20 });
    // A run of a person's own values says nothing of it (V3).
    scene.source = "command line";
    for (let run = 0; run < 9; run++) await scene.whole(`given-${run}`, 90, { size: 20 });
    scene.source = "tuned";
    for (let run = 0; "size" in await scene.ruling(); run++) {
      assert.ok(run < 10, "no breach");
      await scene.whole(`over-${run}`, 20, { size: 20 });
    }
    const back = scene.made.findLast((action) => action.type === "roll_back");
    assert.ok(back?.type === "roll_back");
    assert.deepEqual([back.guard.metric, back.value], ["duration", 20]);
    assert.ok(back.evidence.length >= back.last && back.last >= 5, `${back.last} runs`);
    const { length } = scene.made;
    for (let run = 0; run < 20; run++) await scene.whole(`after-${run}`, 20);
    const later = scene.made.slice(length).map(({ type }) => type);
    assert.ok(!later.includes("roll_back"), "what ruled before is not to blame for the same");
  }, false));

/** A run that is cut into pairs of slices of 40 items: the candidate's takes one batch and 6 s, the incumbent's two and 2 s. */
async function cutRun(scene: Scene, runId: string, pairs = 8): Promise<void> {
  for (let pair = 0; pair < pairs; pair++) {
    const [one, two] = [pair * 80, pair * 80 + 40];
    const theirs = { arm: "incumbent", pair, slice: [one, two], runId } as const;
    await scene.attempt(one, 20, 1, theirs);
    await scene.attempt(one + 20, 20, 1, theirs);
    await scene.attempt(two, 40, 6, { arm: "candidate", pair, slice: [two, two + 40], runId });
  }
}

Deno.test("a guard's limit is of the whole step: a slice is within it, and the step at the candidate's rate is not", () =>
  scene(async (scene) => {
    scene.workflow = flow(
      "minimize: attempts / items",
      "{ metric: duration, of: load, below: 60 }",
    );
    for (let run = 0; scene.verdicts.length === 0; run++) {
      assert.ok(run < 9, "no verdict");
      await cutRun(scene, `run-${run}`);
      assert.equal(scene.verdicts.length, 0, "nothing is kept while the step goes on");
      await scene.step("succeeded", `run-${run}`);
      await scene.end("succeeded", `run-${run}`);
    }
    const [{ verdict: { outcome, action, ended, guards } }] = scene.verdicts;
    assert.deepEqual([outcome, action, ended], ["regressed", "rolled_back", "guard"]);
    // 16 slices of 40 items, 6 s each with the candidate.
    const [{ value, breached }] = guards;
    assert.deepEqual([Math.round(value!), breached], [96, true]);
    assert.deepEqual(await scene.ruling(), {});
  }));

Deno.test("what keeps its guard on the whole step is kept when the first step of its trial is over", () =>
  scene(async (scene) => {
    scene.workflow = flow(
      "minimize: attempts / items",
      "{ metric: duration, of: load, below: 99 }",
    );
    await cutRun(scene, "run-1");
    assert.equal(scene.verdicts.length, 0);
    await scene.step();
    const [{ verdict: { action, guards } }] = scene.verdicts;
    assert.deepEqual([action, Math.round(guards[0].value!)], ["kept", 96]);
    assert.deepEqual(await scene.ruling(), { size: 20 });
  }));

Deno.test("a step that does not succeed says nothing of a guard on the whole of it, nor does the queue of a run of both arms", () =>
  scene(async (scene) => {
    const guard =
      "{ metric: duration, of: load, below: 9 }, { metric: queue_time, of: load, below: 9 }";
    scene.workflow = flow("minimize: attempts / items", guard);
    await cutRun(scene, "run-1", 3);
    await scene.step("failed");
    await scene.end("failed");
    await cutRun(scene, "run-2", 1);
    await scene.step("succeeded", "run-2");
    const known = scene.state.experiment as unknown as Compared;
    assert.deepEqual(known.guards.map(({ values }) => values), [
      { candidate: [12], incumbent: [4] },
      { candidate: [], incumbent: [] },
    ]);
  }));

Deno.test("runs of a candidate say nothing of what rules", () =>
  scene(async (scene) => {
    scene.workflow = flow(undefined, "{ metric: duration, of: load, below: 1 }");
    for (let pair = 0; pair < 3; pair++) {
      await scene.whole(`run-${pair}`, 0.5, { arm: "candidate", size: 20, pair });
    }
    assert.equal(scene.state["ruling_runs/load"], undefined);
    await scene.whole("run-9", 0.5, { arm: "incumbent", pair: 3 });
    assert.notEqual(scene.state["ruling_runs/load"], undefined);
  }));

Deno.test("failures that are tried again and succeed breach no guard (S5)", () =>
  scene(async (scene) => {
    const slice = [0, 4_000] as const;
    for (let from = 0; from < 4_000; from += 40) {
      const common = { arm: "candidate" as const, slice };
      await scene.attempt(from, 40, 1, { ...common, failed: 40, outcome: "failed" });
      await scene.attempt(from, 40, 1, { ...common, attempt: 2 });
    }
    assert.deepEqual(scene.verdicts, []);
  }));

Deno.test("whole runs are compared by their blocks", () =>
  scene(async (scene) => {
    for (let pair = 0; scene.verdicts.length === 0; pair++) {
      assert.ok(pair < 20, "no verdict");
      for (const arm of ["candidate", "incumbent"] as const) {
        const runId = `run-${pair}-${arm}`;
        await scene.attempt(0, 40, arm === "candidate" ? 8 : 4, { arm, pair, runId });
        await scene.step("succeeded", runId);
        await scene.end("succeeded", runId);
      }
    }
    const [{ verdict }] = scene.verdicts;
    assert.deepEqual([verdict.outcome, verdict.action], ["regressed", "rolled_back"]);
    assert.ok(Math.abs(verdict.effect!.ratio - 0.5) < 1e-3);
  }));

Deno.test("more is better where the objective is maximised", () =>
  scene(async (scene) => {
    scene.workflow = flow("maximize: items / duration");
    for (let pair = 0; pair < 8 && scene.verdicts.length === 0; pair++) {
      await scene.pair(pair, { incumbent: 8, candidate: 2 });
    }
    assert.equal(scene.verdicts[0].verdict.outcome, "improved");
    assert.ok(Math.abs(scene.verdicts[0].verdict.effect!.ratio - 4) < 1e-3);
  }));

Deno.test("a candidate with which runs fail is told of, and given up (H1)", () =>
  scene(async (scene) => {
    for (let pair = 0; scene.verdicts.length === 0; pair++) {
      assert.ok(pair < 6, "no verdict");
      for (const arm of ["incumbent", "candidate"] as const) {
        const runId = `run-${pair}-${arm}`;
        const outcome = arm === "candidate" ? "failed" : "succeeded";
        const failed = arm === "candidate" ? 1 : 0;
        await scene.attempt(0, 500, 4, { arm, pair, runId, failed });
        await scene.step(outcome, runId);
        await scene.end(outcome, runId);
      }
    }
    const [{ verdict }] = scene.verdicts;
    assert.deepEqual([verdict.outcome, verdict.ended, verdict.pairs], ["regressed", "harm", 0]);
    const arms = scene.measurements.map((one) => (told(one) as { arms: string[] }).arms[0]);
    assert.ok(arms.includes("candidate"), "the tuner hears of what failed");
  }));

Deno.test("a step that counts no items is told of as one item, which failed if it did (S5)", () =>
  scene(async (scene) => {
    scene.workflow = flow("minimize: duration");
    for (const [runId, outcome] of [["a", "succeeded"], ["b", "failed"]] as const) {
      await scene.attempt(0, 0, 4, { runId, outcome, attempt: 2, countless: true });
      await scene.step(outcome, runId);
      await scene.end(outcome, runId);
    }
    const goal = "minimize duration of load";
    const one = { ...WHOLE, goal, objectives: [4], items: [1] };
    assert.deepEqual(scene.measurements.map(told), [
      { ...one, failed: [0] },
      { ...one, failed: [1] },
    ]);
  }, false));

Deno.test("a candidate with which runs fail before they come to what is measured is given up, too", () =>
  scene(async (scene) => {
    for (let pair = 0; scene.verdicts.length === 0; pair++) {
      assert.ok(pair < 6, "no verdict");
      for (const arm of ["candidate", "incumbent"] as const) {
        const runId = `run-${pair}-${arm}`;
        const attributes = {
          [SPANLOOP_EXPERIMENT_ID]: EXPERIMENT,
          [SPANLOOP_EXPERIMENT_ARM]: arm,
          [SPANLOOP_EXPERIMENT_PAIR]: pair,
        };
        if (arm === "incumbent") {
          await scene.attempt(0, 500, 4, { arm, pair, runId });
          await scene.step("succeeded", runId);
        }
        const outcome = arm === "candidate" ? "failed" : "succeeded";
        await scene.hear({ role: "run", runId, outcome, attributes });
      }
    }
    assert.equal(scene.verdicts[0].verdict.ended, "harm");
  }));

Deno.test("an experiment that somebody ended gets its verdict with the next run's end", () =>
  scene(async (scene) => {
    await scene.pair(0, { incumbent: 8, candidate: 2 });
    await scene.step();
    await scene.stop();
    const [concluded, begin] = await scene.end();
    assert.ok(concluded.type === "conclude" && begin.type === "begin");
    assert.equal(concluded.verdict.ended, "withdrawn");
    assert.equal(concluded.verdict.pairs, 1);
    await scene.end("succeeded", "run-2");
    assert.equal(scene.verdicts.length, 1);
  }));

Deno.test("one that takes another's place unheard begins with nothing", () =>
  scene(async (scene) => {
    await scene.pair(0, { incumbent: 8, candidate: 2 });
    await scene.step();
    await scene.end();
    await scene.stop();
    await scene.begin("second", 30);
    const slice = [0, 40] as const;
    const more = { arm: "candidate" as const, slice, experiment: "second", runId: "run-2" };
    await scene.attempt(0, 40, 4, more);
    await scene.attempt(40, 40, 4, { ...more, arm: "incumbent", slice: [40, 80] });
    assert.deepEqual(scene.verdicts.map(({ experiment, verdict }) => [experiment, verdict.ended]), [
      [EXPERIMENT, "withdrawn"],
    ]);
    const known = scene.state.experiment as { id: string; pairs: number[] };
    assert.deepEqual([known.id, known.pairs], ["second", []]);
  }));

Deno.test("attempts of an experiment that never was open nothing", () =>
  scene(async (scene) => {
    for (let pair = 0; pair < 8; pair++) await scene.pair(pair, { incumbent: 8, candidate: 2 });
    await scene.step();
    assert.equal(scene.state.experiment, undefined);
    assert.deepEqual(scene.verdicts, []);
  }, false));

Deno.test("runs that have no part in an experiment leave it open, but not for ever", () =>
  scene(async (scene) => {
    for (let run = 0; run < 50; run++) {
      await scene.attempt(0, 40, 4, { runId: `run-${run}` });
      await scene.step("succeeded", `run-${run}`);
      await scene.end("succeeded", `run-${run}`);
    }
    assert.equal(scene.verdicts.length, 0);
    assert.equal(scene.measurements.length, 50);
    assert.ok(!scene.made.some(({ type }) => type === "begin"));
    for (let run = 50; run < 202; run++) await scene.end("succeeded", `run-${run}`);
    const [{ verdict }, ...others] = scene.verdicts;
    assert.deepEqual([verdict.ended, verdict.action, others], ["budget", "rolled_back", []]);
  }));

Deno.test("an objective without a value above 0 is left out, and said once", () =>
  scene(async (scene) => {
    scene.workflow = flow("minimize: failed / items");
    for (let pair = 0; pair < 4; pair++) {
      await scene.pair(pair, { incumbent: 8, candidate: 2 });
    }
    await scene.step();
    await scene.end();
    assert.deepEqual(scene.made.filter(({ type }) => type === "emit"), []);
    assert.equal(scene.lines.length, 1, scene.lines.join("\n"));
    assert.match(scene.lines[0], /^`failed \/ items` came to 0 with 40 items in \d/);
  }));

Deno.test("a file that does not hold stops nothing, and nothing is said meanwhile", () =>
  scene(async (scene) => {
    scene.workflow = undefined;
    await scene.pair(0, { incumbent: 8, candidate: 2 });
    await scene.step();
    await scene.end();
    assert.deepEqual(scene.made, []);
    assert.deepEqual(Object.keys(scene.state), []);
  }));

Deno.test("runs whose end never comes are forgotten, the oldest first", () =>
  scene(async (scene) => {
    for (let run = 0; run < 150; run++) {
      await scene.attempt(0, 40, 4, { runId: `run-${String(run).padStart(4, "0")}` });
    }
    const runs = Object.keys(scene.state).filter((key) => key.startsWith("run/"));
    assert.equal(runs.length, 100);
    assert.ok(!runs.includes("run/run-0000") && runs.includes("run/run-0149"));
  }));
