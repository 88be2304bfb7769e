import assert from "node:assert/strict";
import type { Json } from "../core/json.ts";
import type { Parameter, Tune } from "../core/parameter.ts";
import type { LedgerEntry, Proposal, Rule, Snapshot } from "../core/proposal.ts";
import { seeded } from "../core/seeded_test.ts";
import type { TuneContract } from "../core/workflow.ts";
import { loadWorkflow } from "../spec/load.ts";
import { compileBlackout } from "./blackout.ts";
import { boundsOf, reachOf } from "./clamp.ts";
import {
  byPrecedence,
  type Circumstances,
  decide,
  exposureOf,
  incumbentOf,
  since,
} from "./policy.ts";

const at = (text: string) => Temporal.Instant.from(text).epochNanoseconds;
const NOON = at("2026-11-20T12:00:00Z");
const MINUTE = 60_000_000_000n;

const TUNE: Tune = {
  min: 1,
  max: 5_000,
  scale: "log",
  maxStep: { factor: 4 },
  apply: "live",
  mode: "auto",
};
const BATCH: Parameter = { name: "batch_size", type: "integer", default: 20, tune: TUNE };
const RATIO: Parameter = {
  name: "ratio",
  type: "number",
  default: 0.5,
  max: 1,
  tune: { ...TUNE, min: 0, max: 1, step: 0.1, scale: "linear", maxStep: { amount: 0.25 } },
};
const ENGINE: Parameter = {
  name: "engine",
  type: "enum",
  values: ["a", "b", "c"],
  default: "a",
  tune: { scale: "linear", apply: "next_run", mode: "auto", choices: ["a", "b"] },
};
const PLAIN: Parameter = { name: "input", type: "string", default: "x" };

function proposal(changes: Record<string, Json>, more: Partial<Proposal> = {}): Proposal {
  return {
    id: "p1",
    workflow: "orders",
    author: { kind: "plugin", name: "tuner" },
    changes,
    reason: "it is slow",
    evidence: [],
    version: 3,
    at: NOON,
    ...more,
  };
}

function circumstances(
  more: Partial<Omit<Circumstances, "workflow">> & {
    params?: readonly Parameter[];
    tune?: Partial<TuneContract>;
    values?: Snapshot["values"];
    frozen?: readonly string[];
    experiment?: Snapshot["experiment"];
  } = {},
): Circumstances {
  const { params = [BATCH, RATIO, ENGINE, PLAIN], tune = {}, values = {}, frozen = [] } = more;
  const { experiment } = more;
  const contract = { guards: [], blackout: [], ...tune };
  return {
    workflow: {
      name: "orders",
      params: new Map(params.map((parameter) => [parameter.name, parameter])),
      tune: contract,
    },
    snapshot: {
      workflow: "orders",
      version: 3,
      values,
      frozen,
      ...experiment === undefined ? {} : { experiment },
      at: 0n,
    },
    recent: [],
    blackout: compileBlackout(contract.blackout, "UTC"),
    evidenceKnown: true,
    ...more,
  };
}

function applied(
  values: Record<string, Json>,
  when: bigint,
  more: Partial<Proposal> = {},
): LedgerEntry {
  return {
    number: 12,
    proposal: proposal(values, { id: "before", at: when, ...more }),
    decision: { outcome: "applied", rule: "accepted", message: "", values, clamped: [] },
    before: {},
    version: 3,
  };
}

function tested(
  values: Record<string, Json>,
  when: bigint,
  outcome: "testing" | "waiting" | "applied" | "ended",
): LedgerEntry {
  const isVerdict = outcome === "applied" || outcome === "ended";
  const entry = applied(values, when, isVerdict ? { author: { kind: "engine" } } : {});
  const rule: Rule = isVerdict ? "verdict" : "experiment";
  return { ...entry, decision: { ...entry.decision, outcome, rule } };
}

function refused(
  rule: Rule,
  about: RegExp,
  asked: Proposal,
  given: Circumstances = circumstances(),
): void {
  const decision = decide(asked, given);
  assert.equal(decision.rule, rule, decision.message);
  assert.equal(decision.outcome, "refused");
  assert.deepEqual(decision.values, {});
  assert.match(decision.message, about);
}

Deno.test("what nothing speaks against is applied, with its numbers in a sentence", () => {
  assert.deepEqual(decide(proposal({ batch_size: 80, engine: "b" }), circumstances()), {
    outcome: "applied",
    rule: "accepted",
    message: "batch_size 20 \u2192 80; engine a \u2192 b",
    values: { batch_size: 80, engine: "b" },
    clamped: [],
  });
});

Deno.test("a value is cut to max_step from the incumbent and to the bounds (P1, A3)", () => {
  const first = decide(proposal({ batch_size: 500 }), circumstances());
  assert.deepEqual([first.values, first.clamped], [{ batch_size: 80 }, ["batch_size"]]);
  assert.equal(
    first.message,
    "batch_size 20 \u2192 80 (asked for 500, cut by max_step 4x from 20)",
  );
  const tuned = decide(
    proposal({ batch_size: 9_999 }),
    circumstances({ values: { batch_size: 2_000 } }),
  );
  assert.deepEqual(tuned.values, { batch_size: 5_000 });
  assert.match(tuned.message, /cut by max 5000 and max_step 4x from 2000/);
});

Deno.test("a step is a grid from min, and floats do not drift off it", () => {
  const values = (wanted: number) =>
    decide(proposal({ ratio: wanted }), circumstances()).values.ratio;
  assert.equal(values(0.62), 0.6);
  assert.equal(values(0.68), 0.7);
  assert.equal(values(1), 0.7, "0.75 is as far as max_step goes, and not on the grid");
  assert.equal(values(-7), 0.3);
});

Deno.test("where max_step leaves no other value the incumbent stays", () => {
  const narrow: Parameter = { ...BATCH, default: 1, tune: { ...TUNE, maxStep: { factor: 1.5 } } };
  refused(
    "no_change",
    /stays 1 \(asked for 2, cut by max_step 1.5x from 1/,
    proposal({ batch_size: 2 }),
    circumstances({ params: [narrow] }),
  );
});

Deno.test("an incumbent that has fallen out of bounds goes to the nearest bound", () => {
  const decision = decide(
    proposal({ batch_size: 4 }),
    circumstances({
      params: [{ ...BATCH, tune: { ...TUNE, max: 10 } }],
      values: { batch_size: 400 },
    }),
  );
  assert.deepEqual(decision.values, { batch_size: 4 });
});

Deno.test("what is no tunable parameter of the workflow is refused (P1)", () => {
  refused("not_tunable", /no `tune`/, proposal({ input: "y" }));
  refused("not_tunable", /not a parameter/, proposal({ nothing: 1 }));
  refused("not_tunable", /not a parameter/, proposal(JSON.parse('{"__proto__": 1}')));
  refused("not_tunable", /for other, not for orders/, proposal({}, { workflow: "other" }));
  refused("invalid", /changes nothing/, proposal({}));
});

Deno.test("a value of another type is refused, not made to fit", () => {
  for (const value of [NaN, Infinity, -Infinity, 2.5, "80", true, null, [80], { a: 1 }, 2 ** 60]) {
    refused("invalid", /batch_size must be a whole number/, proposal({ batch_size: value }));
  }
  for (const value of [NaN, Infinity, "0.5", null]) {
    refused("invalid", /ratio must be a number/, proposal({ ratio: value }));
  }
  for (const value of ["c", "A", 1, null]) {
    refused("invalid", /engine must be one of a, b/, proposal({ engine: value }));
  }
});

Deno.test("one bad change refuses the proposal as a whole", () => {
  refused("invalid", /ratio/, proposal({ batch_size: 80, ratio: NaN }));
});

Deno.test("grant, mode and freeze are asked before anything else of the moment", () => {
  const off = { ...BATCH, tune: { ...TUNE, mode: "off" as const } };
  const frozen = ["batch_size"];
  const stale = proposal({ batch_size: 80 }, { version: 2 });
  refused("grant", /tuner is not granted to propose batch_size/, stale, {
    ...circumstances({ params: [off], frozen }),
    grant: { propose: ["ratio"] },
  });
  refused("off", /mode: off/, stale, circumstances({ params: [off], frozen }));
  refused("frozen", /batch_size is frozen/, stale, circumstances({ frozen }));
  refused("stale", /against version 2; there is version 3/, stale);
  const granted = { ...circumstances(), grant: { propose: ["batch_size"] } };
  assert.equal(decide(proposal({ batch_size: 80 }), granted).outcome, "applied");
});

Deno.test("evidence that is not in the store refuses", () => {
  refused("evidence", /not in the store/, proposal({ batch_size: 80 }), {
    ...circumstances(),
    evidenceKnown: false,
  });
});

Deno.test("of two plugins in one window the first stays; one plugin's haste is cooldown", () => {
  const recent = [applied({ batch_size: 40 }, NOON - 5n * MINUTE, {
    author: { kind: "plugin", name: "other" },
  })];
  const tune = { cooldownMs: 900_000 };
  refused(
    "conflict",
    /the plugin other has changed batch_size just before, with change 12/,
    proposal({ batch_size: 80 }),
    circumstances({ recent, tune }),
  );
  refused(
    "cooldown",
    /Change 12 was 5 m 00 s before, and the cooldown is 15 m 00 s/,
    proposal({ ratio: 0.6 }),
    circumstances({ recent, tune }),
  );
  const later = proposal({ batch_size: 80 }, { at: NOON + 10n * MINUTE });
  assert.equal(decide(later, circumstances({ recent, tune })).outcome, "applied");
  const same = [applied({ batch_size: 40 }, NOON, { author: { kind: "plugin", name: "other" } })];
  refused("conflict", /other/, proposal({ batch_size: 80 }), circumstances({ recent: same }));
  const own = [applied({ batch_size: 40 }, NOON)];
  assert.equal(
    decide(proposal({ batch_size: 80 }), circumstances({ recent: own })).outcome,
    "applied",
  );
});

Deno.test("proposals of one time are taken by their ids", () => {
  const [a, b, c] = [["b", 5n], ["a", 5n], ["z", 4n]].map(([id, when]) =>
    proposal({}, { id: String(id), at: BigInt(when) })
  );
  assert.deepEqual([a, b, c].sort(byPrecedence).map(({ id }) => id), ["z", "a", "b"]);
});

Deno.test("a proposal that is older than the last change waits for the cooldown too", () => {
  refused(
    "cooldown",
    /older than change 12/,
    proposal({ ratio: 0.6 }),
    circumstances({ recent: [applied({ batch_size: 1 }, NOON + 1n)], tune: { cooldownMs: 1 } }),
  );
});

Deno.test("without a cooldown no time is too soon, an older event included", () => {
  for (const author of ["tuner", "other"]) {
    const recent = [
      applied({ batch_size: 1 }, NOON + 1n, { author: { kind: "plugin", name: author } }),
    ];
    const decision = decide(proposal({ batch_size: 80 }), circumstances({ recent }));
    assert.equal(decision.outcome, "applied", decision.message);
  }
});

Deno.test("what the file's author or a freeze did is no change that cools down", () => {
  const tune = { cooldownMs: 900_000, maxChangesPerDay: 1 };
  const recent = [
    applied({ batch_size: 40 }, NOON - 1n, { author: { kind: "file" } }),
    applied({ batch_size: 40 }, NOON - 1n, { author: { kind: "person" }, frozen: true }),
  ];
  const decision = decide(proposal({ batch_size: 80 }), circumstances({ recent, tune }));
  assert.equal(decision.outcome, "applied", decision.message);
});

Deno.test("a blackout window is in its zone's time, begin in, end out", () => {
  const blackout = [{ cron: "0 8 * * 1-5", timezone: "Europe/Paris", forMs: 7_200_000 }];
  const decided = (when: string) =>
    decide(proposal({ batch_size: 80 }, { at: at(when) }), circumstances({ tune: { blackout } }));
  // A Friday; Paris is an hour ahead of UTC in winter and two in summer.
  assert.equal(decided("2026-11-20T06:59:59.999Z").outcome, "applied");
  assert.equal(
    decided("2026-11-20T07:00:00Z").message,
    "Nothing changes from 2026-11-20T07:00:00Z to 2026-11-20T09:00:00Z",
  );
  assert.equal(decided("2026-11-20T08:59:59.999999999Z").rule, "blackout");
  assert.equal(decided("2026-11-20T09:00:00Z").outcome, "applied");
  assert.equal(decided("2026-07-17T06:00:00Z").rule, "blackout");
  assert.equal(decided("2026-07-17T08:00:00Z").outcome, "applied");
  assert.equal(decided("2026-11-21T07:30:00Z").outcome, "applied", "a Saturday");
});

Deno.test("a day in UTC has so many changes and no more", () => {
  const tune = { maxChangesPerDay: 2 };
  const today = [NOON - MINUTE, NOON - 2n * MINUTE].map((when) => applied({ ratio: 1 }, when));
  refused(
    "daily_limit",
    /2026-11-20 \(UTC\) has had 2 of its 2 changes/,
    proposal({ batch_size: 80 }),
    circumstances({ recent: today, tune }),
  );
  const yesterday = [applied({ ratio: 1 }, at("2026-11-19T23:59:59.999999999Z")), today[0]];
  const decision = decide(
    proposal({ batch_size: 80 }),
    circumstances({ recent: yesterday, tune }),
  );
  assert.equal(decision.outcome, "applied");
});

Deno.test("`since` goes back to the day's begin and by the cooldown", () => {
  const contract = (cooldownMs: number) => ({ guards: [], blackout: [], cooldownMs });
  assert.equal(since(NOON, contract(60_000)), at("2026-11-20T00:00:00Z"));
  assert.equal(since(NOON, contract(86_400_000)), NOON - 1440n * MINUTE);
  assert.equal(since(5n, contract(86_400_000)), 0n);
});

Deno.test("recommend holds the whole proposal for a person, cut as it would be applied", () => {
  const shy = { ...BATCH, tune: { ...TUNE, mode: "recommend" as const } };
  const decision = decide(
    proposal({ batch_size: 500, ratio: 0.6 }),
    circumstances({ params: [shy, RATIO] }),
  );
  assert.equal(decision.outcome, "held");
  assert.equal(decision.rule, "recommend");
  assert.deepEqual(decision.values, { batch_size: 80, ratio: 0.6 });
});

// An objective as the compiler of a file gives it.
const OBJECTIVE = loadWorkflow({
  bytes: new TextEncoder().encode(
    `name: orders
params: { x: { type: integer, default: 1, tune: { min: 1, max: 2 } } }
tune: { objective: { minimize: duration / items, of: a } }
steps: [{ id: a, run: "true" }]`,
  ),
  file: "/orders.yaml",
  display: "orders.yaml",
}).workflow!.tune!.objective!;

const OPEN = {
  id: "open",
  values: { batch_size: 80 },
  incumbent: { batch_size: 20 },
  exposure: 0.1,
  since: NOON,
};

Deno.test("what has an objective is tested before it is applied, unless it is to be at once", () => {
  const given = circumstances({ tune: { objective: OBJECTIVE } });
  const asked = proposal({ batch_size: 500 });
  assert.deepEqual(decide(asked, given), {
    outcome: "testing",
    rule: "experiment",
    message:
      "batch_size 20 \u2192 80 (asked for 500, cut by max_step 4x from 20): tried on 10 % of the work at first",
    values: { batch_size: 80 },
    clamped: ["batch_size"],
  });
  assert.deepEqual([0.25, 1].map((exposure) => exposureOf({ ...asked, exposure })), [0.25, 0.5]);
  assert.match(
    decide({ ...asked, exposure: 0.333 }, given).message,
    /tried on 33 % of the work at first$/,
  );
  assert.equal(decide({ ...asked, immediate: true }, given).outcome, "applied");
  assert.equal(decide(asked, circumstances()).outcome, "applied");
  const shy = circumstances({
    tune: { objective: OBJECTIVE },
    params: [{ ...BATCH, tune: { ...TUNE, mode: "recommend" } }],
  });
  assert.equal(decide(asked, shy).outcome, "held");
});

Deno.test("while a change is under measurement the next one waits, whatever the time says", () => {
  const given = circumstances({
    tune: {
      objective: OBJECTIVE,
      cooldownMs: 1e9,
      maxChangesPerDay: 0,
      blackout: [{ cron: "0 0 * * *", forMs: 3.6e6 * 23 }],
    },
    experiment: OPEN,
    recent: [tested({ batch_size: 80 }, NOON, "testing")],
  });
  const decision = decide(proposal({ ratio: 0.6 }), given);
  assert.deepEqual([decision.outcome, decision.rule], ["waiting", "experiment"]);
  assert.deepEqual(decision.values, { ratio: 0.6 });
  refused("no_change", /under measurement already/, proposal({ batch_size: 80 }), given);
  const waiting = { ...tested({ ratio: 0.6 }, NOON, "waiting"), number: 13 };
  refused("no_change", /Change 13 asks for the same, and waits/, proposal({ ratio: 0.6 }), {
    ...given,
    pending: [waiting],
  });
  const other = proposal({ ratio: 0.6 }, { author: { kind: "plugin", name: "other" } });
  assert.equal(decide(other, { ...given, pending: [waiting] }).outcome, "waiting");
  refused("off", /mode: off/, proposal({ batch_size: 90 }), {
    ...given,
    workflow: {
      ...given.workflow,
      params: new Map([["batch_size", { ...BATCH, tune: { ...TUNE, mode: "off" } }]]),
    },
  });
});

Deno.test("a test is a change to cooldown and daily limit, its verdict to the cooldown alone", () => {
  const limited = (tune: Partial<TuneContract>, recent: readonly LedgerEntry[]) =>
    circumstances({ tune: { objective: OBJECTIVE, ...tune }, recent });
  const before = NOON - MINUTE;
  const opened = tested({ batch_size: 80 }, before, "testing");
  const kept = tested({ batch_size: 80 }, before, "applied");
  const ended = tested({ batch_size: 80 }, before, "ended");
  const asked = proposal({ batch_size: 40 });
  for (const entry of [opened, kept, ended]) {
    refused("cooldown", /was 1 m 00 s before/, asked, limited({ cooldownMs: 3.6e6 }, [entry]));
    assert.equal(
      decide(asked, limited({ cooldownMs: 60_000 }, [entry])).outcome,
      "testing",
      "nobody else's change stands against it",
    );
  }
  refused("daily_limit", /1 of its 1/, asked, limited({ maxChangesPerDay: 1 }, [opened]));
  const verdicts = limited({ maxChangesPerDay: 1 }, [kept, ended]);
  assert.equal(decide(asked, verdicts).outcome, "testing");
});

Deno.test("a person's improve binds by bounds alone, and asks for no other leave (A4)", () => {
  const tune = {
    cooldownMs: 3.6e6,
    maxChangesPerDay: 1,
    blackout: [{ cron: "0 0 * * *", forMs: 3.6e6 * 23 }],
  };
  const given = circumstances({
    tune,
    params: [{ ...BATCH, tune: { ...TUNE, mode: "recommend" } }, {
      ...RATIO,
      tune: { ...RATIO.tune!, mode: "off" },
    }],
    recent: [applied({ batch_size: 80 }, NOON - MINUTE, {
      author: { kind: "plugin", name: "other" },
    })],
  });
  const asked = proposal({ batch_size: 500 });
  refused("conflict", /the plugin other/, asked, given);
  const decision = decide(asked, { ...given, ordered: true });
  assert.deepEqual([decision.outcome, decision.values], ["applied", { batch_size: 80 }]);
  refused("off", /mode: off/, proposal({ ratio: 0.6 }), { ...given, ordered: true });
  const together = {
    ...given,
    ordered: true,
    recent: [applied({ batch_size: 80 }, NOON, {
      author: { kind: "plugin", name: "other" },
    })],
  };
  refused("conflict", /the plugin other/, asked, together);
});

Deno.test("only type and bounds bind a person, who is refused, not cut", () => {
  const person = (changes: Record<string, Json>) =>
    proposal(changes, { author: { kind: "person" }, version: 0 });
  const given = circumstances({
    params: [{ ...BATCH, tune: { ...TUNE, mode: "off" } }],
    frozen: ["batch_size"],
    tune: {
      cooldownMs: 1e9,
      maxChangesPerDay: 0,
      blackout: [{ cron: "0 0 * * *", forMs: 3.6e6 * 23 }],
    },
    recent: [applied({ batch_size: 1 }, NOON - 1n)],
    evidenceKnown: false,
    values: { batch_size: 1 },
  });
  const decision = decide(person({ batch_size: 5_000 }), given);
  assert.deepEqual([decision.outcome, decision.rule], ["applied", "person"]);
  assert.deepEqual(decision.values, { batch_size: 5_000 });
  refused("invalid", /from 1 to 5000, not 5001/, person({ batch_size: 5_001 }), given);
  refused("invalid", /whole number, not 1.5/, person({ batch_size: 1.5 }), given);
  refused("no_change", /batch_size stays 1/, person({ batch_size: 1 }), given);
  assert.deepEqual(decide(person({ batch_size: null }), given).values, { batch_size: null });
  refused("no_change", /stays 20/, person({ batch_size: null }), circumstances());
});

Deno.test("whatever is proposed, what is applied keeps type, bounds and max_step (P1)", () => {
  const random = seeded("policy");
  let applied = 0;
  for (let round = 0; round < 4_000; round++) {
    const { parameter, incumbent, wanted } = draw(random);
    const asked = proposal({ [parameter.name]: wanted });
    const given = circumstances({
      params: [parameter],
      values: random.below(2) === 0 ? {} : { [parameter.name]: incumbent },
    });
    const about = `SEED=${random.seed}, round ${round}: ${
      JSON.stringify({ parameter, incumbent, wanted: String(wanted) })
    }`;
    const decision = decide(asked, given);
    assert.deepEqual(decide(structuredClone(asked), given), decision, about);
    assert.ok(decision.message.length > 0);
    if (decision.outcome !== "applied") {
      assert.deepEqual(decision.values, {}, about);
      continue;
    }
    applied++;
    const value = decision.values[parameter.name];
    assert.ok(typeof value === "number" && Number.isFinite(value), about);
    if (parameter.type === "integer") assert.ok(Number.isSafeInteger(value), about);
    const [low, high] = boundsOf(parameter);
    assert.ok(value >= low && value <= high, `${value} is out of bounds; ${about}`);
    const from = incumbentOf(parameter, given.snapshot) as number;
    const [least, most] = reachOf(parameter, from);
    assert.ok(value >= least && value <= most, `${value} is further than max_step; ${about}`);
    assert.equal(decision.clamped.length > 0, value !== wanted, about);
    const { min, step } = parameter.tune!;
    if (step !== undefined) {
      const steps = (value - min!) / step;
      assert.ok(Math.abs(steps - Math.round(steps)) < 1e-6, `${value} is off the grid; ${about}`);
    }
  }
  assert.ok(applied > 1_000, `only ${applied} were applied; SEED=${random.seed}`);
});

function draw(
  random: ReturnType<typeof seeded>,
): { parameter: Parameter; incumbent: number; wanted: Json } {
  const integer = random.below(2) === 0;
  const round = (value: number) => integer ? Math.round(value) : Number(value.toPrecision(6));
  const min = round((random.next() - 0.5) * 10 ** random.below(5));
  const max = min + Math.abs(round(random.next() * 10 ** random.below(5)));
  const within = () => Math.min(max, Math.max(min, round(min + random.next() * (max - min))));
  const step = random.pick([undefined, integer ? 1 + random.below(20) : 0.1, undefined]);
  const maxStep = random.pick([
    undefined,
    { factor: 1 + random.next() * 5 },
    { amount: random.next() * 100 },
  ]);
  const parameter: Parameter = {
    name: "x",
    type: integer ? "integer" : "number",
    default: within(),
    tune: { ...TUNE, min, max, ...step === undefined ? {} : { step }, maxStep },
  };
  const wild = [NaN, Infinity, -Infinity, -0, 1e308, -1e308, 5e-324, 0.5, "7", null, {}, 2 ** 53];
  const wanted = random.pick<Json>([within(), within(), round(random.next() * 1e6), ...wild]);
  return { parameter, incumbent: within(), wanted };
}
