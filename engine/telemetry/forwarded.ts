import type { Encoding } from "./otlp/decode.ts";
import type { ReceivedLog, ReceivedMetric } from "./otlp/model.ts";

/** What a forwarded request carries: a receiver takes it, and forwards it no further. */
export const FORWARDED_HEADER = "spanloop-forwarded";

/** A request for metrics or logs that was decoded: what it was, and what it says. */
export type Forwarded =
  & {
    /** The body, decompressed. */
    readonly bytes: Uint8Array;
    /** How it is encoded. */
    readonly encoding: Encoding;
  }
  & (
    | { readonly signal: "metrics"; readonly metrics: readonly ReceivedMetric[] }
    | { readonly signal: "logs"; readonly logs: readonly ReceivedLog[] }
  );

/** Takes received metrics and logs somewhere. What it throws is logged; the sender does not notice. */
export type Forward = (request: Forwarded) => void | Promise<void>;
