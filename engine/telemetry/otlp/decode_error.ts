import { SpanloopError } from "../../core/errors.ts";

/** A payload that is not what OTLP says; nothing of it is taken. */
export class DecodeError extends SpanloopError {
  /** Where in the payload, in bytes from 0; absent where only a path is known, or nothing. */
  readonly offset?: number;

  /** `what` is a sentence without a full stop; `where` the byte offset, or a path into JSON. */
  constructor(what: string, where?: number | string) {
    const place = typeof where === "number" ? ` (at byte ${where})` : ` (at ${where})`;
    super("otlp.invalid", what + (where === undefined ? "" : place), { exitCode: 2 });
    if (typeof where === "number") this.offset = where;
  }
}

/** How many values may stand in one another in an attribute, and groups in one another. */
export const MAX_DEPTH = 64;
