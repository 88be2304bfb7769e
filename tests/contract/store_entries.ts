import type { Decision, LedgerEntry, Proposal, Snapshot } from "../../engine/core/proposal.ts";
import type {
  EmittedSpan,
  EndEntry,
  JournalRecord,
  ReceivedSpan,
  StartEntry,
} from "../../engine/core/span.ts";
import type { Entry, Holder, RunHeader, Store } from "../../engine/core/store.ts";

/** The time at which the tests' runs are created: its nanoseconds need more than 53 bits. */
export const T0 = 1_790_000_000_000_000_001n;

/** The trace of the tests' runs. */
export const RUN_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

/** This process, as far as the tests' leases know. */
export const HERE: Holder = { host: "here", bootId: "b", pid: 1, startTime: "1" };

/** Another process. */
export const THERE: Holder = { host: "there", bootId: "b", pid: 2, startTime: "2" };

/** No process has died. */
export const nobody = (_: Holder) => false;

/** A run's creation, queued or running, with a lease that lapses a minute after its creation. */
export function newRun(
  runId: string,
  header: Partial<RunHeader> = {},
  status: "queued" | "running" = "running",
): Entry {
  const createdAt = header.createdAt ?? T0;
  return {
    type: "run",
    runId,
    text: `name: test # ${runId}`,
    status,
    holder: HERE,
    expiresAt: createdAt + 60_000_000_000n,
    header: {
      runId,
      workflow: "test",
      file: "/w/test.yaml",
      definition: `hash-${runId}`,
      modules: { "/w/a.ts": "0".repeat(64) },
      traceId: RUN_TRACE,
      spanId: "00f067aa0ba902b7",
      params: { batch: 20 },
      sources: {},
      priority: 5,
      ...header,
      createdAt,
    },
  };
}

/** An attempt's start. */
export function start(runId: string, key: string, more: Partial<StartEntry> = {}): StartEntry {
  return {
    type: "start",
    runId,
    role: "attempt",
    key,
    stepId: key,
    attempt: 1,
    span: {
      traceId: RUN_TRACE,
      spanId: "00f067aa0ba902b7",
      name: "step",
      kind: "internal",
      startTime: T0 + 7n,
      attributes: { "test.number": 1.5, "test.list": ["a", "b"] },
    },
    ...more,
  };
}

/** An attempt's end. */
export function end(runId: string, key: string, more: Partial<EndEntry> = {}): EndEntry {
  return {
    type: "end",
    runId,
    role: "attempt",
    key,
    stepId: key,
    spanId: "00f067aa0ba902b7",
    outcome: "succeeded",
    end: { endTime: T0 + 9n, error: false, attributes: {} },
    ...more,
  };
}

/** A span that another program sent; `number` makes its id. */
export function received(number: number, more: Partial<ReceivedSpan> = {}): ReceivedSpan {
  return {
    traceId: "a".repeat(32),
    spanId: (number + 1).toString(16).padStart(16, "0"),
    name: "GET /",
    kind: "server",
    startTime: T0,
    endTime: T0 + 5n,
    status: "unset",
    attributes: {},
    links: [],
    events: [],
    resource: { "service.name": "shop" },
    scope: { name: "" },
    ...more,
  };
}

/** A span that a plugin emitted; `number` makes its id. */
export function emitted(number: number, more: Partial<EmittedSpan> = {}): EmittedSpan {
  return {
    traceId: RUN_TRACE,
    spanId: `e${number.toString(16).padStart(15, "0")}`,
    parentSpanId: "00f067aa0ba902b7",
    name: "slow_step.slow",
    time: T0 + 9n,
    attributes: { "test.number": 1.5, "test.list": ["a", "b"] },
    links: [{ traceId: RUN_TRACE, spanId: "00f067aa0ba902b7" }],
    plugin: "slow_step",
    depth: 1,
    workflow: "test",
    runId: "a",
    stepId: "x",
    ...more,
  };
}

/** A run's new status. */
export function status(
  runId: string,
  to: "queued" | "running" | "succeeded" | "failed" | "cancelled",
  at = T0 + 11n,
): Entry {
  return { type: "status", runId, status: to, at };
}

/** The fences of runs that this process has created. */
export function first(...runIds: string[]): Map<string, number> {
  return new Map(runIds.map((runId) => [runId, 1]));
}

/** A run's whole journal. */
export async function journal(store: Store, runId: string): Promise<JournalRecord[]> {
  return await Array.fromAsync(store.read(runId));
}

/** Repeatable whole numbers below a bound: a linear congruential generator (constants of Numerical Recipes). */
export function seeded(seed: number): (bound: number) => number {
  let state = BigInt(seed);
  return (bound) => {
    state = (state * 1_664_525n + 1_013_904_223n) % 2n ** 32n;
    // The upper bits: the lower ones have short periods.
    return Math.floor(Number(state) / 2 ** 32 * bound);
  };
}

/** A proposal of a plugin with what became of it: applied as the version after the one that it was made against. */
export function change(
  id: string,
  version: number,
  more: Partial<Proposal> = {},
): [Omit<LedgerEntry, "number">, { expected: number; snapshot: Snapshot }] {
  const proposal: Proposal = {
    id,
    workflow: "test",
    author: { kind: "plugin", name: "slow_step" },
    changes: { batch: version },
    reason: "p95 is up",
    evidence: [{ traceId: RUN_TRACE, spanId: "00f067aa0ba902b7" }],
    version,
    at: T0,
    ...more,
  };
  const decision: Decision = {
    outcome: "applied",
    rule: "accepted",
    message: "nothing speaks against it",
    values: proposal.changes,
    clamped: [],
  };
  const { workflow, changes, at } = proposal;
  return [
    { proposal, decision, before: { batch: null }, version: version + 1 },
    {
      expected: version,
      snapshot: { workflow, version: version + 1, values: changes, frozen: [], at },
    },
  ];
}

/** The same refused: it makes no version. */
export function refusal(
  id: string,
  version: number,
  more: Partial<Proposal> = {},
): [Omit<LedgerEntry, "number">, { expected: number }] {
  const [{ proposal, before }] = change(id, version, more);
  const decision: Decision = {
    outcome: "refused",
    rule: "cooldown",
    message: "too early",
    values: {},
    clamped: [],
  };
  return [{ proposal, decision, before }, { expected: version }];
}
