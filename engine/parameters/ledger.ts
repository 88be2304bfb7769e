import { SpanloopError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { Decision, LedgerEntry, Proposal, Snapshot } from "../core/proposal.ts";
import { conclude, type Conclusion } from "./conclusion.ts";
import {
  answerId,
  type Contract,
  type Entered,
  Entries,
  type Judged,
  type LedgerPorts,
  tunedValue,
} from "./entries.ts";
import { decide, incumbentOf } from "./policy.ts";
import { type Facts, Proposals } from "./proposals.ts";
import { fit, reconcile } from "./reconcile.ts";
import { type Breach, rollBack } from "./roll_back.ts";
import { show } from "./values.ts";

/** A person's order. */
export interface Order {
  /** Identifies it: the same id is the same order (P2). */
  readonly id: string;
  /** When it is given, nanoseconds since the epoch. */
  readonly at: bigint;
  /** Why; a default says who. */
  readonly reason?: string;
}

/**
 * Decides on proposals and carries out people's orders, in a store that other processes change as well.
 *
 * Invariants: P1 (what is applied has passed the policy, or is a person's order within bounds), P2 (a decision is
 * written with the snapshot that it makes, against the version that it was made on, or is made anew), P4 (a verdict is
 * on the values that were tested: once they are not the experiment's, or the file does not allow them, it is withdrawn).
 *
 * One experiment is open at a time. Any change of values by somebody else ends it, without a verdict as yet; the verdict
 * `withdrawn` follows when it is next measured, if it ever was.
 *
 * Errors: StoreError; SpanloopError `params.RULE` for an order that does not hold (nothing is written then),
 * `params.unknown` for a change that is not there, `params.answered`, `params.changed`, `params.busy`.
 */
export class ParameterLedger {
  readonly #ports: LedgerPorts;
  readonly #entries: Entries;
  readonly #proposals: Proposals;

  /** Works on a store. */
  constructor(ports: LedgerPorts) {
    this.#ports = ports;
    this.#entries = new Entries(ports);
    this.#proposals = new Proposals(this.#entries, ports);
  }

  /** See Proposals.propose. */
  propose(proposal: Proposal, workflow: Contract, facts: Facts): Promise<Entered> {
    return this.#proposals.propose(proposal, workflow, facts);
  }

  /**
   * Ends an experiment with its verdict: the candidate's values rule from now on, or the incumbent's as before. See
   * `conclude`.
   */
  conclude(workflow: Contract, conclusion: Conclusion): Promise<Entered | undefined> {
    return conclude(this.#entries, this.#ports.store, workflow, conclusion);
  }

  /** Takes back the last change that an experiment had kept. See `rollBack`. */
  rollBack(workflow: Contract, breach: Breach): Promise<Entered | undefined> {
    return rollBack(this.#entries, this.#ports.store, workflow, breach);
  }

  /** See Proposals.begin. */
  begin(workflow: Contract, at: bigint, ordered = false): Promise<Entered | undefined> {
    return this.#proposals.begin(workflow, at, ordered);
  }

  /** Sets values as a person orders; null: back to the file's default. */
  async set(
    workflow: Contract,
    changes: Readonly<Record<string, Json>>,
    order: Order,
  ): Promise<Entered> {
    return await this.#entries.enter(
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
    return await this.#entries.enter(workflow, (snapshot) => {
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
    return await this.#entries.enter(workflow, (snapshot) => {
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
    return await this.#entries.enter(workflow, (snapshot) => {
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
    const entered = await this.#entries.enter(workflow, (snapshot) => {
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
    return this.#entries.pending(workflow, "held");
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
    const entered = await this.#entries.enter(workflow, judge);
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
