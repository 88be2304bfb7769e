import { messageOf } from "../../core/errors.ts";
import type { MetricsBatch } from "./batch.ts";
import { CONTENT_TYPES, formatFor, renderPrometheus } from "./prometheus_text.ts";

/** A page that Prometheus scrapes. */
export interface PrometheusServer {
  /** The page's URL. */
  readonly url: string;
  /** Closes it: requests under way are answered first. */
  close(): Promise<void>;
}

/**
 * Serves `/metrics` at a host and port, 0 for any free one. Gives undefined, and tells `warn` once, when that
 * cannot be: a port in use must not stop a run (J5). It does not keep the process alive.
 */
export function servePrometheus(
  { host, port }: { readonly host: string; readonly port: number },
  read: () => Promise<MetricsBatch>,
  warn: (message: string) => void,
): PrometheusServer | undefined {
  try {
    const server = Deno.serve({
      hostname: host,
      port,
      // The default tells of it on stdout, which is the run's.
      onListen: () => {},
      onError: () => new Response("The metrics could not be collected\n", { status: 500 }),
    }, (request) => answer(request, read));
    server.unref();
    const { hostname, port: bound } = server.addr;
    const shown = hostname.includes(":") ? `[${hostname}]` : hostname;
    return { url: `http://${shown}:${bound}/metrics`, close: () => server.shutdown() };
  } catch (thrown) {
    const why = thrown instanceof Deno.errors.AddrInUse
      ? "another program has the port; set OTEL_EXPORTER_PROMETHEUS_PORT to a free one"
      : messageOf(thrown);
    warn(`Cannot serve metrics to Prometheus on ${host}:${port}: ${why}`);
    return undefined;
  }
}

async function answer(request: Request, read: () => Promise<MetricsBatch>): Promise<Response> {
  if (new URL(request.url).pathname !== "/metrics") {
    return new Response("The metrics are at /metrics\n", { status: 404 });
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("Use GET\n", { status: 405, headers: { allow: "GET, HEAD" } });
  }
  const format = formatFor(request.headers.get("accept"));
  const body = renderPrometheus(await read(), format);
  return new Response(request.method === "HEAD" ? null : body, {
    headers: { "content-type": CONTENT_TYPES[format], vary: "accept" },
  });
}
