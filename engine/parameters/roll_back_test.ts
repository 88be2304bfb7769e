import assert from "node:assert/strict";
import type { Json } from "../core/json.ts";
import type { Verdict } from "../core/proposal.ts";
import type { Store } from "../core/store.ts";
import { loadWorkflow } from "../spec/load.ts";
import { openStore } from "../store/open.ts";
import type { Contract } from "./entries.ts";
import { ParameterLedger } from "./ledger.ts";
import type { Breach } from "./roll_back.ts";

const IMPROVED: Verdict = {
  outcome: "improved",
  action: "kept",
  ended: "interval",
  effect: { ratio: 2, low: 1.5, high: 3 },
  confidence: 0.95,
  pairs: 9,
  guards: [],
};

function contract(tune = "min: 1, max: 500"): Contract {
  const { workflow } = loadWorkflow({
    bytes: new TextEncoder().encode(`
name: orders
params:
  size: { type: integer, default: 10, tune: { ${tune}, scale: log, mode: auto } }
  lanes: { type: integer, default: 1, tune: { min: 1, max: 8, mode: auto } }
tune:
  objective: { minimize: duration / items, of: load }
  guards: [{ metric: error_rate, of: load, below: 0.02 }]
steps: [{ id: load, run: "true" }]
`),
    file: "/orders.yaml",
    display: "orders.yaml",
  });
  return workflow!;
}

const breach = (values: Breach["values"]): Breach => ({
  guard: { metric: "error_rate", of: "load", below: 0.02 },
  value: 0.4,
  last: 320,
  values,
  evidence: [],
  at: 9_000n,
});

async function onMemory(
  test: (scene: {
    readonly ledger: ParameterLedger;
    readonly store: Store;
    /** Tries a change, and keeps it. */
    keep(changes: Record<string, Json>): Promise<number>;
  }) => Promise<void>,
): Promise<void> {
  const store = await openStore("memory:", { durability: "normal" });
  const ledger = new ParameterLedger({ store, machineZone: "UTC" });
  let asked = 0;
  try {
    await test({
      ledger,
      store,
      async keep(changes) {
        const { version } = await store.snapshot("orders");
        const id = `p-${asked++}`;
        await ledger.propose(
          {
            id,
            workflow: "orders",
            author: { kind: "plugin", name: "tuner" },
            changes,
            reason: "because",
            evidence: [],
            version,
            at: 1_000n,
          },
          contract(),
          { evidenceKnown: true },
        );
        const conclusion = { experiment: id, verdict: IMPROVED, evidence: [], at: 2_000n };
        const concluded = await ledger.conclude(contract(), conclusion);
        assert(concluded !== undefined);
        return concluded.entry.number;
      },
    });
  } finally {
    await store.close();
  }
}

Deno.test("changes that were kept are taken back one by one, the last first, down to the file's own values (P2)", () =>
  onMemory(async ({ ledger, store, keep }) => {
    const [first, second] = [await keep({ size: 40 }), await keep({ size: 160, lanes: 2 })];
    const back = await ledger.rollBack(contract(), breach({ size: 160, lanes: 2 }));
    assert.deepEqual(back!.entry.decision, {
      outcome: "applied",
      rule: "guard",
      message:
        `size 160 → 40, lanes 2 → 1: errors 40 % of the last 320 items of load, which breaks the guard; ` +
        `change ${second} is taken back`,
      values: { size: 40, lanes: null },
      clamped: [],
    });
    assert.deepEqual(back!.entry.answers, second);
    assert.deepEqual(back!.entry.proposal.author, { kind: "engine" });
    assert.deepEqual((await store.snapshot("orders")).values, { size: 40 });
    const again = await ledger.rollBack(contract(), breach({ size: 40, lanes: 1 }));
    assert.deepEqual([again!.entry.answers, again!.snapshot.values], [first, {}]);
    assert.equal(await ledger.rollBack(contract(), breach({ size: 10, lanes: 1 })), undefined);
  }));

Deno.test("a guard on another metric is told in its units, with its limits", () =>
  onMemory(async ({ ledger, keep }) => {
    await keep({ size: 40 });
    const { entry } = (await ledger.rollBack(contract(), {
      ...breach({ size: 40, lanes: 1 }),
      guard: { metric: "duration", of: "load", below: 60 },
      value: 74.6,
      last: 8,
    }))!;
    const found = "duration 75 s, the median of the last 8 runs of load";
    assert.equal(entry.proposal.reason, `${found}; the guard is below 60 s`);
    assert.equal(
      entry.decision.message,
      `size 40 → 10: ${found}, which breaks the guard; change ${entry.answers} is taken back`,
    );
    assert.equal(entry.decision.rule, "guard");
  }));

Deno.test("what was measured under other values than those that rule takes nothing back (P4)", () =>
  onMemory(async ({ ledger, store, keep }) => {
    await keep({ size: 40 });
    const { version } = await store.snapshot("orders");
    assert.equal(await ledger.rollBack(contract(), breach({ size: 160, lanes: 1 })), undefined);
    assert.equal((await store.snapshot("orders")).version, version);
  }));

Deno.test("a person's value is not taken back, nor one that a person has frozen", async () => {
  await onMemory(async ({ ledger, keep }) => {
    await keep({ size: 40 });
    await ledger.set(contract(), { size: 50 }, { id: "o", at: 3_000n });
    assert.equal(await ledger.rollBack(contract(), breach({ size: 50, lanes: 1 })), undefined);
  });
  await onMemory(async ({ ledger, keep }) => {
    await keep({ size: 40 });
    await ledger.freeze(contract(), ["size"], true, { id: "o", at: 3_000n });
    assert.equal(await ledger.rollBack(contract(), breach({ size: 40, lanes: 1 })), undefined);
  });
});

Deno.test("it ends what is under measurement, and goes no further than the bounds of now (P1)", () =>
  onMemory(async ({ ledger, store, keep }) => {
    await keep({ size: 40 });
    await keep({ size: 160 });
    await ledger.propose(
      {
        id: "open",
        workflow: "orders",
        author: { kind: "plugin", name: "tuner" },
        changes: { lanes: 2 },
        reason: "because",
        evidence: [],
        version: (await store.snapshot("orders")).version,
        at: 3_000n,
      },
      contract(),
      { evidenceKnown: true },
    );
    const back = await ledger.rollBack(
      contract("min: 1, max: 20"),
      breach({ size: 160, lanes: 1 }),
    );
    assert.deepEqual(back!.snapshot.values, { size: 20 });
    assert.equal(back!.snapshot.experiment, undefined);
  }));
