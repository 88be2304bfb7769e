import type { Json } from "../core/json.ts";
import type { Decision, LedgerEntry, Proposal, Snapshot } from "../core/proposal.ts";
import type { TuneContract } from "../core/workflow.ts";
import type { Blackout } from "./blackout.ts";
import {
  answerId,
  type Contract,
  type Entered,
  type Entries,
  type Judged,
  type LedgerPorts,
} from "./entries.ts";
import { objectiveText } from "./goal.ts";
import {
  authorOf,
  type Circumstances,
  decide,
  exposureOf,
  incumbentOf,
  mayPassLater,
  since,
} from "./policy.ts";
import type { Change } from "./reconcile.ts";

/** What else is known of a proposal. */
export type Facts = Pick<Circumstances, "evidenceKnown" | "grant" | "ordered">;

// More changes in a day and a cooldown than this are none that a limit on them was meant for.
const MOST_RECENT = 10_000;

/**
 * Decides on plugins' proposals, and keeps those in their order that are to be tested.
 *
 * Invariants: P1 (what is applied or tested has passed the policy), P2 (what waits is answered once).
 */
export class Proposals {
  readonly #entries: Entries;
  readonly #ports: Pick<LedgerPorts, "store" | "machineZone">;
  readonly #blackouts = new WeakMap<TuneContract["blackout"], Blackout>();

  /** Writes by `entries`. */
  constructor(entries: Entries, ports: Pick<LedgerPorts, "store" | "machineZone">) {
    this.#entries = entries;
    this.#ports = ports;
  }

  /**
   * Decides on a plugin's proposal and writes it down, whatever the decision. What waits to be tested begins before it,
   * if it may; but a later proposal of one author takes the place of what he has waiting.
   */
  async propose(
    asked: Proposal,
    workflow: Contract,
    facts: Facts,
  ): Promise<Entered> {
    const others = (await this.#waiting(workflow))
      .filter(({ proposal }) => authorOf(proposal) !== authorOf(asked));
    const begun = await this.#begin(workflow, others, asked.at, facts.ordered);
    // It knew of the version before.
    const version = begun?.snapshot.version;
    const proposal = version === asked.version + 1 ? { ...asked, version } : asked;
    const entered = await this.#entries.enter(
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
   * Begins the experiment of the oldest change that waits for it, if none is open and it may begin at `at`, nanoseconds
   * since the epoch (T4); what may never begin any more is refused. `ordered`: a person has it done (A4).
   */
  async begin(workflow: Contract, at: bigint, ordered = false): Promise<Entered | undefined> {
    return await this.#begin(workflow, await this.#waiting(workflow), at, ordered);
  }

  // Changes that are to be tested after the one that is, oldest first.
  async #waiting(workflow: Contract): Promise<readonly LedgerEntry[]> {
    if (workflow.tune?.objective === undefined) return [];
    return (await this.#entries.pending(workflow, "waiting")).toReversed();
  }

  async #judge(
    proposal: Proposal,
    workflow: Contract,
    snapshot: Snapshot,
    facts: Facts,
  ): Promise<Judged> {
    const recent = await this.#recent(workflow, proposal.at);
    const blackout = await this.#blackout(workflow.tune?.blackout ?? []);
    const circumstances = { ...facts, workflow, snapshot, recent, blackout };
    let decision = decide(proposal, circumstances);
    if (decision.outcome === "held" || decision.outcome === "waiting") {
      const pending = await this.#entries.pending(workflow, decision.outcome);
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
      const entered = await this.#entries.enter(workflow, async (snapshot) => {
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
      await this.#entries.enter(workflow, ({ version }) => ({
        proposal: { ...proposal, id: answerId(number), version, at: by.proposal.at },
        decision: { outcome: "refused", rule: "conflict", message, values: {}, clamped: [] },
        answers: number,
      }));
    }
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

// What a decision makes of the snapshot; whatever applies values ends what is under measurement.
function changeOf(
  proposal: Proposal,
  { outcome, values }: Decision,
  workflow: Contract,
  snapshot: Snapshot,
): Change | undefined {
  if (outcome === "applied") return { values };
  if (outcome !== "testing") return undefined;
  const objective = workflow.tune?.objective;
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
      ...objective === undefined ? {} : { objective: objectiveText(objective) },
    },
  };
}
