import { SpanloopError } from "../core/errors.ts";

/** A server that listens. */
export interface Listener {
  /** Where, as a URL without a path. */
  readonly url: string;
  /** Whether only this machine reaches it. */
  readonly loopback: boolean;
  /** Listens no longer; requests under way are given `graceMs` to end, then are cut off. */
  close(): Promise<void>;
}

const GRACE_MS = 2_000;

/**
 * Listens for HTTP at a host and port (0: any free one). Throws SpanloopError `server.listen` when it cannot.
 * `after` is the clock's.
 */
export function listen(
  { host, port }: { readonly host: string; readonly port: number },
  handler: (request: Request) => Promise<Response>,
  after: (ms: number, fire: () => void) => () => void,
): Listener {
  const cut = new AbortController();
  // Counted here: Deno's own shutdown waits for ever for a request that never ends, and cannot be aborted.
  let underWay = 0;
  let stopping = false;
  let onIdle = () => {};
  const server = start(host, port, cut.signal, async (request) => {
    if (stopping) return new Response("The server stops\n", { status: 503 });
    underWay++;
    try {
      return await handler(request);
    } finally {
      if (--underWay === 0) onIdle();
    }
  });
  const { hostname, port: bound } = server.addr;
  return {
    url: `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${bound}`,
    loopback: isLoopback(hostname), // of the address that was bound: a host may be written in many ways
    async close() {
      let cancel = () => {};
      stopping = true;
      await new Promise<void>((resolve) => {
        onIdle = resolve;
        if (underWay === 0) resolve();
        else cancel = after(GRACE_MS, resolve);
      });
      cancel();
      // The last answer is on its way once the event loop has turned.
      await new Promise<void>((resolve) => void after(0, resolve));
      cut.abort();
      await server.finished;
    },
  };
}

function start(
  host: string,
  port: number,
  signal: AbortSignal,
  handler: (request: Request) => Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({
      hostname: host,
      port,
      signal,
      // The defaults write to stdout and stderr, which are the command's.
      onListen: () => {},
      onError: () => new Response("The request could not be answered\n", { status: 500 }),
    }, handler);
  } catch (thrown) {
    throw new SpanloopError("server.listen", `Cannot listen on ${host}:${port}: ${why(thrown)}`, {
      cause: thrown,
    });
  }
}

function why(thrown: unknown): string {
  if (thrown instanceof Deno.errors.AddrInUse) {
    return "another program has the port; stop that one or choose another --port";
  }
  if (thrown instanceof Deno.errors.AddrNotAvailable) {
    return "this machine has no such address; choose another --host";
  }
  if (thrown instanceof Deno.errors.PermissionDenied) {
    return "it is not permitted; choose a --port from 1024 on";
  }
  return `${thrown instanceof Error ? thrown.message : thrown}; choose another --host or --port`;
}

/** Whether only this machine reaches a host. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}
