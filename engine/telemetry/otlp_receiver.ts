import { createHash, timingSafeEqual } from "node:crypto";
import type { Clock } from "../core/clock.ts";
import { messageOf, StoreError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import type { ReceiverCounts } from "../core/received.ts";
import type { ReceivedSpan } from "../core/span.ts";
import type { Store } from "../core/store.ts";
import type { Bus } from "./bus.ts";
import { type Forward, type Forwarded, FORWARDED_HEADER } from "./forwarded.ts";
import type { Received } from "./metrics/metrics.ts";
import { BUSY, ByteBudget, readBody } from "./otlp/body.ts";
import { decodeLogs, decodeMetrics, decodeTraces, type Encoding, pointsOf } from "./otlp/decode.ts";
import { DecodeError } from "./otlp/decode_error.ts";
import type { ReceivedLog, ReceivedMetric } from "./otlp/model.ts";
import { accepted, type Refusal, refused } from "./otlp/response.ts";
import type { Signal } from "./settings.ts";

/** Hears what was received, once it is stored or decoded; for a screen. Must not throw. */
export interface ReceiverListener {
  /** Spans that were stored. */
  spans?(spans: readonly ReceivedSpan[]): void;
  /** Metrics. */
  metrics?(metrics: readonly ReceivedMetric[]): void;
  /** Log records. */
  logs?(logs: readonly ReceivedLog[]): void;
}

/** Bounds on what the receiver holds. */
export interface ReceiverLimits {
  /** Bytes of a request, as sent and decompressed; OTLP recommends 64 MiB. */
  readonly maxBytes: number;
  /** Bytes of all requests at once, decompressed. */
  readonly maxBytesInFlight: number;
  /** Requests at once. */
  readonly maxRequests: number;
  /** How long a sender may take for a body, in milliseconds. */
  readonly bodyTimeoutMs: number;
}

/** What applies where nothing else is said. */
export const RECEIVER_LIMITS: ReceiverLimits = {
  maxBytes: 64 * 2 ** 20,
  maxBytesInFlight: 128 * 2 ** 20,
  maxRequests: 64,
  bodyTimeoutMs: 30_000,
};

/** What the receiver works with. */
export interface ReceiverPorts {
  /** Where spans are stored. */
  readonly store: Pick<Store, "receive">;
  /** Where they are told of. */
  readonly bus: Bus;
  /** Time. */
  readonly clock: Clock;
  /** Where failures are told. */
  readonly log: Logger;
  /** What senders must send as `Authorization: Bearer TOKEN`; absent: nothing. */
  readonly token?: string;
  /** Takes metrics and logs on; absent: they are only counted. */
  readonly forward?: Forward;
  /** Counts what was taken and what was not; see Metrics.received. */
  readonly measure?: (received: Received) => void;
  /** Hears of what was received. */
  readonly listener?: ReceiverListener;
  /** Bounds; see RECEIVER_LIMITS. */
  readonly limits?: Partial<ReceiverLimits>;
}

// Failures are told of no more often than this, in milliseconds.
const QUIET_MS = 60_000;

const SIGNALS: Readonly<Record<string, Signal>> = {
  "/v1/traces": "traces",
  "/v1/metrics": "metrics",
  "/v1/logs": "logs",
};

// Spans a transaction: other work gets its turn in between, and other processes the store's lock.
const SPANS_AT_ONCE = 2_000;

/**
 * The OTLP receiver: turns an HTTP request into stored spans, and answers as OTLP/HTTP says
 * (https://opentelemetry.io/docs/specs/otlp/#otlphttp).
 *
 * Invariants:
 * - T2: what comes in is external, whatever it says: it enters no run's journal.
 * - J1, J4: a span is stored before the bus tells of it and before its sender hears that it was taken, in the
 *   store's order.
 * - Memory is bounded: requests, their bytes, and one request's decoded data at a time.
 */
export class OtlpReceiver {
  readonly #ports: ReceiverPorts;
  readonly #limits: ReceiverLimits;
  readonly #budget: ByteBudget;
  readonly #token: Uint8Array | undefined;
  readonly #counts = {
    requests: 0,
    refused: {} as Record<string, number>,
    spans: 0,
    rejectedSpans: 0,
    ownSpans: 0,
    repeatedSpans: 0,
    points: 0,
    logs: 0,
  };
  #requests = 0;
  // Requests that failed here and were not told of, and when the last ones were.
  #failures = 0;
  #toldAt: number | undefined;
  // Requests are decoded and stored one after the other.
  #turn: Promise<unknown> = Promise.resolve();

  /** Receives nothing by itself: a server calls `handle`. */
  constructor(ports: ReceiverPorts) {
    this.#ports = ports;
    this.#limits = { ...RECEIVER_LIMITS, ...ports.limits };
    this.#budget = new ByteBudget(this.#limits.maxBytesInFlight);
    this.#token = ports.token === undefined ? undefined : digest(ports.token);
  }

  /** What was received so far. */
  counts(): ReceiverCounts {
    return { ...this.#counts, refused: { ...this.#counts.refused } };
  }

  /** Answers a request; never rejects. */
  async handle(request: Request): Promise<Response> {
    const encoding = encodingOf(request);
    const answer = await this.#answer(request, encoding);
    if (answer instanceof Response) {
      this.#counts.requests++;
      return answer;
    }
    this.#counts.refused[answer.status] = (this.#counts.refused[answer.status] ?? 0) + 1;
    return refused(answer, encoding ?? "json");
  }

  async #answer(
    request: Request,
    encoding: Encoding | undefined,
  ): Promise<Response | Refusal> {
    const refusal = this.#check(request, encoding);
    if (refusal !== undefined) return refusal;
    if (this.#requests >= this.#limits.maxRequests) return BUSY;
    this.#requests++;
    try {
      const gzip = request.headers.get("content-encoding")?.trim().toLowerCase() === "gzip";
      const body = await readBody(request, gzip, {
        maxBytes: this.#limits.maxBytes,
        timeoutMs: this.#limits.bodyTimeoutMs,
        budget: this.#budget,
        clock: this.#ports.clock,
      });
      if ("status" in body) return body;
      try {
        const signal = SIGNALS[pathOf(request)];
        const onward = !request.headers.has(FORWARDED_HEADER);
        const turn = this.#turn.then(() => this.#take(signal, body.bytes, encoding!, onward));
        this.#turn = turn.catch(() => {}); // whoever has the turn hears of its failure
        return await turn;
      } finally {
        body.release();
      }
    } catch (thrown) {
      return this.#failure(thrown);
    } finally {
      this.#requests--;
    }
  }

  #check(request: Request, encoding: Encoding | undefined): Refusal | undefined {
    const path = pathOf(request);
    if (!Object.hasOwn(SIGNALS, path)) {
      return {
        status: 404,
        message: `There is nothing at ${path}: OTLP is taken at ${Object.keys(SIGNALS).join(", ")}`,
      };
    }
    if (request.method !== "POST") {
      return { status: 405, message: "Use POST", headers: { allow: "POST" } };
    }
    // A page in a browser on this machine reaches the loopback interface too.
    if (request.headers.has("origin")) {
      return { status: 403, message: "Pages in browsers are not served" };
    }
    if (!this.#isAuthorized(request)) {
      return {
        status: 401,
        message: "Send the receiver's token as `Authorization: Bearer TOKEN`",
        headers: { "www-authenticate": "Bearer" },
      };
    }
    if (encoding === undefined) {
      return {
        status: 415,
        message: "The content type must be application/x-protobuf or application/json",
      };
    }
    const compression = request.headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
    if (compression !== "gzip" && compression !== "identity") {
      return {
        status: 415,
        message: "The content encoding must be gzip or identity",
        headers: { "accept-encoding": "gzip, identity" },
      };
    }
    return undefined;
  }

  #isAuthorized(request: Request): boolean {
    if (this.#token === undefined) return true;
    const [, given] = /^bearer +(.+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
    // Digests have one length, and are compared in a time that does not tell where they differ.
    return given !== undefined && timingSafeEqual(digest(given), this.#token);
  }

  async #take(
    signal: Signal,
    bytes: Uint8Array,
    encoding: Encoding,
    onward: boolean,
  ): Promise<Response> {
    switch (signal) {
      case "traces":
        return await this.#takeTraces(bytes, encoding);
      case "metrics": {
        const metrics = decodeMetrics(bytes, encoding);
        this.#counts.points += metrics.reduce((sum, metric) => sum + pointsOf(metric), 0);
        this.#ports.listener?.metrics?.(metrics);
        this.#ports.measure?.({ signal, accepted: metrics.length });
        if (onward) await this.#forward({ signal, bytes, encoding, metrics });
        return accepted(signal, encoding);
      }
      case "logs": {
        const logs = decodeLogs(bytes, encoding);
        this.#counts.logs += logs.length;
        this.#ports.listener?.logs?.(logs);
        this.#ports.measure?.({ signal, accepted: logs.length });
        if (onward) await this.#forward({ signal, bytes, encoding, logs });
        return accepted(signal, encoding);
      }
    }
  }

  async #takeTraces(bytes: Uint8Array, encoding: Encoding): Promise<Response> {
    const { spans, rejected, reason } = decodeTraces(bytes, encoding);
    this.#counts.rejectedSpans += rejected;
    const { store, bus, clock, listener, measure } = this.#ports;
    measure?.({ signal: "traces", rejected, reason: "invalid" });
    for (let from = 0; from < spans.length; from += SPANS_AT_ONCE) {
      if (from > 0) await new Promise<void>((resolve) => clock.after(0, resolve));
      const some = spans.slice(from, from + SPANS_AT_ONCE);
      const { records, own, repeated } = await store.receive(some, clock.now());
      this.#counts.spans += records.length;
      this.#counts.ownSpans += own;
      this.#counts.repeatedSpans += repeated;
      measure?.({ signal: "traces", accepted: records.length, rejected: own, reason: "own" });
      measure?.({ signal: "traces", rejected: repeated, reason: "duplicate" });
      for (const { span, position } of records) bus.tell({ event: "received", span, position });
      listener?.spans?.(records.map(({ span }) => span));
    }
    return rejected === 0
      ? accepted("traces", encoding)
      : accepted("traces", encoding, { rejected, message: `Not every span was taken: ${reason}` });
  }

  async #forward(request: Forwarded): Promise<void> {
    try {
      await this.#ports.forward?.(request);
    } catch (thrown) {
      const body = `received ${request.signal} could not be forwarded: ${messageOf(thrown)}`;
      this.#ports.log.log({ severity: "warn", body });
    }
  }

  #failure(thrown: unknown): Refusal {
    if (thrown instanceof DecodeError) return { status: 400, message: thrown.message };
    this.#tellFailure(messageOf(thrown));
    // A full disk or a locked store may be better later; OTLP's senders try again then.
    return thrown instanceof StoreError && thrown.code !== "store.invalid"
      ? {
        status: 503,
        message: "The receiver cannot store anything at the moment",
        headers: { "retry-after": "10" },
      }
      : { status: 500, message: "The receiver failed; its log says why" };
  }

  // A full disk refuses every request, and senders try again: one line a minute says so.
  #tellFailure(message: string): void {
    const now = this.#ports.clock.monotonic();
    this.#failures++;
    if (this.#toldAt !== undefined && now - this.#toldAt < QUIET_MS) return;
    const what = this.#failures === 1
      ? "a received request"
      : `${this.#failures} received requests`;
    this.#ports.log.log({ severity: "error", body: `${what} could not be taken: ${message}` });
    this.#toldAt = now;
    this.#failures = 0;
  }
}

function pathOf(request: Request): string {
  return new URL(request.url).pathname;
}

function encodingOf(request: Request): Encoding | undefined {
  const [type] = (request.headers.get("content-type") ?? "").split(";");
  switch (type.trim().toLowerCase()) {
    case "application/x-protobuf":
      return "protobuf";
    case "application/json":
      return "json";
  }
  return undefined;
}

function digest(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}
