import type { EmittedRecord, EmittedSpan } from "../core/span.ts";
import { ID_DIGITS } from "./_received_row.ts";

/** What the spans that one plugin emitted share. No received span's origin has such a member. */
export interface Emitter {
  /** Who emitted them. */
  readonly emitted: {
    /** The plugin's name. */
    readonly plugin: string;
  };
}

/** An emitter as an origin's JSON; equal ones give equal text. */
export function toEmitter({ plugin }: EmittedSpan): string {
  return JSON.stringify({ emitted: { plugin } });
}

/** The emitter that an origin's JSON is of; undefined for that of received spans. */
export function fromEmitter(data: string): Emitter | undefined {
  return data.startsWith('{"emitted":') ? JSON.parse(data) : undefined;
}

/** The rest of an emitted span: its ids' digits, then JSON without its time and plugin. */
export function toEmitted({ traceId, spanId, ...span }: EmittedSpan): string {
  return traceId + spanId + JSON.stringify({ ...span, time: undefined, plugin: undefined });
}

/** The record that a row was made of. */
export function fromEmitted(
  row: { readonly position: bigint; readonly at: bigint; readonly data: string },
  { emitted: { plugin } }: Emitter,
): EmittedRecord {
  return {
    type: "emitted",
    position: Number(row.position),
    span: {
      ...JSON.parse(row.data.slice(ID_DIGITS)),
      traceId: row.data.slice(0, 32),
      spanId: row.data.slice(32, ID_DIGITS),
      // A column has 63 bits and a sign; what a received span's time is has 64 bits.
      time: BigInt.asUintN(64, row.at),
      plugin,
    },
  };
}
