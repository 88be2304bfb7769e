import type { EmittedSpan, EndRecord, ReceivedSpan, StartEntry } from "../core/span.ts";

/** An event of the store, with all that is known of its span: what the host routes, before any plugin wants it. */
export type Heard =
  & {
    /** Its place in the store's order. */
    readonly position: number;
    /** Started or ended; what was received or emitted has ended. */
    readonly event: "started" | "ended";
    /** The event's time, nanoseconds since the Unix epoch: the span's start, or its end (T4). */
    readonly at: bigint;
  }
  & (
    | {
      /** A run's own span. */
      readonly kind: "journal";
      /** Its workflow. */
      readonly workflow: string;
      /** How many reactions led to its run; 0 for one that nothing commanded (H2). */
      readonly depth: number;
      /** Its start. */
      readonly start: StartEntry;
      /** Its end, for `ended`. */
      readonly end?: EndRecord;
    }
    | {
      /** A span of another program. */
      readonly kind: "received";
      /** The span. */
      readonly span: ReceivedSpan;
    }
    | {
      /** A span that a plugin emitted. */
      readonly kind: "emitted";
      /** The span. */
      readonly span: EmittedSpan;
    }
  );
