import { SpanloopError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { Decision, LedgerEntry, Proposal, Snapshot } from "../core/proposal.ts";
import type { Store } from "../core/store.ts";
import type { TuneContract } from "../core/workflow.ts";
import type { Blackout } from "./blackout.ts";
import { type Circumstances, decide, incumbentOf, since } from "./policy.ts";
import { fit, following, reconcile } from "./reconcile.ts";
import { show } from "./values.ts";

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

type Judged = Pick<LedgerEntry, "proposal" | "decision" | "answers"> & {
  /** Frozen parameters after it, when it changes these. */
  readonly frozen?: readonly string[];
};

// Each try loses against a change that was made meanwhile: so many in a row are no coincidence.
const MOST_TRIES = 20;
// More changes in a day and a cooldown than this are none that a limit on them was meant for.
const MOST_RECENT = 10_000;
// A person answers the newest; what is older than so many is as good as forgotten.
const MOST_HELD = 200;

/**
 * Decides on proposals and carries out people's orders, in a store that other processes change as well.
 *
 * Invariants: P1 (what is applied has passed the policy, or is a person's order within bounds), P2 (a decision is
 * written with the snapshot that it makes, against the version that it was made on, or is made anew).
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

  /** Decides on a plugin's proposal and writes it down, whatever the decision. */
  async propose(
    proposal: Proposal,
    workflow: Contract,
    facts: Pick<Circumstances, "evidenceKnown" | "grant">,
  ): Promise<Entered> {
    const blackout = await this.#blackout(workflow.tune?.blackout ?? []);
    return await this.#enter(workflow, async (snapshot) => {
      const recent = await this.#ports.store.ledger({
        workflow: workflow.name,
        outcome: "applied",
        since: since(proposal.at, workflow.tune),
        limit: MOST_RECENT,
      });
      const circumstances = { ...facts, workflow, snapshot, recent, blackout };
      const decision = decide(proposal, circumstances);
      if (decision.outcome !== "held") return { proposal, decision };
      const held = await this.unanswered(workflow);
      return { proposal, decision: decide(proposal, { ...circumstances, held }) };
    });
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
        frozen: frozen
          ? [...new Set([...snapshot.frozen, ...names])]
          : snapshot.frozen.filter((name) => !names.includes(name)),
      };
    });
  }

  /**
   * Takes an applied change back: its parameters get the values from before it, cut to the bounds of now. Refused
   * when one of them has been changed again since.
   */
  async revert(workflow: Contract, number: number, order: Order): Promise<Entered> {
    const reverted = await this.#find(workflow, number);
    const { decision, before, proposal } = reverted;
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
      const { values, clamped, reason } = found;
      return {
        proposal: {
          // Of several processes that notice it at once one writes it down.
          id: `file/${workflow.name}/${snapshot.version}`,
          workflow: workflow.name,
          author: { kind: "file" },
          changes: values,
          reason,
          evidence: [],
          version: snapshot.version,
          at,
        },
        decision: { outcome: "applied", rule: "file", message: reason, values, clamped },
      };
    });
    return entered?.snapshot ?? await store.snapshot(workflow.name);
  }

  /** Changes that are held for a person who has not answered yet, newest first. */
  async unanswered({ name: workflow }: Pick<Contract, "name">): Promise<readonly LedgerEntry[]> {
    const { store } = this.#ports;
    const held = await store.ledger({ workflow, outcome: "held", limit: MOST_HELD });
    const waiting: LedgerEntry[] = [];
    for (const entry of held) {
      const answer = await store.ledger({ proposal: answerId(entry.number), limit: 1 });
      if (answer.length === 0) waiting.push(entry);
    }
    return waiting;
  }

  #enter(
    workflow: Contract,
    judge: (snapshot: Snapshot) => Judged | Promise<Judged>,
  ): Promise<Entered>;
  #enter(
    workflow: Contract,
    judge: (snapshot: Snapshot) => Judged | undefined,
  ): Promise<Entered | undefined>;
  async #enter(
    workflow: Contract,
    judge: (snapshot: Snapshot) => Judged | undefined | Promise<Judged>,
  ): Promise<Entered | undefined> {
    const { store } = this.#ports;
    let snapshot = await store.snapshot(workflow.name);
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const judged = await judge(snapshot);
      if (judged === undefined) return undefined;
      const { frozen, ...entry } = judged;
      const { values, outcome } = entry.decision;
      const next = outcome === "applied"
        ? following(snapshot, workflow, { values, frozen }, entry.proposal.at)
        : undefined;
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
  return { proposal, decision };
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

function answerId(number: number): string {
  return `answer/${number}`;
}
