import type { Encoding } from "./decode.ts";
import type { Signal } from "../settings.ts";

/** What a request that cannot be taken is answered with: an HTTP status and google.rpc.Status in the body. */
export interface Refusal {
  /** The HTTP status. */
  readonly status: 400 | 401 | 403 | 404 | 405 | 408 | 413 | 415 | 429 | 500 | 503;
  /** For the sender's author. */
  readonly message: string;
  /** Further headers. */
  readonly headers?: Readonly<Record<string, string>>;
}

const CONTENT_TYPES: Readonly<Record<Encoding, string>> = {
  json: "application/json",
  protobuf: "application/x-protobuf",
};

const REJECTED: Readonly<Record<Signal, string>> = {
  traces: "rejectedSpans",
  metrics: "rejectedDataPoints",
  logs: "rejectedLogRecords",
};

/**
 * The response to a request that was taken: an Export…ServiceResponse, with `partialSuccess` only where something
 * was rejected. The three signals' messages have the same numbers.
 * https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
 */
export function accepted(
  signal: Signal,
  encoding: Encoding,
  partial?: { readonly rejected: number; readonly message: string },
): Response {
  if (encoding === "json") {
    const body = partial === undefined ? {} : {
      partialSuccess: {
        [REJECTED[signal]]: String(partial.rejected),
        errorMessage: partial.message,
      },
    };
    return respond(200, encoding, utf8.encode(JSON.stringify(body)));
  }
  const body = partial === undefined ? [] : lengthed(1, [
    ...number(1, partial.rejected),
    ...lengthed(2, utf8.encode(partial.message)),
  ]);
  return respond(200, encoding, Uint8Array.from(body));
}

/** The response to a request that was not taken: a google.rpc.Status, whose code is gRPC's for it. */
export function refused({ status, message, headers }: Refusal, encoding: Encoding): Response {
  const code = CODES[status];
  const body = encoding === "json"
    ? utf8.encode(JSON.stringify({ code, message }))
    : Uint8Array.from([...number(1, code), ...lengthed(2, utf8.encode(message))]);
  return respond(status, encoding, body, headers);
}

function respond(
  status: number,
  encoding: Encoding,
  body: Uint8Array<ArrayBuffer>,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(body, {
    status,
    headers: { ...headers, "content-type": CONTENT_TYPES[encoding] },
  });
}

// https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
const CODES: Readonly<Record<Refusal["status"], number>> = {
  400: 3, // INVALID_ARGUMENT
  401: 16, // UNAUTHENTICATED
  403: 7, // PERMISSION_DENIED
  404: 5, // NOT_FOUND
  405: 12, // UNIMPLEMENTED
  408: 4, // DEADLINE_EXCEEDED
  413: 8, // RESOURCE_EXHAUSTED
  415: 3,
  429: 8,
  500: 13, // INTERNAL
  503: 14, // UNAVAILABLE
};

const utf8 = new TextEncoder();

function number(field: number, value: number): number[] {
  return value === 0 ? [] : [field << 3, ...varint(value)];
}

function lengthed(field: number, bytes: ArrayLike<number>): number[] {
  return bytes.length === 0 ? [] : [field << 3 | 2, ...varint(bytes.length), ...Array.from(bytes)];
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [value & 0x7f | 0x80, ...varint(Math.floor(value / 0x80))];
}
