import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import * as grpc from "@grpc/grpc-js";
import type { Clock } from "../../core/clock.ts";
import type { OtlpSettings, Signal } from "../settings.ts";
import { readPem } from "./_tls.ts";
import type { Sender, Sent } from "./sender.ts";
import type { Serializer } from "./serializer.ts";

const METHODS: Readonly<Record<Signal, string>> = {
  traces: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
  metrics: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
  logs: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
};

// What may work later, by OTLP's specification: https://opentelemetry.io/docs/specs/otlp/#failures.
// RESOURCE_EXHAUSTED does so only where a RetryInfo comes with it.
const RETRYABLE = new Set<number>([
  grpc.status.CANCELLED,
  grpc.status.DEADLINE_EXCEEDED,
  grpc.status.ABORTED,
  grpc.status.OUT_OF_RANGE,
  grpc.status.UNAVAILABLE,
  grpc.status.DATA_LOSS,
]);

// The library says on stderr what it finds wrong with a connection, in the midst of a live tree or of JSON. The
// sender tells of it, too.
const SILENT: Partial<Console> = { error: () => {} };

/**
 * Sends one signal over OTLP/gRPC. One try a call: trying again is the queue's. Throws SpanloopError when a
 * certificate cannot be read.
 */
export function otlpGrpcSender<T>(
  signal: Signal,
  settings: OtlpSettings,
  serializer: Serializer<T>,
  clock: Clock,
): Sender<T> {
  grpc.setLogger(SILENT);
  const address = addressOf(settings.endpoint);
  const ip = ipOf(address);
  const client = new grpc.Client(address, credentials(settings, ip), {
    // A name in TLS must be one: an address is checked against the certificate instead.
    ...(settings.insecure || ip === undefined
      ? {}
      : { "grpc.ssl_target_name_override": "localhost" }),
    "grpc.default_compression_algorithm": settings.compression === "gzip" ? 2 : 0,
    // A connection that failed is tried again when the queue tries again, and not later.
    "grpc.max_reconnect_backoff_ms": 1_000,
  });
  const metadata = new grpc.Metadata();
  for (const [key, value] of Object.entries(settings.headers)) metadata.set(key, value);

  return {
    signal,
    name: `otlp grpc ${address}`,
    send(batch) {
      const { promise, resolve } = Promise.withResolvers<Sent>();
      try {
        const body = serializer.serializeRequest(batch);
        if (body === undefined) {
          return Promise.resolve({ status: "failed", message: "It cannot be serialized" });
        }
        const deadline = Number(clock.now() / 1_000_000n) + settings.timeoutMs;
        client.makeUnaryRequest(
          METHODS[signal],
          (bytes: Buffer) => bytes,
          (bytes: Buffer) => bytes,
          Buffer.from(body.buffer, body.byteOffset, body.length),
          metadata,
          { deadline },
          (error, answer) => resolve(error === null ? accepted(answer) : failure(error)),
        );
      } catch (thrown) {
        resolve({ status: "failed", message: String(thrown) });
      }
      return promise;
    },
    close() {
      client.close();
      return Promise.resolve();
    },
  };

  function accepted(answer: Buffer | undefined): Sent {
    if (answer === undefined || answer.length === 0) return { status: "ok" };
    try {
      return { status: "ok", ...serializer.rejected(answer) };
    } catch {
      // It was taken, whatever the answer says beside.
      return { status: "ok" };
    }
  }
}

function failure(error: grpc.ServiceError): Sent {
  const message = `${grpc.status[error.code]}: ${plain(error.details)}`.slice(0, 300);
  if (error.code === grpc.status.RESOURCE_EXHAUSTED) {
    if (hasRetryInfo(error)) return { status: "retry", message };
    const status = /larger than max/i.test(error.details) ? "too_large" : "failed";
    return { status, message };
  }
  if (!RETRYABLE.has(error.code)) return { status: "failed", message };
  return {
    status: "retry",
    message,
    ...(error.code === grpc.status.UNAVAILABLE ? { unreachable: true as const } : {}),
  };
}

// gRPC knows no URLs. A path or a query, in which a token may stand, is no part of an address and shown nowhere.
function addressOf(endpoint: string): string {
  if (!/^https?:\/\//i.test(endpoint)) return endpoint;
  const { protocol, hostname, port } = new URL(endpoint);
  // Without a port the library would take that of https for both.
  return `${hostname}:${port || (protocol === "http:" ? 80 : 443)}`;
}

// The host of `address`, if it is an IP address: `127.0.0.1:4317` or `[::1]:4317`.
function ipOf(address: string): string | undefined {
  const host = address.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  return isIP(host) === 0 ? undefined : host;
}

function credentials(settings: OtlpSettings, ip: string | undefined): grpc.ChannelCredentials {
  if (settings.insecure) return grpc.credentials.createInsecure();
  const { certificate, clientCertificate, clientKey } = settings;
  const pem = (path: string | undefined) => path === undefined ? null : Buffer.from(readPem(path));
  const [ca, key, cert] = [pem(certificate), pem(clientKey), pem(clientCertificate)];
  return grpc.credentials.createSsl(
    ca,
    key,
    cert,
    ip === undefined ? {} : { checkServerIdentity: (_, peer) => checkServerIdentity(ip, peer) },
  );
}

// The details are a google.rpc.Status, in which each names its type.
function hasRetryInfo({ metadata }: grpc.ServiceError): boolean {
  const details = metadata?.get("grpc-status-details-bin") ?? [];
  return details.some((one) => Buffer.from(one).includes("google.rpc.RetryInfo"));
}

// The library's own words around a connection's error.
function plain(details: string): string {
  return details
    .replace(/^No connection established\. Last error: (Error: )?/, "")
    .replace(/\. Resolution note: $/, "")
    // What it says when a proxy is not there.
    .replace(/^undefined$/, "No connection established");
}
