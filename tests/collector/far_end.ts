import { gunzipSync } from "node:zlib";
import type { Signal } from "./engine_run.ts";
import { type EncodedRequest, type Messages, messagesOf } from "./messages.ts";

/** An OTLP/HTTP receiver that takes everything and keeps it as it came. */
export interface FarEnd extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  /** The content types that came. */
  readonly types: ReadonlySet<string>;
  /** What came, read by OpenTelemetry's definitions. Throws for what is not OTLP. */
  messages(): Messages;
}

/** Serves one on a free port. */
export function farEnd(): FarEnd {
  const requests: EncodedRequest[] = [];
  const types = new Set<string>();
  const options = { port: 0, hostname: "127.0.0.1", onListen() {} };
  const server = Deno.serve(options, async (request) => {
    const bytes = await request.bytes();
    const type = request.headers.get("content-type") ?? "";
    types.add(type);
    requests.push({
      signal: new URL(request.url).pathname.slice("/v1/".length) as Signal,
      json: type === "application/json",
      body: request.headers.get("content-encoding") === "gzip" ? gunzipSync(bytes) : bytes,
    });
    return new Response();
  });
  return {
    endpoint: `http://127.0.0.1:${server.addr.port}`,
    types,
    messages: () => messagesOf(requests),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
