import type { JsonObject } from "./json.ts";
import type { ReceivedSpan, ReceivedValue } from "./span.ts";

/** What was received since the start. */
export interface ReceiverCounts {
  /** Requests that were answered with 200. */
  readonly requests: number;
  /** Requests that were not, by their HTTP status. */
  readonly refused: Readonly<Record<string, number>>;
  /** Spans that were stored. */
  readonly spans: number;
  /** Spans without valid ids. */
  readonly rejectedSpans: number;
  /** Spans that are a run's own, dropped (T2). */
  readonly ownSpans: number;
  /** Spans that had been received before, dropped. */
  readonly repeatedSpans: number;
  /** Metrics' points. */
  readonly points: number;
  /** Log records. */
  readonly logs: number;
}

/** Where other programs' telemetry is taken. */
export interface ReceiverAddress {
  /** A host name or address of this machine. */
  readonly host: string;
  /** A port; 0 for any free one. */
  readonly port: number;
  /** What senders must send as `Authorization: Bearer TOKEN`; absent: nothing. */
  readonly token?: string;
}

/** How telemetry is received. */
export interface ReceiveOptions extends ReceiverAddress {
  /** Stops it: requests under way are answered first. */
  readonly signal: AbortSignal;
  /** Hears where it listens, as a URL, once it does. */
  readonly onListen?: (url: string) => void;
  /** Hears of everything that was taken. */
  readonly onItem?: (item: ReceivedItem) => void;
}

/** One span, metric or log record that was taken. */
export type ReceivedItem =
  | { readonly signal: "traces"; readonly span: TailedSpan }
  | {
    readonly signal: "metrics" | "logs";
    /** When it was taken or happened, nanoseconds since the Unix epoch. */
    readonly time: bigint;
    /** The program that it is of: `service.name`. */
    readonly service?: ReceivedValue;
    /** What it says, on one line; as it came. */
    readonly text: string;
  };

/** From where on spans are tailed: what comes from now on, all, or what ended at or after a time (nanoseconds). */
export type TailFrom = "now" | "start" | bigint;

/** How spans are tailed. */
export interface TailOptions {
  /** From where on. */
  readonly from: TailFrom;
  /** Whether to wait for more once all is told. */
  readonly follow: boolean;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** A span that has ended, of a run, received, or emitted by a plugin. */
export interface TailedSpan {
  /** The span. */
  readonly span: ReceivedSpan;
  /** The program that it is of: `service.name`. */
  readonly service?: ReceivedValue;
  /** The run that it is of, or that of the event which an emitted one answers; absent for a received one. */
  readonly runId?: string;
  /** It as an ExportTraceServiceRequest in OTLP's JSON: one line of the file exporter's format. */
  otlp(): JsonObject;
}
