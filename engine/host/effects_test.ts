import assert from "node:assert/strict";
import { first, newRun, RUN_TRACE, start, T0 } from "../../tests/contract/store_entries.ts";
import type { Action } from "../core/action.ts";
import { InvalidError, SpanloopError, StoreError } from "../core/errors.ts";
import type { Verdict } from "../core/proposal.ts";
import type { Store } from "../core/store.ts";
import { ParameterLedger } from "../parameters/ledger.ts";
import { openStore } from "../store/open.ts";
import { contractOf, failing } from "./_hosting_fixture_test.ts";
import { type Answered, type EffectPorts, Effects } from "./effects.ts";
import { effectiveGrant } from "./grant.ts";
import { emittedSpanId, emittedTraceId, Judge } from "./judge.ts";

const SPAN = { traceId: RUN_TRACE, spanId: "00f067aa0ba902b7" };
const ALL = ["emit", "propose", "command"];
const WITHDRAWN: Verdict = {
  outcome: "inconclusive",
  action: "rolled_back",
  ended: "withdrawn",
  confidence: 0.95,
  pairs: 0,
  guards: [],
};
const PROPOSE: Action = { type: "propose", changes: { batch: 30 }, reason: "r" };

function actor(propose: readonly string[] = ["*"], user: string | null = "test") {
  const workflow = user ?? undefined;
  const grant = effectiveGrant({ grant: { propose } }, true, { actions: ALL });
  const id = workflow === undefined ? "p" : `p@${workflow}`;
  return {
    name: "p",
    workflow,
    grant,
    judge: new Judge({ id, workflow, declared: ALL, grant }),
  };
}

function answered(position: number, more: Partial<Answered> = {}): Answered {
  return {
    key: String(position),
    position,
    at: T0 + BigInt(position),
    depth: 0,
    workflow: "test",
    runId: "a",
    stepId: "x",
    span: SPAN,
    ...more,
  };
}

async function on(
  test: (store: Store, effects: (ports?: Partial<EffectPorts>) => Effects) => Promise<void>,
): Promise<void> {
  const store = await openStore("memory:", { durability: "normal" });
  try {
    await store.commit([newRun("a"), start("a", "x")], first("a"));
    await test(store, (ports = {}) =>
      new Effects({
        store,
        ledger: new ParameterLedger({ store, machineZone: "UTC" }),
        contract: (name) => Promise.resolve(name === "test" ? contractOf(name) : undefined),
        command: () => Promise.resolve([]),
        ...ports,
      }));
  } finally {
    await store.close();
  }
}

Deno.test("an emitted span is what the plugin says, but for what the engine says of it (T3, H2)", () =>
  on(async (_, effects) => {
    const attributes = { "spanloop.plugin.name": "other", "spanloop.reaction.depth": 99, own: 1 };
    const action: Action = { type: "emit", name: "finding", attributes };
    const { spans, outcomes } = await effects().carryOut(actor(), answered(7, { depth: 2 }), [
      action,
      { ...action, links: [] },
    ]);
    assert.deepEqual(spans[0], {
      traceId: SPAN.traceId,
      spanId: emittedSpanId("p@test/7/0"),
      parentSpanId: SPAN.spanId,
      name: "finding",
      time: T0 + 7n,
      attributes: { "spanloop.plugin.name": "p", "spanloop.reaction.depth": 3, own: 1 },
      links: [SPAN],
      plugin: "p",
      depth: 3,
      workflow: "test",
      runId: "a",
      stepId: "x",
    });
    assert.deepEqual(spans[1].links, []);
    assert.deepEqual(outcomes.map(({ id, position }) => [id, position]), [
      ["p@test/7/0", 7],
      ["p@test/7/1", 7],
    ]);
  }));

Deno.test("an experiment that a person ended, and that was pruned since, gets no verdict, and no harm is done", () =>
  on(async (store, effects) => {
    const judge = new Judge({ ...actor(), id: "p@test", declared: ALL, engine: true });
    const conclude = {
      type: "conclude",
      experiment: "p@test/1/0",
      values: { batch: 30 },
      incumbent: { batch: 20 },
      verdict: WITHDRAWN,
      evidence: [SPAN],
    };
    const emit = { type: "emit", name: "after" };
    const engine = { ...actor(), judge };
    const { spans, outcomes } = await effects().carryOut(engine, answered(7), [conclude, emit]);
    assert.deepEqual(spans.map(({ name }) => name), ["after"]);
    assert.deepEqual(outcomes.map(({ action }) => action.type), ["emit"]);
    assert.deepEqual(await store.ledger({}), []);
  }));

Deno.test("what answers a tick has a trace of its own, and the workflow of its plugin", () =>
  on(async (_, effects) => {
    const tick = { key: "tick@60", position: null, at: T0, depth: 0 };
    const { spans } = await effects().carryOut(actor(), tick, [{ type: "emit", name: "x" }]);
    const id = "p@test/tick@60/0";
    assert.deepEqual(
      [spans[0].traceId, spans[0].spanId, spans[0].workflow, spans[0].links],
      [emittedTraceId(id), emittedSpanId(id), "test", []],
    );
    assert(!("parentSpanId" in spans[0]) && !("runId" in spans[0]));
  }));

Deno.test("a proposal is decided once, however often its event is delivered (P2, T3)", () =>
  on(async (store, effects) => {
    for (let i = 0; i < 3; i++) {
      const { outcomes } = await effects().carryOut(actor(), answered(7), [PROPOSE]);
      assert.equal(outcomes[0].decision?.outcome, "applied");
      assert.equal(outcomes[0].entry?.number, 1);
    }
    const [entry, ...others] = await store.ledger({});
    assert.equal(others.length, 0);
    assert.deepEqual(entry.proposal.author, { kind: "plugin", name: "p" });
    assert.deepEqual([entry.proposal.id, entry.proposal.at], ["p@test/7/0", T0 + 7n]);
    assert.deepEqual(entry.proposal.evidence, [SPAN]);
    assert.deepEqual([entry.proposal.version, entry.version], [0, 1]);
  }));

Deno.test("evidence must be in the store, and a version that it names the newest", () =>
  on(async (_, effects) => {
    const known = { traceId: RUN_TRACE, spanId: SPAN.spanId };
    const unknown = { traceId: RUN_TRACE, spanId: "f".repeat(16) };
    const later = answered(8, { span: { traceId: "b".repeat(32), spanId: "c".repeat(16) } });
    const { outcomes } = await effects().carryOut(actor(), later, [
      { ...PROPOSE, evidence: [unknown] },
      { ...PROPOSE, evidence: [known, unknown] },
      { ...PROPOSE, version: 4 },
      { ...PROPOSE, evidence: [known], version: 0 },
    ]);
    assert.deepEqual(outcomes.map(({ decision }) => decision?.rule), [
      "evidence",
      "evidence",
      "stale",
      "accepted",
    ]);
  }));

Deno.test("a proposal past its grant, or for what is not known, is refused", () =>
  on(async (store, effects) => {
    const past = await effects().carryOut(actor(["other"]), answered(7), [PROPOSE]);
    assert.equal(past.outcomes[0].decision?.rule, "grant");
    const strange = await effects().carryOut(actor(["*"], null), answered(8), [
      { ...PROPOSE, workflow: "nowhere" },
    ]);
    assert.equal(strange.outcomes[0].refused?.why, "invalid");
    const broken = effects({ contract: () => Promise.reject(new InvalidError("line 3 is wrong")) });
    const { outcomes } = await broken.carryOut(actor(), answered(9), [PROPOSE]);
    assert.deepEqual(outcomes[0].refused, {
      why: "invalid",
      message: "nothing is proposed for test: line 3 is wrong",
    });
    assert.equal((await store.ledger({})).length, 1);
  }));

Deno.test("a command carries its depth and its cause, and one that nothing hears is refused (R9, H2)", () =>
  on(async (_, effects) => {
    const orders: unknown[] = [];
    const command: EffectPorts["command"] = (order) => {
      orders.push(order);
      if (order.name === "bad") {
        return Promise.reject(new SpanloopError("params.invalid", "size is too large"));
      }
      return Promise.resolve(order.name === "good" ? ["run"] : []);
    };
    const { outcomes } = await effects({ command }).carryOut(actor(), answered(7, { depth: 4 }), [
      { type: "command", name: "good", params: { a: 1 } },
      { type: "command", name: "none" },
      { type: "command", name: "bad" },
    ]);
    assert.deepEqual(orders[0], {
      id: "p@test/7/0",
      name: "good",
      params: { a: 1 },
      depth: 5,
      plugin: "p",
      workflow: "test",
      triggeredBy: SPAN,
    });
    assert.deepEqual(outcomes.map(({ refused }) => refused?.message), [
      undefined,
      "no workflow here has `on: { command: none }`",
      "bad cannot be started: size is too large",
    ]);
  }));

Deno.test("a store that fails is nobody's refusal: the event comes again", () =>
  on(async (store, effects) => {
    for (const method of ["snapshot", "known", "decide", "ledger"]) {
      const bad = failing(store, (name) => name === method);
      const ledger = new ParameterLedger({ store: bad, machineZone: "UTC" });
      const evidence = [{ traceId: RUN_TRACE, spanId: "d".repeat(16) }];
      await assert.rejects(
        effects({ store: bad, ledger }).carryOut(actor(), answered(7), [{ ...PROPOSE, evidence }]),
        StoreError,
        method,
      );
    }
    const lost = () => Promise.reject(new StoreError("store.busy", "busy"));
    await assert.rejects(
      effects({ contract: lost }).carryOut(actor(), answered(7), [PROPOSE]),
      StoreError,
    );
    await assert.rejects(
      effects({ command: lost }).carryOut(actor(), answered(7), [{ type: "command", name: "x" }]),
      StoreError,
    );
    assert.deepEqual(await store.ledger({}), []);
  }));
