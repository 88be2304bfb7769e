import type { Json } from "../core/json.ts";
import type { CarriedOut } from "../core/plugin_report.ts";
import type { EmittedSpan } from "../core/span.ts";
import type { Bucket } from "./judge.ts";
import { bucketText, type Counts, type InstanceRecord, keys, type StoredReport } from "./record.ts";

/** What there is to write of an instance. */
export interface Writing {
  /** Spans that it emitted. */
  readonly spans: readonly EmittedSpan[];
  /** Items to set, and with null to delete. */
  readonly items: Record<string, string | null>;
}

const NOTHING: InstanceRecord = { state: {}, stateVersion: 1, ticks: {} };

/** What is kept of an instance over restarts, and what of it is still to be written. */
export class Kept {
  /** Counts since the plugin was first used here. */
  readonly counts: Counts = { handled: 0, actions: 0, refused: {} };
  readonly #id: string;
  #record = NOTHING;
  #state: Record<string, Json> = {};
  #spans: EmittedSpan[] = [];
  // Of the state: what was changed, and is made text when it is written.
  readonly #changed = new Set<string>();
  #items: Record<string, string | null> = {};
  #written: { cursor?: number; report?: string; bucket?: string } = {};

  /** Of an instance, by its id. */
  constructor(id: string) {
    this.#id = id;
  }

  /** Takes up what was written before. */
  begin(record: InstanceRecord): void {
    this.#record = record;
    this.#written = { cursor: record.cursor };
    if (record.report === undefined) return;
    const { handled, actions, refused } = record.report;
    Object.assign(this.counts, { handled, actions });
    Object.assign(this.counts.refused, refused);
  }

  /** What was written before. */
  get record(): InstanceRecord {
    return this.#record;
  }

  /** The plugin's state as far as its events were handled. */
  get state(): Readonly<Record<string, Json>> {
    return this.#state;
  }

  /** Takes up the state, if it is of that version; gives how many of its keys are forgotten because it is not. */
  beginState(version: number): number {
    const { state, stateVersion } = this.#record;
    if (version === stateVersion) {
      this.#state = { ...state };
      return 0;
    }
    this.#items[keys.stateVersion(this.#id)] = String(version);
    const forgotten = Object.keys(state);
    for (const key of forgotten) this.#items[keys.state(this.#id, key)] = null;
    return forgotten.length;
  }

  /** What is left of its rate as it begins: it is written once it is another. */
  beginBucket(bucket: Bucket): void {
    this.#written.bucket = bucketText(bucket);
  }

  /** So many events were handled, which changed the state and emitted spans. */
  handled(
    count: number,
    state: Readonly<Record<string, Json | null>>,
    spans: readonly EmittedSpan[],
  ): void {
    for (const [key, value] of Object.entries(state)) {
      if (value === null) delete this.#state[key];
      else set(this.#state, key, value);
      this.#changed.add(key);
    }
    this.counts.handled += count;
    this.#spans.push(...spans);
  }

  /** Counts what became of actions; gives the first refusal of each kind. */
  count(outcomes: readonly CarriedOut[]): readonly CarriedOut[] {
    const first: CarriedOut[] = [];
    for (const outcome of outcomes) {
      const { refused } = outcome;
      if (refused === undefined) {
        this.counts.actions++;
        continue;
      }
      const before = this.counts.refused[refused.why] ?? 0;
      this.counts.refused[refused.why] = before + 1;
      if (before === 0) first.push(outcome);
    }
    return first;
  }

  /** Which ticks were handled, as text. */
  ticks(text: string): void {
    this.#items[keys.ticks(this.#id)] = text;
  }

  /** The plugin, as this fingerprint tells it, is set aside; undefined: no longer. */
  setAside(aside: InstanceRecord["aside"]): void {
    this.#items[keys.aside(this.#id)] = aside === undefined ? null : JSON.stringify(aside);
  }

  /** What is to be written, which is taken as written; undefined for nothing. */
  take(now: {
    /** How far it has heard. */
    readonly cursor: number;
    /** What is left of its rate. */
    readonly bucket?: Bucket;
    /** What is told of it; absent while nothing is known. */
    readonly report?: StoredReport;
  }): Writing | undefined {
    // Before it has begun nobody knows how far it was.
    if (this.#record === NOTHING) return undefined;
    const [spans, items, written] = [this.#spans, this.#items, this.#written];
    this.#spans = [];
    this.#items = {};
    for (const key of this.#changed) {
      const kept = Object.hasOwn(this.#state, key);
      items[keys.state(this.#id, key)] = kept ? JSON.stringify(this.#state[key]) : null;
    }
    this.#changed.clear();
    const { cursor } = now;
    if (cursor !== written.cursor) items[keys.cursor(this.#id)] = String(written.cursor = cursor);
    const bucket = now.bucket && bucketText(now.bucket);
    if (bucket !== undefined && bucket !== written.bucket) {
      items[keys.bucket(this.#id)] = written.bucket = bucket;
    }
    const report = now.report && JSON.stringify(now.report);
    if (report !== undefined && report !== written.report) {
      items[keys.report(this.#id)] = written.report = report;
    }
    return spans.length > 0 || Object.keys(items).length > 0 ? { spans, items } : undefined;
  }
}

// A key may be `__proto__`.
function set(target: Record<string, Json>, key: string, value: Json): void {
  Object.defineProperty(target, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}
