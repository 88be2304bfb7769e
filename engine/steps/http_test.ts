import assert from "node:assert/strict";
import { StepError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { isPrivateAddress } from "./_address.ts";
import { attempt, testPorts } from "./_test_context.ts";
import { httpStep } from "./http.ts";

const step = httpStep(testPorts("/tmp"));

async function withServer(
  handler: Deno.ServeHandler,
  test: (origin: string) => Promise<void>,
): Promise<void> {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handler);
  try {
    await test(`http://127.0.0.1:${server.addr.port}`);
  } finally {
    await server.shutdown();
  }
}

/** A raw server that answers each connection with `text`, and then closes it or leaves it open. */
async function withRawServer(
  text: string,
  close: boolean,
  test: (origin: string) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const open: Deno.Conn[] = [];
  const serving = (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(4096));
      await connection.write(new TextEncoder().encode(text));
      if (close) connection.close();
      else open.push(connection);
    }
  })();
  try {
    await test(`http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`);
  } finally {
    listener.close();
    for (const connection of open) connection.close();
    await serving;
  }
}

async function outputs(
  inputs: JsonObject,
  changes: Parameters<typeof attempt>[2] = {},
): Promise<JsonObject> {
  return (await step.run(attempt("/tmp", inputs, changes).context)).outputs;
}

async function failure(
  inputs: JsonObject,
  changes: Parameters<typeof attempt>[2] = {},
): Promise<StepError> {
  const error = await outputs(inputs, changes).then(
    (result) => assert.fail(`should have failed, gave ${JSON.stringify(result)}`),
    (thrown) => thrown,
  );
  assert.ok(error instanceof StepError, error);
  return error;
}

Deno.test("http sends what the inputs say, the trace context and an idempotency key", () =>
  withServer(
    async (request) =>
      Response.json({
        url: request.url,
        method: request.method,
        headers: Object.fromEntries(request.headers),
        body: await request.text(),
      }),
    async (origin) => {
      const post = await outputs({
        url: `${origin}/a?x=1`,
        method: "post",
        headers: { "X-Number": 3 },
        query: { y: "a b", z: [1, 2], none: null },
        json: { rows: [1] },
      }, { traceState: "v=1", baggage: "team=data" });
      const seen = post.json as { url: string; method: string; headers: Record<string, string> };
      assert.equal(post.status, 200);
      assert.equal(seen.url, `${origin}/a?x=1&y=a+b&z=1&z=2`);
      assert.equal(seen.method, "POST");
      assert.equal(seen.headers["x-number"], "3");
      assert.equal(seen.headers["content-type"], "application/json");
      assert.equal(seen.headers["idempotency-key"], "0190f5a0/load");
      assert.match(
        seen.headers.traceparent,
        /^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/,
      );
      assert.equal(seen.headers.tracestate, "v=1");
      assert.equal(seen.headers.baggage, "team=data");
      assert.equal((post.headers as JsonObject)["content-type"], "application/json");
      assert.deepEqual(JSON.parse(String(post.body)), post.json);
      const get = (await outputs({ url: origin })).json as { headers: JsonObject };
      assert.equal(get.headers["idempotency-key"], undefined);
    },
  ));

Deno.test("http classes statuses and shows Retry-After and the answer, masked (F1, V4)", () =>
  withServer(
    (request) =>
      new Response("token hush-hush refused", {
        status: Number(new URL(request.url).pathname.slice(1)),
        headers: { "retry-after": "7" },
      }),
    async (origin) => {
      for (const status of [408, 429, 500, 503]) {
        const error = await failure({ url: `${origin}/${status}` }, { secrets: ["hush-hush"] });
        assert.equal(error.errorClass, "transient");
        assert.match(error.message, new RegExp(`answered ${status}.*Retry-After: 7`));
        assert.equal(error.tail, "token *** refused");
      }
      assert.equal((await failure({ url: `${origin}/404` })).errorClass, "error");
      assert.equal((await outputs({ url: `${origin}/404`, status: [200, 404] })).status, 404);
      assert.equal((await outputs({ url: `${origin}/418`, status: "4xx" })).status, 418);
      assert.equal((await failure({ url: `${origin}/200`, status: 201 })).code, "http.status");
    },
  ));

Deno.test("http refuses inputs that make no request, each with a sentence", async () => {
  const url = "http://127.0.0.1:9/";
  for (
    const [inputs, message] of [
      [{}, /`url` must be/],
      [{ url: "nope" }, /`url` must be/],
      [{ url: "file:///etc/passwd" }, /http or https/],
      [{ url, body: "x" }, /GET request cannot have a body/],
      [{ url, method: "POST", body: "x", json: 1 }, /not both/],
      [{ url, method: 5 }, /`method`/],
      [{ url, headers: { "a b": "c" } }, /HTTP does not allow/],
      [{ url, headers: { a: "b\r\nc: d" } }, /HTTP does not allow/],
      [{ url, query: { a: { b: 1 } } }, /query\.a/],
      [{ url, status: 99 }, /`status`/],
      [{ url, max_bytes: -1 }, /`max_bytes`/],
      [{ url, folow: 3 }, /no input `folow`/],
    ] as [JsonObject, RegExp][]
  ) {
    const error = await failure(inputs);
    assert.match(error.message, message);
    assert.equal(error.errorClass, "error");
  }
});

Deno.test("http stops reading at max_bytes, of a compressed answer too", () =>
  withServer(
    (request) => {
      const zeros = new Blob([new Uint8Array(20_000_000)]).stream();
      return request.url.endsWith("/gzip")
        ? new Response(zeros.pipeThrough(new CompressionStream("gzip")), {
          headers: { "content-encoding": "gzip" },
        })
        : new Response("x".repeat(1_000));
    },
    async (origin) => {
      assert.equal(String((await outputs({ url: origin, max_bytes: 1_000 })).body).length, 1_000);
      const error = await failure({ url: origin, max_bytes: 999 });
      assert.equal(error.code, "http.too_large");
      assert.match(error.message, /more than 999 bytes/);
      assert.equal((await failure({ url: `${origin}/gzip` })).code, "http.too_large");
    },
  ));

Deno.test("http does not follow a redirect to a private address, in any spelling", () =>
  withServer(
    (request) =>
      new Response(null, {
        status: 302,
        headers: { location: new URL(request.url).searchParams.get("to")! },
      }),
    async (origin) => {
      const port = new URL(origin).port;
      for (
        const to of [
          `http://127.0.0.1:${port}/x`,
          `http://[::1]:${port}/`,
          `http://[::ffff:127.0.0.1]:${port}/`,
          `http://[::ffff:a00:1]/`,
          "http://169.254.169.254/latest/meta-data",
          "http://0x7f.1/",
          "http://2130706433/",
          "http://10.0.0.1/",
          "http://0.0.0.0/",
          "http://[fe80::1]/",
          "http://[fd00::1]/",
          "http://[64:ff9b::7f00:1]/",
          `http://localhost:${port}/`,
          `http://LOCALHOST.:${port}/`,
          "/relative",
        ]
      ) {
        const error = await failure({ url: origin, query: { to } });
        assert.equal(error.code, "http.redirect_refused", to);
        assert.match(error.message, /private address.*allow_private/);
      }
      const scheme = await failure({ url: origin, query: { to: "file:///etc/passwd" } });
      assert.match(scheme.message, /neither http nor https/);
    },
  ));

Deno.test("http follows allowed redirects as browsers do and drops credentials between origins", () =>
  withServer(
    async (request) =>
      Response.json({
        method: request.method,
        body: await request.text(),
        headers: Object.fromEntries(request.headers),
      }),
    (target) =>
      withServer(
        async (request) => {
          const { pathname, searchParams } = new URL(request.url);
          if (pathname === "/end") {
            return Response.json({ auth: request.headers.get("authorization") });
          }
          await request.body?.cancel();
          return new Response(null, {
            status: Number(pathname.slice(1)),
            headers: { location: searchParams.get("to")! },
          });
        },
        async (origin) => {
          const call = async (status: number, to: string) =>
            (await outputs({
              url: `${origin}/${status}`,
              query: { to },
              method: "POST",
              body: "payload",
              headers: { authorization: "Bearer x", cookie: "a=b", "content-type": "text/plain" },
              allow_private: true,
            })).json as { method: string; body: string; headers: JsonObject; auth: string };
          for (const status of [301, 302, 303]) {
            const seen = await call(status, target);
            assert.deepEqual([seen.method, seen.body], ["GET", ""]);
            assert.equal(seen.headers["content-type"], undefined);
          }
          for (const status of [307, 308]) {
            const seen = await call(status, target);
            assert.deepEqual([seen.method, seen.body], ["POST", "payload"]);
            assert.equal(seen.headers.authorization, undefined);
            assert.equal(seen.headers.cookie, undefined);
          }
          assert.equal((await call(302, "/end")).auth, "Bearer x");
          const loop = { url: `${origin}/302`, query: { to: "/302?to=/302" }, allow_private: true };
          assert.equal((await failure({ ...loop, follow: 1 })).code, "http.redirects");
          assert.equal((await failure({ ...loop, follow: 0 })).code, "http.status");
          assert.equal((await outputs({ ...loop, status: 302 })).status, 302);
        },
      ),
  ));

Deno.test("http calls a connection that fails or breaks off transient (F1)", async () => {
  const listener = Deno.listen({ port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const refused = await failure({ url: `http://user:hidden@127.0.0.1:${port}/` });
  assert.equal(refused.code, "http.connection");
  assert.equal(refused.errorClass, "transient");
  assert.ok(!refused.message.includes("hidden"));
  await withRawServer(
    "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this",
    true,
    async (url) => {
      assert.equal((await failure({ url })).errorClass, "transient");
    },
  );
  await withRawServer("garbage\r\n\r\n", true, async (url) => {
    assert.equal((await failure({ url })).errorClass, "transient");
  });
});

Deno.test("http ends a server that drips when the time is up", () =>
  withRawServer("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\na", false, async (url) => {
    const { context, abort } = attempt("/tmp", { url });
    const running = step.run(context);
    setTimeout(
      () => abort(new StepError("attempt.timeout", "time is up", { errorClass: "timeout" })),
      100,
    );
    await assert.rejects(running, { code: "step.ended", errorClass: "timeout" });
  }));

Deno.test("http reads JSON of any json type, and says when it is none", () =>
  withServer(
    (request) => {
      const kind = new URL(request.url).pathname.slice(1);
      const type = kind === "problem"
        ? "application/problem+json"
        : "application/json; charset=utf-8";
      const body = kind === "bad" ? "{oops" : kind === "empty" ? "" : '{"a":1}';
      return new Response(kind === "latin" ? new Uint8Array([0xe9]) : body, {
        headers: { "content-type": kind === "latin" ? "text/plain; charset=iso-8859-1" : type },
      });
    },
    async (origin) => {
      assert.deepEqual((await outputs({ url: `${origin}/problem` })).json, { a: 1 });
      assert.ok(!("json" in await outputs({ url: `${origin}/empty` })));
      assert.equal((await outputs({ url: `${origin}/latin` })).body, "é");
      const bad = await failure({ url: `${origin}/bad` });
      assert.equal(bad.code, "http.json");
      assert.equal(bad.tail, "{oops");
    },
  ));

Deno.test("under Deno's own tracing a request still carries one trace context", async () => {
  const program = `
    import { httpStep } from ${JSON.stringify(new URL("./http.ts", import.meta.url).href)};
    import { attempt, testPorts } from ${
    JSON.stringify(new URL("./_test_context.ts", import.meta.url).href)
  };
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} },
      (request) => new Response(request.headers.get("traceparent")));
    const { context } = attempt("/tmp", { url: "http://127.0.0.1:" + server.addr.port });
    console.log((await httpStep(testPorts("/tmp")).run(context)).outputs.body);
    await server.shutdown();
    Deno.exit(0);`;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "--config",
      config,
      `data:text/javascript,${encodeURIComponent(program)}`,
    ],
    env: { OTEL_DENO: "true", OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9", NO_COLOR: "1" },
    stderr: "inherit",
  }).output();
  assert.match(
    new TextDecoder().decode(stdout),
    /^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01\n$/,
  );
});

Deno.test("public addresses are not private", () => {
  for (const address of ["8.8.8.8", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8"]) {
    assert.equal(isPrivateAddress(address), false, address);
  }
  for (const address of ["not an address", "1.2.3", "fe80::1%eth0", "ff02::1", "255.255.255.255"]) {
    assert.equal(isPrivateAddress(address), true, address);
  }
});
