import type { JsonObject } from "./json.ts";
import type { ValueSource } from "./parameter.ts";
import type { Arm, Decision, LedgerEntry, Snapshot } from "./proposal.ts";
import type {
  EmittedRecord,
  EmittedSpan,
  EndEntry,
  JournalRecord,
  ReceivedRecord,
  ReceivedSpan,
  SpanReference,
  StartEntry,
  Status,
  StoreRecord,
} from "./span.ts";

/** A process that can hold leases. Two of these name the same process only if all four fields agree. */
export interface Holder {
  /** The machine's name. */
  readonly host: string;
  /** Linux's boot id; empty elsewhere. */
  readonly bootId: string;
  /** The process id. */
  readonly pid: number;
  /** The process's start time in clock ticks since boot, so that a reused pid is told apart. */
  readonly startTime: string;
}

/** A lease that this process holds. */
export interface Lease {
  /** What it covers: `run:RUN_ID`, `schedules`, and so on. */
  readonly name: string;
  /** Grows with each holder; every commit is checked against it (R7). */
  readonly fence: number;
}

/** A lease as the store has it. */
export interface LeaseState extends Lease {
  /** Who holds it; absent once released. */
  readonly holder?: Holder;
  /** When it lapses, nanoseconds since the epoch. */
  readonly expiresAt: bigint;
}

/** What a run is, as it was when it was created; never changed. */
export interface RunHeader {
  /** UUIDv7 (R2). */
  readonly runId: string;
  /** The workflow's name. */
  readonly workflow: string;
  /** Its file, absolute. */
  readonly file: string;
  /** SHA-256 of its text in hex; the text is in the store (R4). */
  readonly definition: string;
  /** SHA-256 in hex of each module and sub-workflow file that it names, by absolute path (R4). */
  readonly modules: Readonly<Record<string, string>>;
  /** The trace, perhaps shared with the caller. */
  readonly traceId: string;
  /** The run's span. */
  readonly spanId: string;
  /** The caller's span, from TRACEPARENT or of the calling attempt. */
  readonly parentSpanId?: string;
  /** The caller's W3C trace flags. */
  readonly traceFlags?: number;
  /** The caller's tracestate. */
  readonly traceState?: string;
  /** The run's baggage header: the caller's with what the workflow sets. */
  readonly baggage?: string;
  /** Its business context: what every span of the run says of the baggage, by name. */
  readonly context?: Readonly<Record<string, string>>;
  /** How many reactions of plugins led to it, from the baggage; absent: none (H2). */
  readonly reactionDepth?: number;
  /** Parameter values; a secret is `{ "secret": "<its source>" }` (J6). */
  readonly params: JsonObject;
  /** Where each value came from. */
  readonly sources: Readonly<Record<string, ValueSource>>;
  /** The version of the workflow's snapshot that it started with (P3); absent: 0. */
  readonly snapshot?: number;
  /** Its part in the experiment that was open as it began, of which `params` has the arm's values. */
  readonly trial?: Trial;
  /** Whether a person ordered it for the sake of tuning: what answers its spans is bound as `improve` is (A4). */
  readonly ordered?: true;
  /** 0 to 9 (A1); a run that is queued may have another one by now, see `claim`. */
  readonly priority: number;
  /** The concurrency group. */
  readonly group?: string;
  /** The calling run and attempt key, for a sub-workflow (S6). */
  readonly parent?: { readonly runId: string; readonly key: string; readonly depth: number };
  /** The run whose outcomes it reuses, its span, and the keys of the steps it takes over (R5). */
  readonly rerun?: {
    readonly runId: string;
    readonly span?: SpanReference;
    readonly reuse: readonly string[];
  };
  /** The trigger's event, unique in the store: `workflow/trigger/tick` (R9). */
  readonly trigger?: string;
  /** The span that started it, in whichever trace; its own parent is another matter. */
  readonly triggeredBy?: SpanReference;
  /** When it was created, nanoseconds since the epoch. */
  readonly createdAt: bigint;
}

/** A run's part in an experiment. */
export interface Trial {
  /** The experiment. */
  readonly experiment: string;
  /** How many runs had a part in it before. */
  readonly index: number;
  /**
   * Whose values rule the whole run; absent for a run whose for_each step is cut into slices, each under one arm (A6).
   */
  readonly arm?: Arm;
  /** Of a run with an arm: which block of runs it is in, from 0. One run of each block is the candidate's. */
  readonly pair?: number;
}

/** A run as lists show it. */
export interface RunSummary extends RunHeader {
  /** `queued` and `running` are unfinished. */
  readonly status: Status;
  /** When it left the queue. */
  readonly startedAt?: bigint;
  /** When it ended. */
  readonly endedAt?: bigint;
  /** Its lease, while it is unfinished. */
  readonly lease?: LeaseState;
}

/** One thing to commit. Entries commit in order, all or none of a run's entries in one call. */
export type Entry =
  /** A new run with its lease (fence 1); refused when its trigger key is there already (R9). */
  | {
    readonly type: "run";
    readonly runId: string;
    readonly header: RunHeader;
    readonly text: string;
    readonly status: "queued" | "running";
    readonly holder: Holder;
    /** When the lease lapses, nanoseconds since the epoch. */
    readonly expiresAt: bigint;
  }
  | StartEntry
  | EndEntry
  /** The run's status changed; a final one releases the lease. */
  | {
    readonly type: "status";
    readonly runId: string;
    readonly status: Status;
    readonly at: bigint;
  };

/** What a commit did. */
export interface Commit {
  /** Committed starts and ends with their positions, in order. */
  readonly records: readonly JournalRecord[];
  /** Runs of which nothing was written, because another process holds them now (R7). */
  readonly lost: readonly string[];
  /** New runs that were refused because their trigger's event has one already (R9). */
  readonly duplicates: readonly string[];
}

/** What became of received spans. */
export interface Receipt {
  /** Those that were stored, in the order in which they were given. */
  readonly records: readonly ReceivedRecord[];
  /** How many were dropped because they are a run's own: in its journal already (T2). */
  readonly own: number;
  /** How many were dropped because they had been received before, or are what a plugin emitted, come back. */
  readonly repeated: number;
}

/** What plugins have made of what they heard: it commits together, with how far they have heard (T3). */
export interface Reaction {
  /** Spans that they emitted; one that is there already, with the same ids and time, is left as it is. */
  readonly spans: readonly EmittedSpan[];
  /** Items to set, and with null to delete: cursors, state and what is known of the plugins. */
  readonly items: Readonly<Record<string, string | null>>;
  /** When, nanoseconds since the epoch; for `prune`. */
  readonly at: bigint;
}

/** Which emitted spans to list. */
export interface EmittedQuery {
  /** Of this plugin. */
  readonly plugin?: string;
  /** With this name. */
  readonly name?: string;
  /** Of this workflow. */
  readonly workflow?: string;
  /** After a position. */
  readonly after?: number;
  /** At most so many, newest first; 100 when absent. */
  readonly limit?: number;
}

/** Which ledger entries to list. */
export interface LedgerQuery {
  /** Of one workflow. */
  readonly workflow?: string;
  /** That name this parameter. */
  readonly parameter?: string;
  /** With this number. */
  readonly number?: number;
  /** Of the proposal with this id. */
  readonly proposal?: string;
  /** With this outcome. */
  readonly outcome?: Decision["outcome"];
  /** Proposed at or after, nanoseconds since the epoch. */
  readonly since?: bigint;
  /** At most so many; 100 when absent. */
  readonly limit?: number;
}

/** What was deleted. */
export interface Pruned {
  /** Runs. */
  readonly runs: number;
  /** Received and emitted spans. */
  readonly receivedSpans: number;
  /** Entries of the ledger. */
  readonly changes: number;
}

/** What to list. */
export interface RunQuery {
  /** Of one workflow. */
  readonly workflow?: string;
  /** With one of these statuses. */
  readonly statuses?: readonly Status[];
  /** Of one concurrency group. */
  readonly group?: string;
  /** Whose id starts so. */
  readonly prefix?: string;
  /** Created before, nanoseconds since the epoch. */
  readonly before?: bigint;
  /** At most so many, newest first; 100 when absent. */
  readonly limit?: number;
}

/**
 * The store: the journal of all runs, their leases, and what processes tell one another.
 *
 * Invariants that every driver keeps, and that tests/contract holds them to:
 * - J1: when `commit` resolves, its entries survive a crash of the process (`durability: normal`: of the
 *   process, not of the machine).
 * - J4: positions grow; `read` and `since` give records in the order of their commit.
 * - T2: what `receive` stores never enters a run's journal, whatever ids it has.
 * - T3: what `react` writes twice is there once.
 * - P2: a proposal, its decision and the snapshot that it makes commit together or not at all; one id, one entry.
 * - R7: entries of a run are written only under the fence that this process acquired.
 *
 * Errors: StoreError with code `store.full`, `store.read_only`, `store.corrupt`, `store.newer`,
 * `store.busy`, `store.missing` (opened without making it), `store.unavailable` or `store.invalid` (a value
 * that it cannot hold); a failed call has changed nothing.
 */
export interface Store {
  /** `sqlite:/absolute/path.db` or `memory:`. */
  readonly location: string;
  /** The absolute paths of the files and folders that it keeps its data in; none for a store in memory. */
  readonly files: readonly string[];

  /** Writes entries in one transaction. `fences` gives, by run id, the fence this process holds. */
  commit(entries: readonly Entry[], fences: ReadonlyMap<string, number>): Promise<Commit>;

  /** The run, or undefined. */
  run(runId: string): Promise<RunSummary | undefined>;
  /** Runs, newest first. */
  runs(query: RunQuery): Promise<readonly RunSummary[]>;
  /** The workflow text of that SHA-256, or undefined. */
  definition(hash: string): Promise<string | undefined>;
  /** A run's journal in order. Spilled outputs are read back and checked against their sum. */
  read(runId: string): AsyncIterable<JournalRecord>;
  /** Records of all runs, received and emitted spans, after a position, in order, at most `limit`. */
  since(position: number, limit: number): Promise<readonly StoreRecord[]>;
  /** The last position that was given, or 0. */
  last(): Promise<number>;

  /**
   * Stores spans that other programs sent, in one transaction and in the journal's order. `at` is when they
   * came, nanoseconds since the epoch. A span that is a run's own, or that was received before (with the
   * same ids and start), is dropped.
   */
  receive(spans: readonly ReceivedSpan[], at: bigint): Promise<Receipt>;

  /**
   * Writes a reaction in one transaction, if `lease` is still this process's (R7); gives the spans that were not
   * there before, with their positions in the journal's order. Undefined: another process has the lease, and nothing
   * was written.
   */
  react(lease: Lease, reaction: Reaction): Promise<readonly EmittedRecord[] | undefined>;
  /** Spans that plugins emitted, newest first by their position. What was received is passed over unread. */
  emitted(query: EmittedQuery): Promise<readonly EmittedRecord[]>;
  /**
   * Which of these spans are in the store, whoever's they are: runs' own, received, emitted. Runs' own are found at
   * once, others newest first: one that is not there costs a look at all that was received.
   */
  known(spans: readonly SpanReference[]): Promise<readonly SpanReference[]>;

  /**
   * Takes a lease that is free, lapsed at `now`, or whose holder `isDead` says is gone; its fence grows.
   * Otherwise tells who has it.
   */
  acquire(name: string, request: {
    readonly holder: Holder;
    readonly now: bigint;
    readonly expiresAt: bigint;
    readonly isDead: (holder: Holder) => boolean;
  }): Promise<{ readonly acquired: Lease } | { readonly held: LeaseState }>;
  /** Extends leases that are still this process's; gives the names of those that are not. */
  renew(leases: readonly Lease[], expiresAt: bigint): Promise<readonly string[]>;
  /** Gives leases back; those of others stay. */
  release(leases: readonly Lease[]): Promise<void>;

  /**
   * Moves a queued run to running, if it is first in its group's queue and nothing else of the group runs:
   * urgency is the priority plus one level for every `agingNs` waited, then first in first out (A1). `priority` is the
   * run's from now on, whether it is first or not; that of its header when it was never given.
   * Queued runs whose lease was released, has lapsed, or whose holder `isDead` says is gone are passed over.
   */
  claim(runId: string, request: {
    readonly now: bigint;
    readonly agingNs: bigint;
    readonly priority?: number;
    readonly isDead?: (holder: Holder) => boolean;
  }): Promise<boolean>;

  /** Leaves a signal for a run (`cancel`, later `approve`); false if the run has ended or is not there. */
  signal(runId: string, name: string, payload: JsonObject, at: bigint): Promise<boolean>;
  /** Signals for these runs after a number, in order. */
  signals(runIds: readonly string[], after: number): Promise<readonly Signal[]>;
  /** A number that changes when any process has committed to the store; cheap to poll. */
  version(): Promise<number>;

  /** Ties a workflow's name to its file; gives the file that has it if another one does (R1). */
  register(workflow: string, file: string): Promise<string | undefined>;
  /** Points a name at a new file, for one that was moved. */
  reregister(workflow: string, file: string): Promise<void>;

  /** A workflow's tuned values; version 0 without values when nothing has been changed. */
  snapshot(workflow: string): Promise<Snapshot>;
  /** Those of one version, which stay as they were (P3); undefined when there is no such version yet, or any more. */
  snapshot(workflow: string, version: number): Promise<Snapshot | undefined>;
  /**
   * Writes a proposal with its decision and, when it makes one, the next snapshot, in one transaction (P2), given
   * that the snapshot still has the version `expected`; otherwise gives the snapshot that is there now and writes
   * nothing. A proposal of that id that is there already is given back as it is, whatever else is asked.
   * `store.invalid`: the snapshot is not the next version of the proposal's workflow, the entry says another
   * version, or the proposal's time is none (0 to 2^64 - 1).
   */
  decide(
    entry: Omit<LedgerEntry, "number">,
    change: { readonly expected: number; readonly snapshot?: Snapshot },
  ): Promise<
    | { readonly entry: LedgerEntry; readonly repeated: boolean }
    | { readonly stale: Snapshot }
  >;
  /** Ledger entries, newest first. */
  ledger(query: LedgerQuery): Promise<readonly LedgerEntry[]>;

  /** A value that this project keeps by key, such as a schedule's last tick. */
  getItem(key: string): Promise<string | undefined>;
  /** Sets it, under a lease if one is given (then LeaseLost is false). */
  setItem(key: string, value: string, lease?: Lease): Promise<boolean>;
  /** The items whose key begins so, by key, in the order of the keys. */
  items(prefix: string): Promise<ReadonlyMap<string, string>>;

  /**
   * Deletes ended runs created before a time, with their journal and spilled files, and spans received or emitted
   * before it; how many. Never unfinished ones, nor what those need to resume: their sub-workflows (S6) and the runs they
   * reuse (R5).
   *
   * Ledger entries that were proposed before it go with them, together with what answers them: never the last change of
   * a parameter, the last hundred of a workflow that were not refused, what waits for an answer, and the experiment that
   * is open. A snapshot stays as long as its entry, and as long as a run that began with it (P3).
   */
  prune(before: bigint): Promise<Pruned>;
  /** Closes the store. */
  close(): Promise<void>;
}

/** A message to a run. */
export interface Signal {
  /** Grows. */
  readonly number: number;
  /** The run. */
  readonly runId: string;
  /** Such as `cancel`. */
  readonly name: string;
  /** What came with it. */
  readonly payload: JsonObject;
}
