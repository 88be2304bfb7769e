/** A server that refuses the first requests for a path: `/503/2/name` answers 503 twice and then 200. */
export function startFlakyServer(): { readonly origin: string } & AsyncDisposable {
  const seen = new Map<string, number>();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    const [, status, times] = pathname.split("/");
    const count = (seen.get(pathname) ?? 0) + 1;
    seen.set(pathname, count);
    if (count <= Number(times)) return new Response("not now", { status: Number(status) });
    return Response.json({ count, traceparent: request.headers.has("traceparent") }, {
      headers: { "x-count": String(count), date: "Sat, 21 Nov 2026 10:00:00 GMT" },
    });
  });
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
