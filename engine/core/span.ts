import type { Json } from "./json.ts";
import type { ErrorClass } from "./errors.ts";

/** A span attribute's value, as OpenTelemetry has them. */
export type AttributeValue =
  | string
  | number
  | boolean
  | readonly string[]
  | readonly number[]
  | readonly boolean[];

/** Whether a JSON value can be an attribute's: text, a number, a boolean, or a list of one of these kinds. */
export function isAttributeValue(value: Json): value is AttributeValue {
  if (!Array.isArray(value)) return typeof value !== "object";
  const kinds = new Set(value.map((item) => typeof item));
  return kinds.size === 0 || (kinds.size === 1 && !kinds.has("object"));
}

/** Span attributes by key; the keys come from semconv/attributes.ts. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** A span of this or another trace. */
export interface SpanReference {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
}

/** A link to another span, with what it means. */
export interface SpanLink extends SpanReference {
  /** Such as what the link means. */
  readonly attributes?: Attributes;
}

/** OpenTelemetry's span kinds. */
export type SpanKind = "internal" | "server" | "client" | "producer" | "consumer";

/** A span as it is known when it starts. Times are nanoseconds since the Unix epoch. */
export interface SpanStart extends SpanReference {
  /** The span that encloses it, perhaps of another process. */
  readonly parentSpanId?: string;
  /** W3C tracestate, handed on as it came. */
  readonly traceState?: string;
  /** The W3C trace flags that came with the parent, for a span whose run has a parent in another process. */
  readonly traceFlags?: number;
  /** Its name; low cardinality. */
  readonly name: string;
  /** Its kind. */
  readonly kind: SpanKind;
  /** When it started. */
  readonly startTime: bigint;
  /** What is known at the start. */
  readonly attributes: Attributes;
  /** Related spans. */
  readonly links?: readonly SpanLink[];
}

/** What a span's end adds. */
export interface SpanEnd {
  /** When it ended, nanoseconds since the Unix epoch. */
  readonly endTime: bigint;
  /** OpenTelemetry's status: `error` for failures, otherwise `unset`. */
  readonly error: boolean;
  /** The status description, masked. */
  readonly message?: string;
  /** Attributes that are added or replaced. */
  readonly attributes: Attributes;
}

/** What a run, a step or an attempt can be. */
export type Status =
  | "queued"
  | "running"
  | "succeeded"
  | "failed"
  | "cancelled"
  | "skipped"
  | "timed_out";

/** How an attempt ended (S4); `interrupted` is written by resume for the engine that died. */
export type Outcome =
  | "succeeded"
  | "failed"
  | "cancelled"
  | "skipped"
  | "timed_out"
  | "interrupted";

/**
 * What a journalled span stands for: the run, a for_each step around its batches, one attempt, a skipped
 * step (S4), a span that an emit step asked for, or the moment at which a process took the run up again.
 */
export type SpanRole = "run" | "step" | "attempt" | "skip" | "emit" | "resume";

/** A batch's items, by index from 0: `from` inclusive, `to` exclusive (F2). */
export interface ItemRange {
  /** The first item. */
  readonly from: number;
  /** One past the last item. */
  readonly to: number;
  /** For a file: the bytes of these items, `[from, to)`, so that resume reads them again without the rest. */
  readonly bytes?: readonly [number, number];
}

/** A failure as it is journalled and shown: masked, without a stack. */
export interface Failure {
  /** A stable name, such as `shell.exit`. */
  readonly code: string;
  /** What happened. */
  readonly message: string;
  /** The class that `retry.on` judges. */
  readonly errorClass: ErrorClass;
}

/** How a run's spans are exported; the journal and the bus have all of them (T1). */
export interface TraceSettings {
  /** `single`: one trace a run; `linked`: each batch is a trace of its own, linked to its step's span. */
  readonly mode: "single" | "linked";
  /** The finest spans that are exported: of runs, of steps, or of a for_each step's batches. */
  readonly detail: "run" | "steps" | "batches";
}

/** The journal's entry for a span's start: the span and what is never exported (T1). */
export interface StartEntry {
  /** Discriminates entries. */
  readonly type: "start";
  /** The run it belongs to. */
  readonly runId: string;
  /** What it stands for. */
  readonly role: SpanRole;
  /**
   * What it is in the run, the same over all attempts and after a resume: `run`, a step's id, or for a
   * batch `load[0,20)`.
   */
  readonly key: string;
  /** The step's id; absent for the run. */
  readonly stepId?: string;
  /** Which try at `key`, from 1; an interrupted one is not counted (R5). */
  readonly attempt?: number;
  /** A batch's items. */
  readonly range?: ItemRange;
  /** The span as it is known now. */
  readonly span: SpanStart;
  /** The resolved inputs, secrets by name only. */
  readonly inputs?: Json;
  /** For the run: how its spans are exported. */
  readonly trace?: TraceSettings;
}

/** The journal's entry for a span's end. */
export interface EndEntry {
  /** Discriminates entries. */
  readonly type: "end";
  /** The run it belongs to. */
  readonly runId: string;
  /** What it stands for. */
  readonly role: SpanRole;
  /** As in its start. */
  readonly key: string;
  /** The step's id; absent for the run. */
  readonly stepId?: string;
  /** The span's id. */
  readonly spanId: string;
  /** How it ended. */
  readonly outcome: Outcome;
  /** What the end adds to the span. */
  readonly end: SpanEnd;
  /** Outputs, masked; replaced by a reference when the store spills them. */
  readonly outputs?: Json;
  /** Why it did not succeed. */
  readonly failure?: Failure;
  /** Items processed and failed, for a batch, a for_each step or a run. */
  readonly items?: ItemCount;
  /** The last lines of output, masked. */
  readonly tail?: string;
  /** For a skipped step: why (S2, S4): `if`, `upstream`, `cancelled`, `reuse`. */
  readonly reason?: string;
  /** When the next try is due, nanoseconds since the epoch; drawn once, so that resume keeps it. */
  readonly retryAt?: bigint;
}

/** Items counted once each, by their last attempt (S5). */
export interface ItemCount {
  /** Items that were processed. */
  readonly processed: number;
  /** Items that failed. */
  readonly failed: number;
}

/** The place of what was committed in the store's order. */
export interface Positioned {
  /** Grows with every commit; a bus cursor is such a position. */
  readonly position: number;
}

/** A committed start. */
export type StartRecord = StartEntry & Positioned;

/** A committed end. */
export type EndRecord = EndEntry & Positioned;

/** A committed start or end. */
export type JournalRecord = StartRecord | EndRecord;

/** A value as other programs send them: integers past 2^53 are bigints, bytes are bytes. */
export type ReceivedValue =
  | AttributeValue
  | bigint
  | null
  | Uint8Array
  | readonly ReceivedValue[]
  | { readonly [key: string]: ReceivedValue };

/** Received attributes by key. */
export type ReceivedAttributes = Readonly<Record<string, ReceivedValue>>;

/** What happened in a received span. */
export interface ReceivedEvent {
  /** Its name. */
  readonly name: string;
  /** When, nanoseconds since the Unix epoch. */
  readonly time: bigint;
  /** Its attributes. */
  readonly attributes: ReceivedAttributes;
  /** How many of its attributes its maker dropped; absent for none. */
  readonly droppedAttributes?: number;
}

/** A received span's link to another one. */
export interface ReceivedLink extends SpanReference {
  /** W3C tracestate of the span it leads to. */
  readonly traceState?: string;
  /** That span's W3C trace flags. */
  readonly traceFlags?: number;
  /** Its attributes. */
  readonly attributes: ReceivedAttributes;
  /** How many of its attributes its maker dropped; absent for none. */
  readonly droppedAttributes?: number;
}

/** The library that made a span. */
export interface ReceivedScope {
  /** Its name; empty when it is not known. */
  readonly name: string;
  /** Its version. */
  readonly version?: string;
  /** Its attributes; absent for none. */
  readonly attributes?: ReceivedAttributes;
  /** The schema of its telemetry. */
  readonly schemaUrl?: string;
}

/** A span that another program sent to the receiver; external, whatever it claims (T2). */
export interface ReceivedSpan extends Omit<SpanStart, "attributes" | "links"> {
  /** When it ended, nanoseconds since the Unix epoch. */
  readonly endTime: bigint;
  /** OpenTelemetry's status. */
  readonly status: "unset" | "ok" | "error";
  /** The status description. */
  readonly message?: string;
  /** Its attributes. */
  readonly attributes: ReceivedAttributes;
  /** Related spans. */
  readonly links: readonly ReceivedLink[];
  /** What happened in it; times as the span's. */
  readonly events: readonly ReceivedEvent[];
  /** What its maker dropped of it; absent for nothing. */
  readonly dropped?: {
    readonly attributes?: number;
    readonly events?: number;
    readonly links?: number;
  };
  /** The attributes of the program that made it. */
  readonly resource: ReceivedAttributes;
  /** The library that made it. */
  readonly scope: ReceivedScope;
}

/** A received span as it is stored: in one order with the journal. */
export interface ReceivedRecord extends Positioned {
  /** Discriminates it from the journal's records. */
  readonly type: "received";
  /** The span. */
  readonly span: ReceivedSpan;
}

/** A span that a plugin emitted; its id is derived from what it answers (T3). It has no length. */
export interface EmittedSpan extends SpanReference {
  /** The span that it answers; absent for one that answers a tick. */
  readonly parentSpanId?: string;
  /** Its name; low cardinality. */
  readonly name: string;
  /** That of the event it answers, nanoseconds since the Unix epoch (T4). */
  readonly time: bigint;
  /** Its attributes, the engine's own among them: who emitted it and how deep. */
  readonly attributes: Attributes;
  /** The spans that it is about. */
  readonly links: readonly SpanReference[];
  /** The plugin's name. */
  readonly plugin: string;
  /** How many reactions led to it, from 1 (H2). */
  readonly depth: number;
  /** The workflow of the event that it answers, else that of the plugin; absent for neither. */
  readonly workflow?: string;
  /** The run of the event that it answers. */
  readonly runId?: string;
  /** The step of the event that it answers. */
  readonly stepId?: string;
}

/** An emitted span as it is stored: in one order with the journal. */
export interface EmittedRecord extends Positioned {
  /** Discriminates it from the other records. */
  readonly type: "emitted";
  /** The span. */
  readonly span: EmittedSpan;
}

/** What a store holds in order. */
export type StoreRecord = JournalRecord | ReceivedRecord | EmittedRecord;

/** What the bus tells of: the start or the end of a journalled span, a received span, or one that a plugin emitted. */
export type BusEvent =
  | {
    readonly event: "started";
    /** Its start. */
    readonly record: StartRecord;
  }
  | {
    /** A span that an earlier process started, and that this one will end (R5). */
    readonly event: "adopted";
    /** Its start. */
    readonly start: StartEntry;
  }
  | {
    readonly event: "ended";
    /** Its end. */
    readonly record: EndRecord;
    /** Its start. */
    readonly start: StartEntry;
  }
  | {
    /** This process no longer writes of the run: the spans of it that are open are not ended here. */
    readonly event: "lost";
    /** The run. */
    readonly runId: string;
    /** Its spans that were open. */
    readonly open: readonly StartEntry[];
  }
  | {
    readonly event: "received";
    /** The span. */
    readonly span: ReceivedSpan;
    /** As a record's. */
    readonly position: number;
  }
  | {
    readonly event: "emitted";
    /** The span. */
    readonly record: EmittedRecord;
  };
