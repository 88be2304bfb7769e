import type { Experiment, LedgerEntry, Verdict } from "../core/proposal.ts";
import type { SpanReference } from "../core/span.ts";
import type { Store } from "../core/store.ts";
import type { Contract, Entered, Entries } from "./entries.ts";
import { goalOf, goalText } from "./goal.ts";
import { fit } from "./reconcile.ts";
import { verdictSentence } from "./verdict_sentence.ts";

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

/**
 * Writes down an experiment's verdict, and carries it out. One experiment has one verdict, whoever says it again (P2).
 * Where it is not open any more, or the file does not allow its values any more or wants something else, the verdict is
 * `withdrawn` (P4). Undefined for an experiment that is not in the ledger: somebody ended it, and it was pruned. Throws
 * StoreError.
 */
export async function conclude(
  entries: Entries,
  store: Pick<Store, "snapshot" | "ledger">,
  workflow: Contract,
  conclusion: Conclusion,
): Promise<Entered | undefined> {
  const { experiment: id, evidence, at } = conclusion;
  const began = await experimentOf(store, workflow.name, id);
  if (began === undefined) return undefined;
  const { experiment, opened } = began;
  return await entries.enter(workflow, (snapshot) => {
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
        message: sentenceOf(experiment, verdict),
        values,
        clamped: [],
      },
      answers: opened.number,
      verdict,
      ...isOpen ? { change: { values: kept ? values : {} } } : {},
    };
  });
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

// The verdict that holds as things are now: none on what is not under measurement, not allowed any more, or of another
// goal (P1, P4).
function standing(
  workflow: Contract,
  { values, objective }: Experiment,
  isOpen: boolean,
  verdict: Verdict,
): Verdict {
  const isAllowed = Object.entries(values).every(([name, value]) => {
    const parameter = workflow.params.get(name);
    return parameter?.tune !== undefined && fit(parameter, value) === value;
  });
  const now = workflow.tune?.objective;
  const isMeant = objective === undefined ||
    now !== undefined && goalOf(now) === goalText(objective);
  if (isOpen && (isAllowed && isMeant || verdict.action === "rolled_back")) return verdict;
  return { ...verdict, outcome: "inconclusive", action: "rolled_back", ended: "withdrawn" };
}

function sentenceOf({ values, incumbent, objective }: Experiment, verdict: Verdict): string {
  const changes = Object.entries(values).map(([name, to]) => ({ name, from: incumbent[name], to }));
  return verdictSentence(changes, verdict, objective ?? UNKNOWN_OBJECTIVE);
}

// Of an experiment that began before it kept what it is judged by.
const UNKNOWN_OBJECTIVE = {
  direction: "minimize",
  of: "",
  expression: "the objective that the file had",
} as const;

function verdictId(experiment: string): string {
  return `verdict/${experiment}`;
}
