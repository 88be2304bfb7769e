import { setTimeout as delay } from "node:timers/promises";
import { speak } from "./spoken_process.ts";

/** A collector that runs. */
export interface Running extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, or https, for OTLP/HTTP. */
  readonly http: string;
  /** `http://127.0.0.1:PORT`, or https, for OTLP/gRPC. */
  readonly grpc: string;
  /** The process. */
  readonly pid: number;
  /** Lets it send what it holds, and ends it; what it said of warnings and errors. */
  stop(): Promise<readonly string[]>;
}

/** What it hands on to, and how. */
export interface Onward {
  /** `http://HOST:PORT` of an OTLP/HTTP receiver. */
  readonly endpoint: string;
  /** The encoding; protobuf when absent. */
  readonly encoding?: "proto" | "json";
  /** The body's compression; gzip when absent. */
  readonly compression?: "gzip" | "zstd" | "none";
}

const SETTLED_MS = 100;

/** How it is started. */
export interface CollectorOptions {
  /** More of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** PEM files: its certificate and key, and the authority of the clients that it serves. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly clientAuthority: string };
}

/** Starts the collector; `onward` undefined: it takes everything and hands on nothing. */
export async function startCollector(
  path: string,
  onward?: Onward,
  { env, tls }: CollectorOptions = {},
): Promise<Running> {
  const process = speak(
    new Deno.Command(path, {
      // The configuration's text is in the environment: no file, and no other provider is needed.
      args: ["--config", "env:OTELCOL_CONFIG"],
      env: { ...env, OTELCOL_CONFIG: JSON.stringify(config(onward, tls)) },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }),
  );
  await process.until(/Everything is ready/);
  // Port 0: it tells which ones it got.
  const address = (server: string) => {
    const line = process.lines.find((line) => line.includes(`Starting ${server} server`));
    return `${tls === undefined ? "http" : "https"}://${
      /"endpoint": ?"([^"]+)"/.exec(line ?? "")![1]
    }`;
  };
  // It listens for signals only once it has said that it is ready: one at once would end it on the spot.
  await delay(SETTLED_MS);
  const stop = async () => {
    await process.end("SIGTERM");
    return process.lines.filter((line) => /\t(warn|error|panic|fatal)\t/.test(line));
  };
  return {
    http: address("HTTP"),
    grpc: address("GRPC"),
    pid: process.pid,
    stop,
    [Symbol.asyncDispose]: async () => void await stop(),
  };
}

function config(onward: Onward | undefined, tls: CollectorOptions["tls"]): unknown {
  const exporter = onward === undefined ? "nop" : "otlp_http";
  const pipeline = { receivers: ["otlp"], exporters: [exporter] };
  const server = {
    endpoint: "127.0.0.1:0",
    ...(tls === undefined ? {} : {
      tls: { cert_file: tls.cert, key_file: tls.key, client_ca_file: tls.clientAuthority },
    }),
  };
  return {
    receivers: { otlp: { protocols: { grpc: server, http: server } } },
    exporters: {
      [exporter]: onward === undefined ? null : {
        endpoint: onward.endpoint,
        encoding: onward.encoding ?? "proto",
        compression: onward.compression ?? "gzip",
      },
    },
    service: {
      telemetry: { metrics: { level: "none" }, logs: { level: "info" } },
      pipelines: { traces: pipeline, metrics: pipeline, logs: pipeline },
    },
  };
}
