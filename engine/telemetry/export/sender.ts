import type { Signal } from "../settings.ts";

/** What became of a batch. */
export type Sent =
  | {
    readonly status: "ok";
    /** How many the other side refused (OTLP's partial success). */
    readonly rejected?: number;
    /** What it said of them. */
    readonly message?: string;
  }
  | {
    /** It may work later: the batch is kept for a while. */
    readonly status: "retry";
    /** Why, for a person. */
    readonly message: string;
    /** How long the other side asks to wait, in milliseconds. */
    readonly afterMs?: number;
    /** Nobody answers there: a shutdown need not wait. */
    readonly unreachable?: true;
  }
  | {
    /** The other side takes no request of this size: it is sent in halves. */
    readonly status: "too_large";
    /** Why, for a person. */
    readonly message: string;
  }
  | {
    /** It will never work: the batch is dropped and counted. */
    readonly status: "failed";
    /** Why, for a person. */
    readonly message: string;
  };

/** Sends batches of one signal to one place. */
export interface Sender<T> {
  /** What it sends. */
  readonly signal: Signal;
  /** Where to, for a person, without credentials: `otlp http://localhost:4318/v1/traces`. */
  readonly name: string;
  /** Sends a batch; never rejects. */
  send(batch: readonly T[]): Promise<Sent>;
  /** Lets go of its connections and files. */
  close(): Promise<void>;
}

/** Hears how many items of a signal were dropped on their way to a sender, and why. */
export type OnDropped = (drop: {
  /** The signal. */
  readonly signal: Signal;
  /** The sender's name. */
  readonly sender: string;
  /** How many spans, log records or metric collections. */
  readonly count: number;
  /** A word for a metric: `queue_full`, `rejected`, `failed` or `shutdown`. */
  readonly reason: "queue_full" | "rejected" | "failed" | "shutdown";
  /** For a person. */
  readonly message: string;
}) => void;
