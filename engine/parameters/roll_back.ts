import type { Json } from "../core/json.ts";
import type { LedgerEntry, Snapshot } from "../core/proposal.ts";
import type { SpanReference } from "../core/span.ts";
import type { Store } from "../core/store.ts";
import type { TuneContract } from "../core/workflow.ts";
import { answerId, type Contract, type Entered, type Entries, tunedValue } from "./entries.ts";
import { incumbentOf } from "./policy.ts";
import { fit } from "./reconcile.ts";
import { show } from "./values.ts";
import { valueText } from "./verdict_sentence.ts";

/** The values that rule have come to break a guard. */
export interface Breach {
  /** The guard. */
  readonly guard: TuneContract["guards"][number];
  /** What its metric has been since it began. */
  readonly value: number;
  /** So many are since then: of an error rate items, else runs. */
  readonly last: number;
  /** The tunable parameters' values that ruled these. */
  readonly values: Readonly<Record<string, Json>>;
  /** The spans that argue for it. */
  readonly evidence: readonly SpanReference[];
  /** When, nanoseconds since the epoch; of the event that it answers (T4). */
  readonly at: bigint;
}

// Of more changes than this nobody goes back to the first.
const MOST_KEPT = 200;

/**
 * Takes back the last change that an experiment had kept, as the world in which it proved better is gone: its parameters
 * get the values from before it, cut to the bounds of now. Undefined where there is nothing to take back: other values
 * rule by now, they are the file's own or somebody else's, or a person has frozen them. A change is taken back once
 * (P2); what breaks the guard still takes back the one before it. Throws StoreError.
 */
export async function rollBack(
  entries: Entries,
  store: Pick<Store, "ledger">,
  workflow: Contract,
  breach: Breach,
): Promise<Entered | undefined> {
  return await entries.enter(workflow, async (snapshot) => {
    if (!rules(workflow, snapshot, breach.values)) return undefined;
    const kept = await lastKept(store, workflow, snapshot);
    if (kept === undefined) return undefined;
    const values = before(workflow, kept);
    const { evidence, at } = breach;
    const found = foundText(breach);
    const changes = Object.entries(values).map(([name, to]) => {
      const parameter = workflow.params.get(name);
      const value = to ?? parameter?.default ?? null;
      return `${name} ${show(kept.decision.values[name])} \u2192 ${show(value)}`;
    });
    return {
      proposal: {
        id: answerId(kept.number),
        workflow: workflow.name,
        author: { kind: "engine" },
        changes: values,
        reason: `${found}; the guard is ${limitText(breach.guard)}`,
        evidence,
        version: snapshot.version,
        at,
      },
      decision: {
        outcome: "applied",
        rule: "guard",
        message: `${changes.join(", ")}: ${found}, which breaks the guard; change ${kept.number} ` +
          "is taken back",
        values,
        clamped: [],
      },
      answers: kept.number,
      change: { values },
    };
  });
}

// Whether what was measured is of the values that rule.
function rules(workflow: Contract, snapshot: Snapshot, values: Breach["values"]): boolean {
  return Object.entries(values).every(([name, value]) => {
    const parameter = workflow.params.get(name);
    return parameter !== undefined && incumbentOf(parameter, snapshot) === value;
  });
}

async function lastKept(
  store: Pick<Store, "ledger">,
  { name: workflow }: Contract,
  snapshot: Snapshot,
): Promise<LedgerEntry | undefined> {
  const applied = await store.ledger({ workflow, outcome: "applied", limit: MOST_KEPT });
  for (const entry of applied) {
    const { decision: { rule, values }, number } = entry;
    const names = Object.keys(values);
    if (rule !== "verdict" || names.some((name) => tunedValue(snapshot, name) !== values[name])) {
      continue;
    }
    if (names.some((name) => snapshot.frozen.includes(name))) return undefined;
    const answered = await store.ledger({ proposal: answerId(number), limit: 1 });
    if (answered.length === 0) return entry;
  }
}

// The values before it; null: the file's default, also for what the file does not allow any more.
function before(workflow: Contract, { before, decision }: LedgerEntry): Record<string, Json> {
  return Object.fromEntries(
    Object.keys(decision.values).map((name) => {
      const parameter = workflow.params.get(name);
      const value = before[name] ?? null;
      return [
        name,
        value === null || parameter === undefined ? null : fit(parameter, value) ?? null,
      ];
    }),
  );
}

function foundText({ guard: { metric, of }, value, last }: Breach): string {
  const text = valueText(metric, value);
  return metric === "error_rate"
    ? `errors ${text} of the last ${last} items of ${of}`
    : `${metric} ${text}, the median of the last ${last} runs of ${of}`;
}

function limitText({ metric, below, above }: Breach["guard"]): string {
  return [
    ...below === undefined ? [] : [`below ${valueText(metric, below)}`],
    ...above === undefined ? [] : [`above ${valueText(metric, above)}`],
  ].join(" and ");
}
