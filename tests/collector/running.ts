import { VERSION } from "./build.ts";

/** A collector that runs. */
export interface Running extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, for OTLP/HTTP. */
  readonly http: string;
  /** `http://127.0.0.1:PORT`, for OTLP/gRPC. */
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

const READY = "Everything is ready";

/** Starts the collector; `onward` undefined: it takes everything and hands on nothing. */
export async function startCollector(
  path: string,
  onward?: Onward,
  env: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const child = new Deno.Command(path, {
    // The configuration's text is in the environment: no file, and no other provider is needed.
    args: ["--config", "env:OTELCOL_CONFIG"],
    env: { ...env, OTELCOL_CONFIG: JSON.stringify(config(onward)) },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const lines = child.stderr.pipeThrough(new TextDecoderStream()).pipeThrough(lineStream());
  const reader = lines.getReader();
  const said: string[] = [];
  const endpoints = new Map<string, string>();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`The collector ${VERSION} did not start:\n${said.join("\n")}`);
    said.push(value);
    // Port 0: it tells which ones it got.
    const [, server, endpoint] = /Starting (\w+) server.*"endpoint": ?"([^"]+)"/.exec(value) ?? [];
    if (server !== undefined) endpoints.set(server, `http://${endpoint}`);
    if (value.includes(READY)) break;
  }
  const rest = (async () => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      said.push(value);
    }
  })();
  let stopped: Promise<readonly string[]> | undefined;
  const stop = () =>
    stopped ??= (async () => {
      child.kill("SIGTERM");
      await Promise.all([child.status, rest]);
      return said.filter((line) => /\t(warn|error|panic|fatal)\t/.test(line));
    })();
  return {
    http: endpoints.get("HTTP")!,
    grpc: endpoints.get("GRPC")!,
    pid: child.pid,
    stop,
    [Symbol.asyncDispose]: async () => void await stop(),
  };
}

function config(onward: Onward | undefined): unknown {
  const exporter = onward === undefined ? "nop" : "otlp_http";
  const pipeline = { receivers: ["otlp"], exporters: [exporter] };
  const endpoint = "127.0.0.1:0";
  return {
    receivers: { otlp: { protocols: { grpc: { endpoint }, http: { endpoint } } } },
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

function lineStream(): TransformStream<string, string> {
  let rest = "";
  return new TransformStream({
    transform(chunk, controller) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      for (const line of lines) controller.enqueue(line);
    },
    flush(controller) {
      if (rest !== "") controller.enqueue(rest);
    },
  });
}
