// Methods are async without await because the port is.
// deno-lint-ignore-file require-await
import { StoreError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { LedgerEntry, Snapshot } from "../core/proposal.ts";
import type {
  EmittedRecord,
  EndEntry,
  JournalRecord,
  ReceivedRecord,
  ReceivedSpan,
  SpanReference,
  StartEntry,
  Status,
  StoreRecord,
} from "../core/span.ts";
import type {
  Commit,
  EmittedQuery,
  Entry,
  Holder,
  Lease,
  LeaseState,
  LedgerQuery,
  Pruned,
  Reaction,
  Receipt,
  RunHeader,
  RunQuery,
  RunSummary,
  Signal,
  Store,
} from "../core/store.ts";
import { copy } from "./_copy.ts";
import { MemoryLedger } from "./_memory_ledger.ts";
import { checkRunId } from "./_run_id.ts";

/** Makes an empty store that ends with the process. */
export function openMemory(): Store {
  return new MemoryStore();
}

interface Run {
  readonly header: RunHeader;
  /** That of its header, until a claim says another one. */
  priority: number;
  status: Status;
  startedAt?: bigint;
  endedAt?: bigint;
  /** The last fence it was written under, once its lease is gone. */
  fence: number;
}

interface HeldLease {
  fence: number;
  holder: Holder | undefined;
  expiresAt: bigint;
}

/**
 * The reference store: plain maps and lists, written to be obviously right and sharing nothing with the
 * SQLite driver, which tests/contract compares with it.
 *
 * J1 holds as far as memory can. J4: positions come from a counter. R7: the fence is checked in `commit`,
 * which does not give way. P2, T3: `decide` and `react` do not give
 * way either.
 */
class MemoryStore implements Store {
  readonly location = "memory:";
  readonly files: readonly string[] = [];
  readonly #runs = new Map<string, Run>();
  readonly #leases = new Map<string, HeldLease>();
  readonly #definitions = new Map<string, string>();
  readonly #workflows = new Map<string, string>();
  readonly #items = new Map<string, string>();
  readonly #ledger = new MemoryLedger();
  #journal: JournalRecord[] = [];
  #others: ((ReceivedRecord | EmittedRecord) & { readonly at: bigint })[] = [];
  #signals: Signal[] = [];
  #position = 0;
  #signalNumber = 0;
  #version = 0;
  #closed = false;

  async commit(entries: readonly Entry[], fences: ReadonlyMap<string, number>): Promise<Commit> {
    this.#check();
    const stored = copy(entries);
    for (const entry of stored) if (entry.type === "run") checkRunId(entry.runId);
    const fates = new Map<string, "ours" | "lost" | "duplicate">();
    for (const entry of stored) {
      if (fates.has(entry.runId)) continue;
      fates.set(entry.runId, this.#fateOf(entry, fences));
    }
    const records: JournalRecord[] = [];
    for (const entry of stored) {
      if (fates.get(entry.runId) !== "ours" || entry.type === "run") continue;
      if (entry.type === "status") this.#setStatus(entry);
      else records.push(this.#append(entry));
    }
    this.#version++;
    const withFate = (fate: string) => [...fates].filter((of) => of[1] === fate).map(([id]) => id);
    return { records: copy(records), lost: withFate("lost"), duplicates: withFate("duplicate") };
  }

  #fateOf(entry: Entry, fences: ReadonlyMap<string, number>): "ours" | "lost" | "duplicate" {
    const { runId } = entry;
    if (entry.type === "run") {
      const { trigger } = entry.header;
      if (trigger !== undefined) {
        for (const run of this.#runs.values()) {
          if (run.header.trigger === trigger) return "duplicate";
        }
      }
      if (this.#runs.has(runId) || this.#leases.has(`run:${runId}`)) return "lost";
      this.#create(entry);
      return "ours";
    }
    const fence = fences.get(runId);
    if (fence === undefined || !this.#runs.has(runId)) return "lost";
    return this.#isCurrent({ name: `run:${runId}`, fence }) ? "ours" : "lost";
  }

  #create(entry: Entry & { type: "run" }): void {
    const { header, status } = entry;
    this.#runs.set(entry.runId, {
      header,
      priority: header.priority,
      status,
      startedAt: status === "running" ? header.createdAt : undefined,
      fence: 0,
    });
    this.#leases.set(`run:${entry.runId}`, {
      fence: 1,
      holder: entry.holder,
      expiresAt: entry.expiresAt,
    });
    if (!this.#definitions.has(header.definition)) {
      this.#definitions.set(header.definition, entry.text);
    }
  }

  #setStatus(entry: Entry & { type: "status" }): void {
    const run = this.#runs.get(entry.runId)!;
    run.status = entry.status;
    if (isFinal(entry.status)) {
      run.endedAt = entry.at;
      run.fence = this.#leases.get(`run:${entry.runId}`)?.fence ?? run.fence;
      this.#leases.delete(`run:${entry.runId}`);
    } else {
      run.endedAt = undefined;
      if (entry.status === "running") run.startedAt ??= entry.at;
    }
  }

  #append(entry: StartEntry | EndEntry): JournalRecord {
    const record = { ...entry, position: ++this.#position };
    this.#journal.push(record);
    return record;
  }

  async run(runId: string): Promise<RunSummary | undefined> {
    this.#check();
    const run = this.#runs.get(runId);
    return run === undefined ? undefined : this.#summary(run);
  }

  async runs(query: RunQuery): Promise<readonly RunSummary[]> {
    this.#check();
    return [...this.#runs.values()]
      .filter(({ header, status }) =>
        (query.workflow === undefined || header.workflow === query.workflow) &&
        (query.group === undefined || header.group === query.group) &&
        (query.prefix === undefined || header.runId.startsWith(query.prefix)) &&
        (query.before === undefined || header.createdAt < query.before) &&
        (query.statuses === undefined || query.statuses.includes(status))
      )
      .map((run) => this.#summary(run))
      .sort((a, b) => compare(b.createdAt, a.createdAt) || compare(b.runId, a.runId))
      .slice(0, Math.max(0, query.limit ?? 100));
  }

  #summary(run: Run): RunSummary {
    const { header, status, startedAt, endedAt } = run;
    const lease = this.#leases.get(`run:${header.runId}`);
    return copy({
      ...header,
      status,
      startedAt,
      endedAt,
      lease: lease === undefined || isFinal(status)
        ? undefined
        : { name: `run:${header.runId}`, ...lease },
    });
  }

  async definition(hash: string): Promise<string | undefined> {
    this.#check();
    return this.#definitions.get(hash);
  }

  async *read(runId: string): AsyncIterable<JournalRecord> {
    this.#check();
    for (const record of this.#journal.filter((one) => one.runId === runId)) yield copy(record);
  }

  async since(position: number, limit: number): Promise<readonly StoreRecord[]> {
    this.#check();
    const later = [...this.#journal, ...this.#others]
      .filter((one) => one.position > position)
      .sort((a, b) => a.position - b.position);
    return later.slice(0, Math.max(0, limit)).map((one) => {
      if (one.type === "received") return receivedRecord(one);
      return one.type === "emitted" ? emittedRecord(one) : copy(one);
    });
  }

  async last(): Promise<number> {
    this.#check();
    return this.#position;
  }

  async receive(spans: readonly ReceivedSpan[], at: bigint): Promise<Receipt> {
    this.#check();
    let own = 0;
    let repeated = 0;
    const records: ReceivedRecord[] = [];
    for (const span of spans) {
      if (this.#isOwn(span)) own++;
      else if (this.#isThere(span, span.startTime)) repeated++;
      else {
        const record = { ...receivedRecord({ span, position: ++this.#position }), at };
        this.#others.push(record);
        records.push(receivedRecord(record));
      }
    }
    if (spans.length > 0) this.#version++;
    return { records, own, repeated };
  }

  #isThere(span: SpanReference, start: bigint): boolean {
    return this.#others.some((one) => isSame(one.span, span) && startOf(one) === start);
  }

  #isOwn(span: SpanReference): boolean {
    return this.#journal.some((one) =>
      one.type === "start" && one.span.spanId === span.spanId &&
      this.#runs.get(one.runId)?.header.traceId === span.traceId
    );
  }

  async react(
    lease: Lease,
    { spans, items, at }: Reaction,
  ): Promise<readonly EmittedRecord[] | undefined> {
    this.#check();
    if (!this.#isCurrent(lease)) return undefined;
    for (const [key, value] of Object.entries(items)) {
      if (value === null) this.#items.delete(key);
      else this.#items.set(key, value);
    }
    const records: EmittedRecord[] = [];
    for (const span of spans) {
      if (this.#isThere(span, span.time)) continue;
      const record = { ...emittedRecord({ span, position: ++this.#position }), at };
      this.#others.push(record);
      records.push(emittedRecord(record));
    }
    this.#version++;
    return records;
  }

  async emitted(
    { plugin, name, workflow, after = 0, limit = 100 }: EmittedQuery,
  ): Promise<readonly EmittedRecord[]> {
    this.#check();
    const found: EmittedRecord[] = [];
    for (const one of this.#others) {
      if (one.type !== "emitted" || one.position <= after) continue;
      const { span } = one;
      if (plugin !== undefined && span.plugin !== plugin) continue;
      if (name !== undefined && span.name !== name) continue;
      if (workflow === undefined || span.workflow === workflow) found.push(emittedRecord(one));
    }
    return found.reverse().slice(0, Math.max(0, limit));
  }

  async known(spans: readonly SpanReference[]): Promise<readonly SpanReference[]> {
    this.#check();
    return spans.filter((span) =>
      this.#isOwn(span) || this.#others.some((one) => isSame(one.span, span))
    );
  }

  async acquire(
    name: string,
    request: Parameters<Store["acquire"]>[1],
  ): Promise<{ acquired: Lease } | { held: LeaseState }> {
    this.#check();
    const lease = this.#leases.get(name);
    if (
      lease?.holder !== undefined && lease.expiresAt > request.now && !request.isDead(lease.holder)
    ) {
      return { held: copy({ name, ...lease, holder: lease.holder }) };
    }
    const run = name.startsWith("run:") ? this.#runs.get(name.slice(4)) : undefined;
    const fence = (lease?.fence ?? run?.fence ?? 0) + 1;
    const { holder, expiresAt } = request;
    this.#leases.set(name, { fence, holder: copy(holder), expiresAt });
    this.#version++;
    return { acquired: { name, fence } };
  }

  async renew(leases: readonly Lease[], expiresAt: bigint): Promise<readonly string[]> {
    this.#check();
    const lost: string[] = [];
    for (const lease of leases) {
      if (this.#isCurrent(lease)) this.#leases.get(lease.name)!.expiresAt = expiresAt;
      else lost.push(lease.name);
    }
    this.#version++;
    return lost;
  }

  async release(leases: readonly Lease[]): Promise<void> {
    this.#check();
    for (const lease of leases) {
      if (this.#isCurrent(lease)) this.#leases.get(lease.name)!.holder = undefined;
    }
    this.#version++;
  }

  #isCurrent(lease: Lease): boolean {
    const state = this.#leases.get(lease.name);
    return state !== undefined && state.holder !== undefined && state.fence === lease.fence;
  }

  async claim(runId: string, request: Parameters<Store["claim"]>[1]): Promise<boolean> {
    this.#check();
    const run = this.#runs.get(runId);
    if (run === undefined || run.status !== "queued") return false;
    if (request.priority !== undefined && request.priority !== run.priority) {
      run.priority = request.priority;
      this.#version++;
    }
    const { group } = run.header;
    if (group !== undefined) {
      const others = [...this.#runs.values()].filter((one) =>
        one !== run && one.header.group === group
      );
      if (others.some((one) => one.status === "running")) return false;
      const ahead = others.filter((one) =>
        one.status === "queued" && this.#isAlive(one, request) &&
        isBefore(one, run, request)
      );
      if (ahead.length > 0) return false;
    }
    run.status = "running";
    run.startedAt ??= request.now;
    this.#version++;
    return true;
  }

  #isAlive(run: Run, request: Parameters<Store["claim"]>[1]): boolean {
    const lease = this.#leases.get(`run:${run.header.runId}`);
    return lease?.holder !== undefined && lease.expiresAt > request.now &&
      !(request.isDead?.(lease.holder) ?? false);
  }

  async signal(runId: string, name: string, payload: JsonObject, _at: bigint): Promise<boolean> {
    this.#check();
    const run = this.#runs.get(runId);
    if (run === undefined || isFinal(run.status)) return false;
    this.#signals.push({ number: ++this.#signalNumber, runId, name, payload: copy(payload) });
    this.#version++;
    return true;
  }

  async signals(runIds: readonly string[], after: number): Promise<readonly Signal[]> {
    this.#check();
    return copy(
      this.#signals.filter(({ number, runId }) => number > after && runIds.includes(runId)),
    );
  }

  async version(): Promise<number> {
    this.#check();
    return this.#version;
  }

  async register(workflow: string, file: string): Promise<string | undefined> {
    this.#check();
    const known = this.#workflows.get(workflow);
    if (known === undefined) this.#workflows.set(workflow, file);
    this.#version++;
    return known === file ? undefined : known;
  }

  async reregister(workflow: string, file: string): Promise<void> {
    this.#check();
    this.#workflows.set(workflow, file);
    this.#version++;
  }

  snapshot(workflow: string): Promise<Snapshot>;
  snapshot(workflow: string, version: number): Promise<Snapshot | undefined>;
  async snapshot(workflow: string, version?: number): Promise<Snapshot | undefined> {
    this.#check();
    return this.#ledger.snapshot(workflow, version);
  }

  async decide(...[entry, change]: Parameters<Store["decide"]>): ReturnType<Store["decide"]> {
    this.#check();
    const result = this.#ledger.decide(entry, change);
    this.#version++;
    return result;
  }

  async ledger(query: LedgerQuery): Promise<readonly LedgerEntry[]> {
    this.#check();
    return this.#ledger.list(query);
  }

  async getItem(key: string): Promise<string | undefined> {
    this.#check();
    return this.#items.get(key);
  }

  async setItem(key: string, value: string, lease?: Lease): Promise<boolean> {
    this.#check();
    if (lease !== undefined && !this.#isCurrent(lease)) return false;
    this.#items.set(key, value);
    this.#version++;
    return true;
  }

  async items(prefix: string): Promise<ReadonlyMap<string, string>> {
    this.#check();
    const all = [...this.#items].filter(([key]) => key.startsWith(prefix));
    return new Map(all.sort(([a], [b]) => compare(a, b)));
  }

  async prune(before: bigint): Promise<Pruned> {
    this.#check();
    const needed = new Set<string>();
    for (const run of this.#runs.values()) {
      if (isFinal(run.status)) continue;
      for (let one: Run | undefined = run; one !== undefined;) {
        const source: string | undefined = one.header.rerun?.runId;
        if (source === undefined || needed.has(source)) break;
        needed.add(source);
        one = this.#runs.get(source);
      }
    }
    const unfinished = new Set(
      [...this.#runs].filter(([, run]) => !isFinal(run.status)).map(([id]) => id),
    );
    const pruned = [...this.#runs].filter(([id, { header, status }]) =>
      isFinal(status) && header.createdAt < before && !needed.has(id) &&
      !(header.parent !== undefined && unfinished.has(header.parent.runId))
    ).map(([id]) => id);
    for (const id of pruned) {
      this.#runs.delete(id);
      this.#leases.delete(`run:${id}`);
    }
    this.#journal = this.#journal.filter(({ runId }) => this.#runs.has(runId));
    const othersBefore = this.#others.length;
    this.#others = this.#others.filter(({ at }) => at >= before);
    this.#signals = this.#signals.filter(({ runId }) => this.#runs.has(runId));
    const used = new Set([...this.#runs.values()].map(({ header }) => header.definition));
    for (const hash of [...this.#definitions.keys()]) {
      if (!used.has(hash)) this.#definitions.delete(hash);
    }
    const pinned = [...this.#runs.values()].map(({ header }) => header);
    const changes = this.#ledger.prune(
      before,
      (workflow, version) =>
        pinned.some((header) => header.workflow === workflow && header.snapshot === version),
    );
    this.#version++;
    return {
      runs: pruned.length,
      receivedSpans: othersBefore - this.#others.length,
      changes,
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #check(): void {
    if (!this.#closed) return;
    throw new StoreError(
      "store.unavailable",
      "Cannot use the store memory:: it was closed; open it again",
    );
  }
}

function receivedRecord(
  { span, position }: Pick<ReceivedRecord, "span" | "position">,
): ReceivedRecord {
  // Not `copy`: received values are more than JSON.
  return { type: "received", position, span: structuredClone(span) };
}

function emittedRecord(
  { span, position }: Pick<EmittedRecord, "span" | "position">,
): EmittedRecord {
  return { type: "emitted", position, span: copy(span) };
}

function isSame(one: SpanReference, other: SpanReference): boolean {
  return one.traceId === other.traceId && one.spanId === other.spanId;
}

function startOf(record: ReceivedRecord | EmittedRecord): bigint {
  return record.type === "received" ? record.span.startTime : record.span.time;
}

function isFinal(status: Status): boolean {
  return status !== "queued" && status !== "running";
}

function isBefore(
  one: Run,
  other: Run,
  { now, agingNs }: { now: bigint; agingNs: bigint },
): boolean {
  const urgency = ({ priority, header: { createdAt } }: Run) =>
    BigInt(priority) + (now > createdAt ? (now - createdAt) / agingNs : 0n);
  const more = compare(urgency(other), urgency(one)) ||
    compare(one.header.createdAt, other.header.createdAt) ||
    compare(one.header.runId, other.header.runId);
  return more < 0;
}

function compare<T extends bigint | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
