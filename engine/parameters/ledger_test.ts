import assert from "node:assert/strict";
import type { Json } from "../core/json.ts";
import type { Parameter, Tune } from "../core/parameter.ts";
import type { LedgerEntry, Proposal, Snapshot, Verdict } from "../core/proposal.ts";
import { seeded } from "../core/seeded_test.ts";
import type { Store } from "../core/store.ts";
import { loadWorkflow } from "../spec/load.ts";
import { openStore } from "../store/open.ts";
import { boundsOf } from "./clamp.ts";
import type { Contract, Entered } from "./entries.ts";
import { ParameterLedger } from "./ledger.ts";

const TUNE: Tune = { min: 1, max: 5_000, scale: "log", apply: "live", mode: "auto" };
const SIZE: Parameter = {
  name: "batch_size",
  type: "integer",
  default: 20,
  tune: { ...TUNE, maxStep: { factor: 4 } },
};
const SHY: Parameter = {
  name: "shy",
  type: "integer",
  default: 5,
  tune: { ...TUNE, max: 9, mode: "recommend" },
};

function contract(params: readonly Parameter[] = [SIZE, SHY]): Contract {
  return { name: "orders", params: new Map(params.map((one) => [one.name, one])) };
}

let orders = 0;
const order = (reason?: string) => ({ id: `order-${orders++}`, at: 1_000n, reason });

function proposal(
  changes: Record<string, Json>,
  version: number,
  more: Partial<Proposal> = {},
): Proposal {
  return {
    id: `p-${orders++}`,
    workflow: "orders",
    author: { kind: "plugin", name: "tuner" },
    changes,
    reason: "because",
    evidence: [],
    version,
    at: 1_000n,
    ...more,
  };
}

const KNOWN = { evidenceKnown: true };

async function onMemory(
  test: (ledger: ParameterLedger, store: Store, heard: Snapshot[]) => Promise<void>,
): Promise<void> {
  const store = await openStore("memory:", { durability: "normal" });
  const heard: Snapshot[] = [];
  try {
    await test(
      new ParameterLedger({ store, machineZone: "UTC", onChange: (next) => heard.push(next) }),
      store,
      heard,
    );
  } finally {
    await store.close();
  }
}

Deno.test("a proposal, its decision and the snapshot are written together (P2)", () =>
  onMemory(async (ledger, store, heard) => {
    const asked = proposal({ batch_size: 500 }, 0);
    const first = await ledger.propose(asked, contract(), KNOWN);
    assert.deepEqual(first.snapshot.values, { batch_size: 80 });
    assert.deepEqual(await store.snapshot("orders"), first.snapshot);
    assert.deepEqual(heard, [first.snapshot]);
    assert.deepEqual(first.entry.before, { batch_size: null });
    assert.equal(first.entry.version, 1);

    const again = await ledger.propose({ ...asked, changes: { batch_size: 1 } }, contract(), KNOWN);
    assert.deepEqual([again.repeated, again.entry], [true, first.entry]);
    assert.deepEqual(again.snapshot, first.snapshot);
    assert.equal(heard.length, 1);

    const late = await ledger.propose(proposal({ batch_size: 90 }, 0), contract(), KNOWN);
    assert.equal(late.entry.decision.rule, "stale");
    assert.equal(late.entry.version, undefined);
    assert.equal((await store.ledger({ outcome: "refused" })).length, 1, "it is written down too");
  }));

Deno.test("cooldown and the day's limit are counted from the store", () =>
  onMemory(async (ledger) => {
    const slow = {
      ...contract(),
      tune: { guards: [], blackout: [], cooldownMs: 1, maxChangesPerDay: 2 },
    };
    const propose = async (value: number, version: number, at: bigint) =>
      (await ledger.propose(proposal({ batch_size: value }, version, { at }), slow, KNOWN))
        .entry.decision.rule;
    assert.equal(await propose(30, 0, 5_000_000n), "accepted");
    assert.equal(await propose(40, 1, 5_999_999n), "cooldown");
    assert.equal(await propose(40, 1, 6_000_000n), "accepted");
    assert.equal(await propose(50, 2, 9_000_000n), "daily_limit");
    assert.equal(await propose(50, 2, 86_400_000_000_000n), "accepted");
  }));

Deno.test("a blackout window without a zone is in the machine's", () =>
  onMemory(async (ledger) => {
    const blackout = [{ cron: "0 0 * * *", forMs: 3_600_000 }];
    const closed = { ...contract(), tune: { guards: [], blackout } };
    const asked = proposal({ batch_size: 30 }, 0, { at: 1_800_000_000_000n });
    assert.equal((await ledger.propose(asked, closed, KNOWN)).entry.decision.rule, "blackout");
  }));

Deno.test("what a person orders is applied or told, never written and refused", () =>
  onMemory(async (ledger, store) => {
    const { entry } = await ledger.set(contract(), { batch_size: 5_000 }, order("I know it"));
    assert.deepEqual([entry.decision.rule, entry.proposal.reason], ["person", "I know it"]);
    await assert.rejects(ledger.set(contract(), { batch_size: 5_001 }, order()), {
      code: "params.invalid",
      message: "batch_size must be from 1 to 5000, not 5001",
    });
    await assert.rejects(ledger.set(contract(), { nothing: 1 }, order()), {
      code: "params.not_tunable",
    });
    assert.equal((await store.ledger({})).length, 1);
  }));

Deno.test("a frozen parameter is left alone by plugins until it is unfrozen", () =>
  onMemory(async (ledger, store) => {
    const { entry, snapshot } = await ledger.freeze(contract(), ["batch_size"], true, order());
    assert.deepEqual(snapshot.frozen, ["batch_size"]);
    assert.deepEqual(snapshot.values, {});
    assert.equal(entry.decision.message, "batch_size is frozen, at 20");
    const version = snapshot.version;
    const refused = await ledger.propose(proposal({ batch_size: 30 }, version), contract(), KNOWN);
    assert.equal(refused.entry.decision.rule, "frozen");
    await assert.rejects(ledger.freeze(contract(), ["batch_size"], true, order()), {
      code: "params.no_change",
    });
    const set = await ledger.set(contract(), { batch_size: 30 }, order());
    assert.deepEqual(set.snapshot.frozen, ["batch_size"], "a person's value stays frozen");
    assert.deepEqual(
      (await ledger.freeze(contract(), ["batch_size"], false, order())).snapshot.frozen,
      [],
    );
    assert.deepEqual((await store.ledger({ parameter: "batch_size" })).length, 4);
    await assert.rejects(ledger.freeze(contract(), ["nothing"], true, order()), {
      code: "params.not_tunable",
    });
  }));

Deno.test("taking a change back gives the values from before it, the default included", () =>
  onMemory(async (ledger) => {
    const first = await ledger.set(contract(), { batch_size: 40 }, order());
    const second = await ledger.set(contract(), { batch_size: 80, shy: 6 }, order());
    await assert.rejects(ledger.revert(contract(), first.entry.number, order()), {
      code: "params.changed",
    });
    const back = await ledger.revert(contract(), second.entry.number, order());
    assert.deepEqual(back.snapshot.values, { batch_size: 40 });
    assert.equal(back.entry.answers, second.entry.number);
    const all = await ledger.revert(contract(), first.entry.number, order());
    assert.deepEqual(all.snapshot.values, {});
    assert.deepEqual(all.snapshot.basis, {});
    await assert.rejects(ledger.revert(contract(), 99, order()), { code: "params.unknown" });
    const other = { ...contract(), name: "other" };
    await assert.rejects(ledger.revert(other, first.entry.number, order()), {
      code: "params.unknown",
    });
  }));

Deno.test("what is taken back keeps the bounds of now (P1)", () =>
  onMemory(async (ledger) => {
    await ledger.set(contract(), { batch_size: 400 }, order());
    const { entry } = await ledger.set(contract(), { batch_size: 10 }, order());
    const narrow = contract([{ ...SIZE, tune: { ...TUNE, max: 50 } }]);
    const back = await ledger.revert(narrow, entry.number, order());
    assert.deepEqual(back.snapshot.values, { batch_size: 50 });
  }));

Deno.test("a held change is answered once, within the bounds of now", () =>
  onMemory(async (ledger, store) => {
    const hold = async (value: number) => {
      const { version } = await store.snapshot("orders");
      const { entry } = await ledger.propose(proposal({ shy: value }, version), contract(), KNOWN);
      assert.equal(entry.decision.outcome, "held");
      return entry.number;
    };
    const at = { at: 5n };
    const [one, two] = [await hold(8), await hold(9)];
    const again = await ledger.propose(proposal({ shy: 8 }, 0), contract(), KNOWN);
    assert.equal(again.entry.decision.rule, "no_change");
    assert.match(again.entry.decision.message, new RegExp(`Change ${one} asks for the same`));
    const other = proposal({ shy: 8 }, 0, { author: { kind: "plugin", name: "other" } });
    const theirs = await ledger.propose(other, contract(), KNOWN);
    assert.equal(theirs.entry.decision.outcome, "held", "another's word counts for itself");
    await ledger.reject(contract(), theirs.entry.number, at);
    const narrow = contract([SIZE, { ...SHY, tune: { ...SHY.tune!, max: 7 } }]);
    const accepted = await ledger.accept(narrow, one, at);
    assert.deepEqual(accepted.snapshot.values, { shy: 7 });
    assert.deepEqual([accepted.entry.answers, accepted.entry.decision.rule], [one, "person"]);
    await assert.rejects(ledger.reject(contract(), one, at), { code: "params.answered" });
    const rejected = await ledger.reject(contract(), two, at);
    assert.equal(rejected.entry.decision.outcome, "refused");
    assert.deepEqual((await store.snapshot("orders")).values, { shy: 7 });
    await assert.rejects(ledger.accept(contract(), two, at), {
      message: `Change ${two} has been rejected already, by change ${rejected.entry.number}`,
    });
    await assert.rejects(ledger.accept(contract(), accepted.entry.number, at), {
      code: "params.not_held",
    });
    assert.deepEqual(await ledger.unanswered(contract()), []);
  }));

Deno.test("two answers at once are one", () =>
  onMemory(async (ledger) => {
    const { entry } = await ledger.propose(proposal({ shy: 8 }, 0), contract(), KNOWN);
    const results = await Promise.allSettled([
      ledger.accept(contract(), entry.number, { at: 5n }),
      ledger.reject(contract(), entry.number, { at: 5n }),
    ]);
    assert.deepEqual(results.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  }));

Deno.test("an edited file retires or clamps what was tuned against another (A5)", async (t) => {
  const objective = (text: string): Contract["tune"] =>
    loadWorkflow({
      bytes: new TextEncoder().encode(
        `name: orders
params: { x: { type: integer, default: 1, tune: { min: 1, max: 2 } } }
tune: { objective: { minimize: ${text}, of: a } }
steps: [{ id: a, run: "true" }]`,
      ),
      file: "/orders.yaml",
      display: "orders.yaml",
    }).workflow!.tune;
  const edits: Record<string, [Contract, Snapshot["values"], RegExp]> = {
    "another default": [
      contract([{ ...SIZE, default: 30 }, SHY]),
      { shy: 6 },
      /30 now, and was 20/,
    ],
    "no default": [contract([{ ...SIZE, default: undefined }, SHY]), { shy: 6 }, /null now/],
    "another type": [contract([{ ...SIZE, type: "number" }, SHY]), { shy: 6 }, /type number now/],
    "no tune": [contract([{ ...SIZE, tune: undefined }, SHY]), { shy: 6 }, /no tunable/],
    "gone": [contract([SHY]), { shy: 6 }, /no tunable/],
    "another objective": [{ ...contract(), tune: objective("duration") }, {}, /objective is min/],
    "narrower bounds": [
      contract([{ ...SIZE, tune: { ...TUNE, max: 50 } }, SHY]),
      { batch_size: 50, shy: 6 },
      /from 1 to 50 now, and was tuned to 60/,
    ],
  };
  for (const [what, [edited, values, reason]] of Object.entries(edits)) {
    await t.step(what, () =>
      onMemory(async (ledger, store, heard) => {
        await ledger.set(contract(), { batch_size: 60, shy: 6 }, order());
        const same = await ledger.reconcile(contract(), 9n);
        assert.equal(same.version, 1);
        const snapshot = await ledger.reconcile(edited, 9n);
        assert.deepEqual(snapshot.values, values);
        assert.deepEqual(await ledger.reconcile(edited, 10n), snapshot, "once");
        const [entry] = await store.ledger({});
        assert.deepEqual(entry.proposal.author, { kind: "file" });
        assert.equal(entry.decision.rule, "file");
        assert.match(entry.proposal.reason, reason);
        assert.deepEqual(heard.at(-1), snapshot);
      }));
  }
});

Deno.test("processes that notice an edit at once write it down once (A5, P2)", () =>
  onMemory(async (ledger, store) => {
    await ledger.set(contract(), { batch_size: 60 }, order());
    const edited = contract([{ ...SIZE, default: 30 }]);
    const others = [1, 2, 3].map(() => new ParameterLedger({ store, machineZone: "UTC" }));
    await Promise.all(others.map((other) => other.reconcile(edited, 9n)));
    assert.equal((await store.ledger({})).length, 2);
  }));

Deno.test("at once from two processes: versions follow one another, each by its own change (P1, P2)", async () => {
  const folder = await Deno.makeTempDir();
  const random = seeded("ledger");
  const stores = await Promise.all(
    [1, 2].map(() => openStore(`sqlite:${folder}/store.db`, { durability: "normal" })),
  );
  try {
    const ledgers = stores.map((store) => new ParameterLedger({ store, machineZone: "UTC" }));
    const work = async (ledger: ParameterLedger, store: Store) => {
      for (let round = 0; round < 30; round++) {
        const { version } = await store.snapshot("orders");
        const value = random.below(9_000);
        if (random.below(2) === 0) {
          await ledger.propose(proposal({ batch_size: value }, version), contract(), KNOWN);
        } else {
          await ledger.set(contract(), { shy: 1 + random.below(9) }, order()).catch((thrown) => {
            assert.equal(thrown.code, "params.no_change", `SEED=${random.seed}`);
          });
        }
      }
    };
    await Promise.all(ledgers.map((ledger, index) => work(ledger, stores[index])));
    const entries = (await stores[0].ledger({ outcome: "applied", limit: 1_000 })).toReversed();
    assert.deepEqual(entries.map(({ version }) => version), entries.map((_, index) => index + 1));
    const values: Record<string, Json> = {};
    for (const { decision, before } of entries) {
      for (const name of Object.keys(decision.values)) {
        assert.equal(values[name] ?? null, before[name], `SEED=${random.seed}`);
      }
      Object.assign(values, decision.values);
    }
    assert.deepEqual((await stores[1].snapshot("orders")).values, values, `SEED=${random.seed}`);
    const [low, high] = boundsOf(SIZE);
    for (const { decision } of entries) {
      const size = decision.values.batch_size;
      if (typeof size === "number") assert.ok(size >= low && size <= high);
    }
  } finally {
    for (const store of stores) await store.close();
    await Deno.remove(folder, { recursive: true });
  }
});

const IMPROVED: Verdict = {
  outcome: "improved",
  action: "kept",
  ended: "interval",
  effect: { ratio: 1.8, low: 1.6, high: 2 },
  confidence: 0.95,
  pairs: 14,
  guards: [{ metric: "error_rate", of: "load", value: 0.001, breached: false }],
};
const REGRESSED: Verdict = {
  ...IMPROVED,
  outcome: "regressed",
  action: "rolled_back",
  ended: "guard",
};

// With an objective, as the compiler of a file gives it.
function measured(
  more: Partial<NonNullable<Contract["tune"]>> = {},
  objective = "minimize: duration / items",
): Contract {
  const { workflow } = loadWorkflow({
    bytes: new TextEncoder().encode(
      `name: orders
params: { x: { type: integer, default: 1, tune: { min: 1, max: 2 } } }
tune: { objective: { ${objective}, of: load } }
steps: [{ id: load, run: "true" }]`,
    ),
    file: "/orders.yaml",
    display: "orders.yaml",
  });
  const shy = { ...SHY, tune: { ...SHY.tune!, mode: "auto" as const } };
  return { ...contract([SIZE, shy]), tune: { ...workflow!.tune!, ...more } };
}

const concludes = (entry: LedgerEntry, verdict: Verdict, at = 2_000n) => ({
  experiment: entry.proposal.id,
  verdict,
  evidence: [],
  at,
});

async function verdictIn(
  ledger: ParameterLedger,
  ...given: Parameters<ParameterLedger["conclude"]>
): Promise<Entered> {
  const entered = await ledger.conclude(...given);
  assert(entered !== undefined);
  return entered;
}

Deno.test("what is tested changes no value until its verdict, which keeps it or does not (P2)", () =>
  onMemory(async (ledger, store, heard) => {
    const asked = proposal({ batch_size: 500 }, 0, { exposure: 0.25 });
    const opened = await ledger.propose(asked, measured(), KNOWN);
    assert.deepEqual(opened.snapshot.values, {});
    assert.deepEqual(opened.snapshot.experiment, {
      id: asked.id,
      values: { batch_size: 80 },
      incumbent: { batch_size: 20 },
      exposure: 0.25,
      since: 1_000n,
      objective: { direction: "minimize", expression: "duration / items", of: "load" },
    });
    assert.deepEqual(heard, [opened.snapshot]);

    const kept = await verdictIn(ledger, measured(), concludes(opened.entry, IMPROVED));
    assert.deepEqual(kept.snapshot.values, { batch_size: 80 });
    assert.equal(kept.snapshot.experiment, undefined);
    assert.deepEqual(await store.snapshot("orders"), kept.snapshot);
    const { decision, proposal: { author }, answers, verdict, before } = kept.entry;
    assert.deepEqual([decision.outcome, decision.rule, author.kind, answers], [
      "applied",
      "verdict",
      "engine",
      opened.entry.number,
    ]);
    assert.deepEqual([verdict, before], [IMPROVED, { batch_size: null }]);
    assert.match(decision.message, /^batch_size 20 \u2192 80: 1.8x faster per item .*, kept$/);

    const again = await verdictIn(ledger, measured(), concludes(opened.entry, REGRESSED, 9_000n));
    assert.deepEqual([again.repeated, again.entry], [true, kept.entry], "one verdict, for good");

    const next = await ledger.propose(proposal({ batch_size: 90 }, 2), measured(), KNOWN);
    const ended = await verdictIn(ledger, measured(), concludes(next.entry, REGRESSED));
    assert.deepEqual(ended.snapshot.values, { batch_size: 80 });
    assert.equal(ended.snapshot.experiment, undefined);
    assert.deepEqual([ended.entry.decision.outcome, ended.entry.version], ["ended", 4]);

    const back = await ledger.revert(measured(), kept.entry.number, order());
    assert.deepEqual(back.snapshot.values, {});
    const none = { ...concludes(next.entry, IMPROVED), experiment: "none" };
    assert.equal(await ledger.conclude(measured(), none), undefined, "it was pruned");
  }));

Deno.test("whatever changes values ends what is under measurement, whose verdict is withdrawn (P4)", async (t) => {
  const narrow = (max: number) => {
    const all = measured();
    const params = new Map(all.params);
    params.set("batch_size", { ...SIZE, tune: { ...SIZE.tune!, max } });
    return { ...all, params };
  };
  const ends: Record<string, (ledger: ParameterLedger, opened: LedgerEntry) => Promise<unknown>> = {
    "a person's value": (ledger) => ledger.set(measured(), { shy: 7 }, order()),
    "a change that is immediate": (ledger) =>
      ledger.propose(proposal({ shy: 7 }, 1, { immediate: true }), measured(), KNOWN),
    "a parameter of it that is frozen": (ledger) =>
      ledger.freeze(measured(), ["batch_size"], true, order()),
    "taking it back": (ledger, { number }) => ledger.revert(measured(), number, order()),
    "narrower bounds": (ledger) => ledger.reconcile(narrow(50), 9n),
    "another default": (ledger) => {
      const params = new Map([["batch_size", { ...SIZE, default: 30 }]]);
      return ledger.reconcile({ ...measured(), params }, 9n);
    },
    "no objective": (ledger) => ledger.reconcile(contract(), 9n),
    "mode off": (ledger) => {
      const off = { ...SIZE, tune: { ...SIZE.tune!, mode: "off" as const } };
      return ledger.reconcile({ ...measured(), params: new Map([["batch_size", off]]) }, 9n);
    },
  };
  for (const [what, end] of Object.entries(ends)) {
    await t.step(what, () =>
      onMemory(async (ledger, store) => {
        const opened = await ledger.propose(proposal({ batch_size: 80 }, 0), measured(), KNOWN);
        await end(ledger, opened.entry);
        const { experiment, values, version } = await store.snapshot("orders");
        assert.equal(experiment, undefined);
        assert.equal(values.batch_size, undefined);
        const late = await verdictIn(ledger, measured(), concludes(opened.entry, IMPROVED));
        assert.deepEqual(
          [late.entry.verdict?.ended, late.entry.verdict?.action, late.entry.version],
          ["withdrawn", "rolled_back", undefined],
        );
        assert.match(
          late.entry.decision.message,
          /1.8x faster per item .*, the values were changed meanwhile, rolled back$/,
        );
        assert.equal((await store.snapshot("orders")).version, version, "nothing more changes");
      }));
  }
  await t.step(
    "another objective, whose words are not those of what was measured",
    () =>
      onMemory(async (ledger) => {
        const other = measured({}, "maximize: items");
        const opened = await ledger.propose(proposal({ batch_size: 80 }, 0), measured(), KNOWN);
        await ledger.reconcile(other, 9n);
        const late = await verdictIn(ledger, other, concludes(opened.entry, IMPROVED));
        assert.equal(late.entry.verdict?.ended, "withdrawn");
        assert.match(late.entry.decision.message, /: 1.8x faster per item \(/);
      }),
  );
  await t.step("another objective that nobody has noticed yet", () =>
    onMemory(async (ledger) => {
      const opened = await ledger.propose(proposal({ batch_size: 80 }, 0), measured(), KNOWN);
      const other = measured({}, "maximize: items");
      const late = await verdictIn(ledger, other, concludes(opened.entry, IMPROVED));
      assert.equal(late.entry.verdict?.ended, "withdrawn");
      assert.deepEqual([late.snapshot.values, late.snapshot.experiment], [{}, undefined]);
    }));
  await t.step("what leaves it alone", () =>
    onMemory(async (ledger) => {
      const opened = await ledger.propose(proposal({ batch_size: 80 }, 0), measured(), KNOWN);
      const { experiment } = opened.snapshot;
      const frozen = await ledger.freeze(measured(), ["shy"], true, order());
      assert.deepEqual(frozen.snapshot.experiment, experiment);
      const free = await ledger.freeze(measured(), ["shy"], false, order());
      assert.deepEqual(free.snapshot.experiment, experiment);
      assert.deepEqual((await ledger.reconcile(narrow(80), 9n)).experiment, experiment);
    }));
  await t.step(
    "bounds that do not allow it any more, and nobody has noticed yet (P1)",
    () =>
      onMemory(async (ledger) => {
        const opened = await ledger.propose(proposal({ batch_size: 80 }, 0), measured(), KNOWN);
        const late = await verdictIn(ledger, narrow(50), concludes(opened.entry, IMPROVED));
        assert.equal(late.entry.verdict?.ended, "withdrawn");
        assert.deepEqual(late.snapshot.values, {});
        assert.equal(late.snapshot.experiment, undefined);
      }),
  );
});

Deno.test("what the author did is said once, though it retires a value and ends an experiment (A5)", () =>
  onMemory(async (ledger, store) => {
    const { entry } = await ledger.set(measured(), { batch_size: 40 }, order());
    const asked = proposal({ batch_size: 80 }, entry.version!, { at: 10n ** 18n });
    assert.ok((await ledger.propose(asked, measured(), KNOWN)).snapshot.experiment !== undefined);
    const params = new Map([["batch_size", { ...SIZE, default: 30 }]]);
    await ledger.reconcile({ ...measured(), params }, 9n);
    const [{ decision }] = await store.ledger({ limit: 1 });
    assert.equal(
      decision.message,
      "The file has changed: the default of batch_size is 30 now, and was 20, so its experiment has ended",
    );
    assert.deepEqual(decision.values, { batch_size: null });
  }));

Deno.test("what waits begins after the verdict, the oldest first, decided anew", () =>
  onMemory(async (ledger, store) => {
    const by = (name: string) => ({ author: { kind: "plugin" as const, name } });
    const first = await ledger.propose(proposal({ batch_size: 80 }, 0), measured(), KNOWN);
    const outcomes: string[] = [];
    const ask = async (changes: Record<string, Json>, name: string) => {
      const asked = proposal(changes, (await store.snapshot("orders")).version, by(name));
      const { entry } = await ledger.propose(asked, measured(), KNOWN);
      outcomes.push(entry.decision.outcome);
      return entry;
    };
    await ask({ batch_size: 60 }, "other");
    const second = await ask({ batch_size: 70 }, "other");
    const third = await ask({ shy: 6 }, "third");
    assert.deepEqual(outcomes, ["waiting", "waiting", "waiting"]);
    assert.equal(await ledger.begin(measured(), 1_500n), undefined, "one at a time");

    await verdictIn(ledger, measured(), concludes(first.entry, IMPROVED));
    const begun = await ledger.begin(measured(), 2_000n);
    assert.equal(begun?.entry.answers, second.number, "a later one takes the older's place");
    assert.deepEqual(begun.snapshot.experiment?.incumbent, { batch_size: 80 });
    assert.deepEqual(begun.entry.proposal.at, 2_000n);
    const [replaced] = await store.ledger({ outcome: "refused" });
    assert.match(replaced.decision.message, new RegExp(`Change ${second.number} takes its place`));
    assert.equal(await ledger.begin(measured(), 2_000n), undefined);

    // Whoever proposes next begins what nobody else has, and is not too late for it.
    await verdictIn(ledger, measured(), concludes(begun.entry, REGRESSED));
    const fourth = await ask({ batch_size: 50 }, "fourth");
    assert.equal(fourth.decision.outcome, "waiting");
    assert.equal((await store.ledger({ outcome: "testing" }))[0].answers, third.number);
  }));

Deno.test("what waits obeys the cooldown when its turn comes, and is refused once it can never begin", () =>
  onMemory(async (ledger, store) => {
    const slow = measured({ cooldownMs: 1 });
    const first = await ledger.propose(proposal({ batch_size: 80 }, 0), slow, KNOWN);
    const asked = proposal({ batch_size: 60 }, 1, { author: { kind: "plugin", name: "other" } });
    const second = await ledger.propose(asked, slow, KNOWN);
    assert.equal(second.entry.decision.outcome, "waiting");
    await verdictIn(ledger, slow, concludes(first.entry, REGRESSED, 2_000_000n));
    assert.equal(await ledger.begin(slow, 2_999_999n), undefined);
    const own = await ledger.begin(slow, 2_500_000n, true);
    assert.equal(own?.entry.answers, second.entry.number, "a person's order does not wait (A4)");

    const later = await ledger.propose(
      proposal({ batch_size: 70 }, own.snapshot.version, { at: 9_000_000n }),
      slow,
      KNOWN,
    );
    assert.equal(later.entry.decision.outcome, "waiting");
    await ledger.freeze(slow, ["batch_size"], true, order());
    assert.equal(await ledger.begin(slow, 99_000_000n), undefined);
    const [refused] = await store.ledger({ outcome: "refused" });
    assert.deepEqual([refused.answers, refused.decision.rule], [later.entry.number, "frozen"]);
  }));

Deno.test("tests of two processes: one at a time, each with at most one verdict, which alone keeps it (P1, P2, P4)", async () => {
  const folder = await Deno.makeTempDir();
  const random = seeded("experiments");
  const stores = await Promise.all(
    [1, 2].map(() => openStore(`sqlite:${folder}/store.db`, { durability: "normal" })),
  );
  try {
    let time = 1_000n;
    const work = async (store: Store, index: number) => {
      const ledger = new ParameterLedger({ store, machineZone: "UTC" });
      for (let round = 0; round < 60; round++) {
        const at = time++;
        const { version, experiment } = await store.snapshot("orders");
        const name = `p${index}${random.below(2)}`;
        const more = { at, author: { kind: "plugin" as const, name } };
        switch (random.below(6)) {
          case 0:
          case 1:
          case 2: {
            const changes: Record<string, Json> = random.below(2) === 0
              ? { batch_size: 1 + random.below(5_000) }
              : { shy: 1 + random.below(9) };
            await ledger.propose(proposal(changes, version, more), measured(), KNOWN);
            break;
          }
          case 3: {
            // Two hosts may think that it is theirs to say.
            const [opened] = experiment === undefined
              ? await store.ledger({ outcome: "testing", limit: 1 })
              : await store.ledger({ proposal: experiment.id, limit: 1 });
            if (opened === undefined) break;
            const verdict = random.below(2) === 0 ? IMPROVED : REGRESSED;
            await verdictIn(ledger, measured(), concludes(opened, verdict, at));
            break;
          }
          case 4:
            await ledger.begin(measured(), at);
            break;
          case 5:
            await ledger.set(measured(), { shy: 1 + random.below(9) }, order()).catch((thrown) => {
              assert.equal(thrown.code, "params.no_change", `SEED=${random.seed}`);
            });
        }
      }
    };
    await Promise.all(stores.map(work));
    const [store] = stores;
    const entries = (await store.ledger({ limit: 10_000 })).toReversed();
    const made = entries.filter(({ version }) => version !== undefined);
    assert.deepEqual(made.map(({ version }) => version), made.map((_, index) => index + 1));
    const values: Record<string, Json> = {};
    const verdicts = new Set<number>();
    let open: LedgerEntry | undefined;
    for (const entry of entries) {
      const { proposal: { author }, decision: { outcome, rule }, verdict, answers, version } =
        entry;
      const at = `SEED=${random.seed} change ${entry.number}`;
      if (outcome === "testing") {
        assert.equal(open, undefined, at);
        open = entry;
      } else if (rule === "verdict") {
        assert.equal(author.kind, "engine", at);
        assert.ok(answers !== undefined && !verdicts.has(answers), at);
        verdicts.add(answers);
        assert.equal(outcome === "applied", verdict?.action === "kept", at);
        assert.equal(version === undefined, open?.number !== answers, at);
        if (version === undefined) assert.equal(verdict?.ended, "withdrawn", at);
        else open = undefined;
      } else if (outcome === "applied") open = undefined;
      if (outcome === "applied") Object.assign(values, entry.decision.values);
      if (version === undefined) continue;
      const snapshot = await store.snapshot("orders", version);
      assert.deepEqual(snapshot?.values, values, at);
      assert.equal(snapshot?.experiment?.id, open?.proposal.id, at);
    }
    const answered = entries.filter(({ decision, answers }) =>
      decision.rule !== "verdict" && answers !== undefined
    ).map(({ answers }) => answers);
    assert.equal(new Set(answered).size, answered.length, "what waits is answered once");
    for (const outcome of ["testing", "waiting", "ended", "applied"]) {
      assert.ok(entries.some(({ decision }) => decision.outcome === outcome), `no ${outcome}`);
    }
  } finally {
    for (const store of stores) await store.close();
    await Deno.remove(folder, { recursive: true });
  }
});
