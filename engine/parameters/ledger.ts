import { SpanloopError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type {
  Decision,
  Experiment,
  LedgerEntry,
  Proposal,
  Snapshot,
  Verdict,
} from "../core/proposal.ts";
import type { SpanReference } from "../core/span.ts";
import type { Store } from "../core/store.ts";
import type { TuneContract } from "../core/workflow.ts";
import type { Blackout } from "./blackout.ts";
import {
  authorOf,
  type Circumstances,
  decide,
  exposureOf,
  incumbentOf,
  mayPassLater,
  since,
} from "./policy.ts";
import { type Change, fit, following, reconcile } from "./reconcile.ts";
import { show } from "./values.ts";
import { verdictSentence } from "./verdict_sentence.ts";

/** What the ledger needs. */
export interface LedgerPorts {
  /** Where entries and snapshots are kept. */
  readonly store: Pick<Store, "snapshot" | "decide" | "ledger">;
  /** The zone of blackout windows that name none. */
  readonly machineZone: string;
  /** Hears of each snapshot that is made here. */
  readonly onChange?: (snapshot: Snapshot) => void;
}

/** What became of a proposal or an order. */
export interface Entered {
  /** Its entry in the ledger. */
  readonly entry: LedgerEntry;
  /** Whether a proposal of that id was there already, and is given back as it is (P2). */
  readonly repeated: boolean;
  /** The snapshot after it. */
  readonly snapshot: Snapshot;
}

/** A person's order. */
export interface Order {
  /** Identifies it: the same id is the same order (P2). */
  readonly id: string;
  /** When it is given, nanoseconds since the epoch. */
  readonly at: bigint;
  /** Why; a default says who. */
  readonly reason?: string;
}

/** The parts of a workflow that say what may change. */
export type Contract = Circumstances["workflow"];

/** What an experiment came to. */
export interface Conclusion {
  /** The experiment, by the id of the proposal that it tests. */
  readonly experiment: string;
  /** What it came to. */
  readonly verdict: Verdict;
  /** The spans that argue for it. */
  readonly evidence: readonly SpanReference[];
  /** When, nanoseconds since the epoch; of the event that it answers (T4). */
  readonly at: bigint;
}

type Judged = Pick<LedgerEntry, "proposal" | "decision" | "answers" | "verdict"> & {
  /** What it makes of the snapshot; absent: nothing. */
  readonly change?: Change;
};

// Each try loses against a change that was made meanwhile: so many in a row are no coincidence.
const MOST_TRIES = 20;
// More changes in a day and a cooldown than this are none that a limit on them was meant for.
const MOST_RECENT = 10_000;
// Whoever answers takes the newest; what is older than so many is as good as forgotten.
const MOST_PENDING = 200;

/**
 * Decides on proposals and carries out people's orders, in a store that other processes change as well.
 *
 * Invariants: P1 (what is applied has passed the policy, or is a person's order within bounds), P2 (a decision is
 * written with the snapshot that it makes, against the version that it was made on, or is made anew), P4 (a verdict is
 * on the values that were tested: once they are not the experiment's, or the file does not allow them, it is withdrawn).
 *
 * One experiment is open at a time. Any change of values by somebody else ends it, without a verdict as yet; the verdict
 * `withdrawn` follows when it is next measured.
 *
 * Errors: StoreError; SpanloopError `params.RULE` for an order that does not hold (nothing is written then),
 * `params.unknown` for a change that is not there, `params.answered`, `params.changed`, `params.busy`.
 */
export class ParameterLedger {
  readonly #ports: LedgerPorts;
  readonly #blackouts = new WeakMap<TuneContract["blackout"], Blackout>();

  /** Works on a store. */
  constructor(ports: LedgerPorts) {
    this.#ports = ports;
  }

  /**
   * Decides on a plugin's proposal and writes it down, whatever the decision. What waits to be tested begins before it,
   * if it may; but a later proposal of one author takes the place of what he has waiting.
   */
  async propose(
    asked: Proposal,
    workflow: Contract,
    facts: Pick<Circumstances, "evidenceKnown" | "grant" | "ordered">,
  ): Promise<Entered> {
    const others = (await this.#waiting(workflow))
      .filter(({ proposal }) => authorOf(proposal) !== authorOf(asked));
    const begun = await this.#begin(workflow, others, asked.at, facts.ordered);
    // It knew of the version before.
    const version = begun?.snapshot.version;
    const proposal = version === asked.version + 1 ? { ...asked, version } : asked;
    const entered = await this.#enter(
      workflow,
      (snapshot) => this.#judge(proposal, workflow, snapshot, facts),
    );
    const { number, decision: { outcome } } = entered.entry;
    if (outcome === "testing" || outcome === "waiting") {
      await this.#replace(workflow, entered.entry, `Change ${number} takes its place`);
    }
    return entered;
  }

  /**
   * Ends an experiment with its verdict: the candidate's values rule from now on, or the incumbent's as before. One
   * experiment has one verdict, whoever says it again (P2). Where it is not open any more, or the file does not allow its
   * values any more, the verdict is `withdrawn`. Throws `params.unknown` for an experiment that never was.
   */
  async conclude(workflow: Contract, conclusion: Conclusion): Promise<Entered> {
    const { experiment: id, evidence, at } = conclusion;
    const began = await experimentOf(this.#ports.store, workflow.name, id);
    if (began === undefined) {
      throw new SpanloopError("params.unknown", `${workflow.name} has no experiment ${id}`);
    }
    const { experiment, opened } = began;
    return await this.#enter(workflow, (snapshot) => {
      const isOpen = snapshot.experiment?.id === id;
      const verdict = standing(workflow, experiment, isOpen, conclusion.verdict);
      const kept = verdict.action === "kept";
      const { values } = experiment;
      return {
        proposal: {
          id: verdictId(id),
          workflow: workflow.name,
          author: { kind: "engine" },
          changes: values,
          reason: `The verdict on change ${opened.number}`,
          evidence,
          version: snapshot.version,
          at,
        },
        decision: {
          outcome: kept ? "applied" : "ended",
          rule: "verdict",
          message: sentenceOf(workflow, experiment, verdict),
          values,
          clamped: [],
        },
        answers: opened.number,
        verdict,
        ...isOpen ? { change: { values: kept ? values : {} } } : {},
      };
    });
  }

  /**
   * Begins the experiment of the oldest change that waits for it, if none is open and it may begin at `at`, nanoseconds
   * since the epoch (T4); what may never begin any more is refused. `ordered`: a person has it done (A4).
   */
  async begin(workflow: Contract, at: bigint, ordered = false): Promise<Entered | undefined> {
    return await this.#begin(workflow, await this.#waiting(workflow), at, ordered);
  }

  /** Sets values as a person orders; null: back to the file's default. */
  async set(
    workflow: Contract,
    changes: Readonly<Record<string, Json>>,
    order: Order,
  ): Promise<Entered> {
    return await this.#enter(
      workflow,
      (snapshot) => ordered(workflow, snapshot, { changes, reason: "A person set it" }, order),
    );
  }

  /** Freezes parameters with the values that they have, or unfreezes them. */
  async freeze(
    workflow: Contract,
    names: readonly string[],
    frozen: boolean,
    order: Order,
  ): Promise<Entered> {
    return await this.#enter(workflow, (snapshot) => {
      const changes = names.map((name): [string, Json] => {
        const parameter = workflow.params.get(name);
        if (parameter?.tune === undefined) throw notTunable(workflow, name);
        return [name, incumbentOf(parameter, snapshot) ?? null];
      });
      const word = frozen ? "frozen" : "unfrozen";
      if (names.every((name) => snapshot.frozen.includes(name) === frozen)) {
        throw refusal(
          "no_change",
          `${names.join(", ")} ${names.length > 1 ? "are" : "is"} ${word}`,
        );
      }
      return {
        proposal: {
          ...byPerson(workflow, snapshot, order, `A person has it ${word}`),
          changes: Object.fromEntries(changes),
          frozen,
        },
        decision: applied(
          changes.map(([name, value]) => `${name} is ${word}, at ${show(value)}`).join("; "),
        ),
        change: {
          values: {},
          frozen: frozen
            ? [...new Set([...snapshot.frozen, ...names])]
            : snapshot.frozen.filter((name) => !names.includes(name)),
          // What no plugin may change is not to be tried either.
          experiment: frozen && names.some((name) => isTried(snapshot, name))
            ? undefined
            : snapshot.experiment,
        },
      };
    });
  }

  /**
   * Takes an applied change back: its parameters get the values from before it, cut to the bounds of now. Refused
   * when one of them has been changed again since. Of a change that is under measurement the experiment is ended.
   */
  async revert(workflow: Contract, number: number, order: Order): Promise<Entered> {
    const reverted = await this.#find(workflow, number);
    const { decision, before, proposal } = reverted;
    if (decision.outcome === "testing") return await this.#stop(workflow, reverted, order);
    if (decision.outcome !== "applied" || proposal.frozen !== undefined) {
      const what = proposal.frozen === undefined ? `was ${decision.outcome}` : "changed no value";
      throw refusal("no_change", `Change ${number} ${what}: there is nothing to take back`);
    }
    return await this.#enter(workflow, (snapshot) => {
      const changes: Record<string, Json> = {};
      for (const [name, made] of Object.entries(decision.values)) {
        if (tunedValue(snapshot, name) !== made) {
          throw new SpanloopError(
            "params.changed",
            `Cannot take back change ${number}: ${name} has been changed again since. Take that ` +
              "back first (`params history` shows it), or set a value",
            { exitCode: 2 },
          );
        }
        changes[name] = settled(workflow, name, before[name] ?? null);
      }
      const reason = `A person took back change ${number}`;
      return { ...ordered(workflow, snapshot, { changes, reason }, order), answers: number };
    });
  }

  async #stop(workflow: Contract, tested: LedgerEntry, order: Order): Promise<Entered> {
    const { number, proposal: { id }, decision: { values } } = tested;
    return await this.#enter(workflow, (snapshot) => {
      if (snapshot.experiment?.id !== id) {
        throw refusal(
          "no_change",
          `The test of change ${number} is over; take back what it came to`,
        );
      }
      const reason = `A person ended the test of change ${number}`;
      return {
        proposal: { ...byPerson(workflow, snapshot, order, reason), changes: values },
        decision: { outcome: "ended", rule: "person", message: reason, values, clamped: [] },
        answers: number,
        change: { values: {} },
      };
    });
  }

  /** Applies a change that was held for a person, cut to the bounds of now. */
  async accept(workflow: Contract, number: number, order: Omit<Order, "id">): Promise<Entered> {
    const held = await this.#held(workflow, number);
    return await this.#answer(workflow, number, (snapshot) => {
      const changes = Object.fromEntries(
        Object.entries(held.decision.values).map((
          [name, value],
        ) => [name, settled(workflow, name, value)]),
      );
      const reason = `A person accepted change ${number}`;
      const answer = { ...order, id: answerId(number) };
      return { ...ordered(workflow, snapshot, { changes, reason }, answer), answers: number };
    });
  }

  /** Refuses a change that was held for a person. */
  async reject(workflow: Contract, number: number, order: Omit<Order, "id">): Promise<Entered> {
    const held = await this.#held(workflow, number);
    const reason = `A person rejected change ${number}`;
    return await this.#answer(workflow, number, (snapshot) => ({
      proposal: {
        ...byPerson(workflow, snapshot, { ...order, id: answerId(number) }, reason),
        changes: held.decision.values,
      },
      decision: { outcome: "refused", rule: "person", message: reason, values: {}, clamped: [] },
      answers: number,
    }));
  }

  /**
   * Retires and clamps tuned values that are not of the file as it is now (A5), as an entry by author `file`; gives
   * the snapshot that holds. `at` is when it is noticed, nanoseconds since the epoch.
   */
  async reconcile(workflow: Contract, at: bigint): Promise<Snapshot> {
    const { store } = this.#ports;
    const snapshot = await store.snapshot(workflow.name);
    if (reconcile(workflow, snapshot) === undefined) return snapshot;
    const entered = await this.#enter(workflow, (snapshot) => {
      const found = reconcile(workflow, snapshot);
      if (found === undefined) return undefined;
      const { values, clamped, dropped, reason } = found;
      const kept = dropped.map((name): [string, Json] => [name, tunedValue(snapshot, name)]);
      return {
        proposal: {
          // Of several processes that notice it at once one writes it down.
          id: `file/${workflow.name}/${snapshot.version}`,
          workflow: workflow.name,
          author: { kind: "file" },
          changes: { ...Object.fromEntries(kept), ...values },
          reason,
          evidence: [],
          version: snapshot.version,
          at,
        },
        decision: { outcome: "applied", rule: "file", message: reason, values, clamped },
        change: { values },
      };
    });
    return entered?.snapshot ?? await store.snapshot(workflow.name);
  }

  /** Changes that are held for a person who has not answered yet, newest first. */
  unanswered(workflow: Pick<Contract, "name">): Promise<readonly LedgerEntry[]> {
    return this.#pending(workflow, "held");
  }

  // Changes that are to be tested after the one that is, oldest first.
  async #waiting(workflow: Contract): Promise<readonly LedgerEntry[]> {
    if (workflow.tune?.objective === undefined) return [];
    return (await this.#pending(workflow, "waiting")).toReversed();
  }

  async #pending(
    { name: workflow }: Pick<Contract, "name">,
    outcome: "held" | "waiting",
  ): Promise<readonly LedgerEntry[]> {
    const { store } = this.#ports;
    const entries = await store.ledger({ workflow, outcome, limit: MOST_PENDING });
    const open: LedgerEntry[] = [];
    for (const entry of entries) {
      const answer = await store.ledger({ proposal: answerId(entry.number), limit: 1 });
      if (answer.length === 0) open.push(entry);
    }
    return open;
  }

  async #judge(
    proposal: Proposal,
    workflow: Contract,
    snapshot: Snapshot,
    facts: Pick<Circumstances, "evidenceKnown" | "grant" | "ordered">,
  ): Promise<Judged> {
    const recent = await this.#recent(workflow, proposal.at);
    const blackout = await this.#blackout(workflow.tune?.blackout ?? []);
    const circumstances = { ...facts, workflow, snapshot, recent, blackout };
    let decision = decide(proposal, circumstances);
    if (decision.outcome === "held" || decision.outcome === "waiting") {
      const pending = await this.#pending(workflow, decision.outcome);
      decision = decide(proposal, { ...circumstances, pending });
    }
    return { proposal, decision, change: changeOf(proposal, decision, workflow, snapshot) };
  }

  // What bears on a decision at that time, newest first.
  async #recent(workflow: Contract, at: bigint): Promise<readonly LedgerEntry[]> {
    const query = {
      workflow: workflow.name,
      since: since(at, workflow.tune),
      limit: MOST_RECENT,
    };
    const outcomes: readonly Decision["outcome"][] = workflow.tune?.objective === undefined
      ? ["applied"]
      : ["applied", "testing", "ended"];
    const found = await Promise.all(
      outcomes.map((outcome) => this.#ports.store.ledger({ ...query, outcome })),
    );
    return found.flat().sort((a, b) => b.number - a.number);
  }

  // Begins the first of these that may.
  async #begin(
    workflow: Contract,
    waiting: readonly LedgerEntry[],
    at: bigint,
    ordered?: boolean,
  ): Promise<Entered | undefined> {
    for (const { number, proposal } of waiting) {
      const id = answerId(number);
      const facts = { evidenceKnown: true, ordered };
      const entered = await this.#enter(workflow, async (snapshot) => {
        const { version, experiment } = snapshot;
        if (experiment !== undefined) return undefined;
        const now = { ...proposal, id, version, at };
        const judged = await this.#judge(now, workflow, snapshot, facts);
        return mayPassLater(judged.decision.rule) ? undefined : { ...judged, answers: number };
      });
      // What keeps one of them keeps those after it: they came later, and have as long to wait.
      if (entered === undefined) return undefined;
      // One that another process has begun meanwhile is not begun here.
      if (entered.snapshot.experiment?.id === id) return entered;
    }
  }

  // Refuses what else the author of this entry has waiting.
  async #replace(workflow: Contract, by: LedgerEntry, message: string): Promise<void> {
    for (const { number, proposal } of await this.#waiting(workflow)) {
      if (number >= by.number || authorOf(proposal) !== authorOf(by.proposal)) continue;
      await this.#enter(workflow, ({ version }) => ({
        proposal: { ...proposal, id: answerId(number), version, at: by.proposal.at },
        decision: { outcome: "refused", rule: "conflict", message, values: {}, clamped: [] },
        answers: number,
      }));
    }
  }

  #enter(
    workflow: Contract,
    judge: (snapshot: Snapshot) => Judged | Promise<Judged>,
  ): Promise<Entered>;
  #enter(
    workflow: Contract,
    judge: (snapshot: Snapshot) => Judged | undefined | Promise<Judged | undefined>,
  ): Promise<Entered | undefined>;
  async #enter(
    workflow: Contract,
    judge: (snapshot: Snapshot) => Judged | undefined | Promise<Judged | undefined>,
  ): Promise<Entered | undefined> {
    const { store } = this.#ports;
    let snapshot = await store.snapshot(workflow.name);
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const judged = await judge(snapshot);
      if (judged === undefined) return undefined;
      const { change, ...entry } = judged;
      const next = change === undefined
        ? undefined
        : following(snapshot, workflow, change, entry.proposal.at);
      const decided = await store.decide({
        ...entry,
        before: beforeOf(entry.proposal, snapshot),
        ...next === undefined ? {} : { version: next.version },
      }, { expected: snapshot.version, snapshot: next });
      if ("stale" in decided) {
        snapshot = decided.stale;
        continue;
      }
      if (decided.repeated) return { ...decided, snapshot: await store.snapshot(workflow.name) };
      if (next !== undefined) this.#ports.onChange?.(next);
      return { ...decided, snapshot: next ?? snapshot };
    }
    throw new SpanloopError(
      "params.busy",
      `Cannot change parameters of ${workflow.name}: something else changes them all the time; try again`,
    );
  }

  async #answer(
    workflow: Contract,
    number: number,
    judge: (snapshot: Snapshot) => Judged,
  ): Promise<Entered> {
    const refuse = ({ number: by, decision }: LedgerEntry) => {
      const word = decision.outcome === "applied" ? "accepted" : "rejected";
      throw new SpanloopError(
        "params.answered",
        `Change ${number} has been ${word} already, by change ${by}`,
        { exitCode: 2 },
      );
    };
    const [known] = await this.#ports.store.ledger({ proposal: answerId(number), limit: 1 });
    if (known !== undefined) refuse(known);
    const entered = await this.#enter(workflow, judge);
    if (entered.repeated) refuse(entered.entry);
    return entered;
  }

  async #held(workflow: Contract, number: number): Promise<LedgerEntry> {
    const entry = await this.#find(workflow, number);
    if (entry.decision.outcome === "held") return entry;
    throw new SpanloopError(
      "params.not_held",
      `Change ${number} was ${entry.decision.outcome}: only what is held for a person is accepted or rejected`,
      { exitCode: 2 },
    );
  }

  async #find(workflow: Contract, number: number): Promise<LedgerEntry> {
    const [entry] = await this.#ports.store.ledger({ workflow: workflow.name, number, limit: 1 });
    if (entry !== undefined) return entry;
    throw new SpanloopError(
      "params.unknown",
      `${workflow.name} has no change ${number}; \`params history\` lists its changes`,
      { exitCode: 2 },
    );
  }

  async #blackout(windows: TuneContract["blackout"]): Promise<Blackout> {
    // Few contracts have windows; cron is loaded for those that do.
    if (windows.length === 0) return () => undefined;
    const known = this.#blackouts.get(windows);
    if (known !== undefined) return known;
    const { compileBlackout } = await import("./blackout.ts");
    const blackout = compileBlackout(windows, this.#ports.machineZone);
    this.#blackouts.set(windows, blackout);
    return blackout;
  }
}

/** An experiment as it began, whatever became of it, with the entry that opened it. Throws StoreError. */
export async function experimentOf(
  store: Pick<Store, "snapshot" | "ledger">,
  workflow: string,
  id: string,
): Promise<{ readonly experiment: Experiment; readonly opened: LedgerEntry } | undefined> {
  const [opened] = await store.ledger({ workflow, proposal: id, limit: 1 });
  if (opened?.version === undefined) return undefined;
  const experiment = (await store.snapshot(workflow, opened.version))?.experiment;
  return experiment?.id === id ? { experiment, opened } : undefined;
}

/** The entry with an experiment's verdict; undefined while it has none. Throws StoreError. */
export async function verdictOn(
  store: Pick<Store, "ledger">,
  experiment: string,
): Promise<LedgerEntry | undefined> {
  return (await store.ledger({ proposal: verdictId(experiment), limit: 1 }))[0];
}

function ordered(
  workflow: Contract,
  snapshot: Snapshot,
  { changes, reason }: { readonly changes: Proposal["changes"]; readonly reason: string },
  order: Order,
): Judged {
  const proposal = { ...byPerson(workflow, snapshot, order, reason), changes };
  const decision = decide(proposal, {
    workflow,
    snapshot,
    recent: [],
    blackout: () => undefined,
    evidenceKnown: true,
  });
  if (decision.outcome !== "applied") throw refusal(decision.rule, decision.message);
  return { proposal, decision, change: { values: decision.values } };
}

// What a decision makes of the snapshot; whatever applies values ends what is under measurement.
function changeOf(
  proposal: Proposal,
  { outcome, values }: Decision,
  workflow: Contract,
  snapshot: Snapshot,
): Change | undefined {
  if (outcome === "applied") return { values };
  if (outcome !== "testing") return undefined;
  const incumbent = Object.keys(values).map((name): [string, Json] => {
    const parameter = workflow.params.get(name);
    return [name, parameter === undefined ? null : incumbentOf(parameter, snapshot) ?? null];
  });
  return {
    values: {},
    experiment: {
      id: proposal.id,
      values,
      incumbent: Object.fromEntries(incumbent),
      exposure: exposureOf(proposal),
      since: proposal.at,
    },
  };
}

// The verdict that holds as things are now: none on what is not under measurement or not allowed any more (P1, P4).
function standing(
  workflow: Contract,
  { values }: Experiment,
  isOpen: boolean,
  verdict: Verdict,
): Verdict {
  const isAllowed = Object.entries(values).every(([name, value]) => {
    const parameter = workflow.params.get(name);
    return parameter?.tune !== undefined && fit(parameter, value) === value;
  });
  if (isOpen && (isAllowed || verdict.action === "rolled_back")) return verdict;
  return { ...verdict, outcome: "inconclusive", action: "rolled_back", ended: "withdrawn" };
}

function sentenceOf({ tune }: Contract, experiment: Experiment, verdict: Verdict): string {
  const changes = Object.entries(experiment.values)
    .map(([name, to]) => ({ name, from: experiment.incumbent[name], to }));
  const { direction, of, expression: { source: expression } } = tune?.objective ?? NO_OBJECTIVE;
  return verdictSentence(changes, verdict, { direction, of, expression });
}

// Of a file that has lost its objective while a change was measured by it.
const NO_OBJECTIVE = {
  direction: "minimize",
  of: "",
  expression: { source: "an objective that the file had" },
} as const;

function isTried({ experiment }: Snapshot, name: string): boolean {
  return experiment !== undefined && Object.hasOwn(experiment.values, name);
}

function byPerson(
  { name }: Contract,
  { version }: Snapshot,
  { id, at, reason: given }: Order,
  reason: string,
): Omit<Proposal, "changes"> {
  return {
    id,
    workflow: name,
    author: { kind: "person" },
    reason: given ?? reason,
    evidence: [],
    version,
    at,
  };
}

function applied(message: string): Decision {
  return { outcome: "applied", rule: "person", message, values: {}, clamped: [] };
}

function refusal(rule: string, message: string): SpanloopError {
  return new SpanloopError(`params.${rule}`, message, { exitCode: 2 });
}

function notTunable(workflow: Contract, name: string): SpanloopError {
  return refusal(
    "not_tunable",
    workflow.params.has(name)
      ? `${name} has no \`tune\` in ${workflow.name}: nothing changes it`
      : `${name} is not a parameter of ${workflow.name}`,
  );
}

// A value that is to rule again, cut to what the file allows now.
function settled(workflow: Contract, name: string, value: Json): Json {
  const parameter = workflow.params.get(name);
  // What does not fit at all is left to the policy, which says why.
  return value === null || parameter === undefined ? value : fit(parameter, value) ?? value;
}

function beforeOf({ changes }: Proposal, snapshot: Snapshot): LedgerEntry["before"] {
  return Object.fromEntries(
    Object.keys(changes).map((name) => [name, tunedValue(snapshot, name)]),
  );
}

function tunedValue({ values }: Snapshot, name: string): Json {
  return Object.hasOwn(values, name) ? values[name] : null;
}

function verdictId(experiment: string): string {
  return `verdict/${experiment}`;
}

function answerId(number: number): string {
  return `answer/${number}`;
}
