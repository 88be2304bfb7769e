import type { LedgerEntry } from "../core/proposal.ts";

/** What says of a ledger entry whether it may go. */
export interface Aging {
  /** Its number. */
  readonly number: number;
  /** Its workflow. */
  readonly workflow: string;
  /** Whether it was proposed before the time that is pruned to. */
  readonly isOld: boolean;
  /** What became of it. */
  readonly outcome: LedgerEntry["decision"]["outcome"];
  /** The parameters whose values it decided. */
  readonly names: readonly string[];
  /** The entry that it answers. */
  readonly answers?: number;
  /** Whether it is the change that is under measurement. */
  readonly isTried: boolean;
}

// So many of a workflow stay however old they are, as limits on changes and whoever takes changes back look at them.
const MOST_RECENT = 100;

/** An entry, as far as its age is judged; `tried`: the id of its workflow's experiment that is open. */
export function agingOf(
  { number, proposal, decision, answers }: LedgerEntry,
  before: bigint,
  tried: string | undefined,
): Aging {
  return {
    number,
    workflow: proposal.workflow,
    isOld: proposal.at < before,
    outcome: decision.outcome,
    names: Object.keys(decision.values),
    ...answers === undefined ? {} : { answers },
    isTried: proposal.id === tried,
  };
}

/**
 * The numbers of the entries that have no bearing on anything any more, given all of them, oldest first.
 *
 * An entry, what it answers, and what answers it stay or go together. They stay while one of them is not old, is the last
 * change of a parameter, is among the last hundred of its workflow that were not refused, waits for an answer, or is the
 * experiment that is open. One that somebody ended before a run heard of it has no verdict, and goes.
 */
export function outdated(entries: readonly Aging[]): ReadonlySet<number> {
  // By the first entry of each thread of answers; an answer comes later than what it answers.
  const threads = new Map<number, number>();
  const answered = new Set<number>();
  for (const { number, answers } of entries) {
    const thread = answers === undefined ? number : threads.get(answers) ?? number;
    threads.set(number, thread);
    if (answers !== undefined) answered.add(answers);
  }
  const kept = new Set<number>();
  const changed = new Set<string>();
  const recent = new Map<string, number>();
  for (const { number, workflow, isOld, outcome, names, isTried } of entries.toReversed()) {
    const thread = threads.get(number)!;
    const lasts = outcome !== "applied" ? [] : names
      .map((name) => JSON.stringify([workflow, name]))
      .filter((name) => !changed.has(name));
    for (const name of lasts) changed.add(name);
    const later = recent.get(workflow) ?? 0;
    if (outcome !== "refused") recent.set(workflow, later + 1);
    const isRecent = outcome !== "refused" && later < MOST_RECENT;
    const isPending = (outcome === "held" || outcome === "waiting") && !answered.has(number);
    if (!isOld || lasts.length > 0 || isRecent || isPending || isTried) kept.add(thread);
  }
  return new Set(
    entries.map(({ number }) => number).filter((number) => !kept.has(threads.get(number)!)),
  );
}
