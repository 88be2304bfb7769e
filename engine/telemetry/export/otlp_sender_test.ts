import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { gunzipSync } from "node:zlib";
import * as grpc from "@grpc/grpc-js";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { systemClock } from "../../system.ts";
import { Tracing } from "../provider.ts";
import type { OtlpSettings } from "../settings.ts";
import { otlpGrpcSender } from "./otlp_grpc.ts";
import { otlpHttpSender } from "./otlp_http.ts";
import { spanSerializer } from "./otlp_serializers.ts";

const clock = systemClock();

function settings(more: Partial<OtlpSettings>): OtlpSettings {
  return {
    protocol: "http/protobuf",
    endpoint: "http://127.0.0.1:1/v1/traces",
    headers: {},
    timeoutMs: 2_000,
    compression: "none",
    insecure: true,
    ...more,
  };
}

function span(): ReadableSpan {
  const ended: ReadableSpan[] = [];
  const tracing = new Tracing([{
    onStart: () => {},
    onEnd: (span) => void ended.push(span as ReadableSpan),
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  }]);
  const start = {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    name: "load",
    kind: "internal",
    startTime: 1_700_000_000_123_456_789n,
    attributes: {},
  } as const;
  tracing.end(tracing.start(start), { endTime: start.startTime, error: false, attributes: {} });
  return ended[0];
}

function http(more: Partial<OtlpSettings>) {
  const all = settings(more);
  return otlpHttpSender("traces", all, spanSerializer(all.protocol), clock);
}

/** A port where nobody listens. */
function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

async function served(
  handler: (request: Request) => Response | Promise<Response>,
  test: (endpoint: string) => Promise<void>,
  tls: { cert?: string; key?: string } = {},
): Promise<void> {
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {}, ...tls };
  const server = Deno.serve(options as Deno.ServeTcpOptions, handler);
  const scheme = tls.cert === undefined ? "http" : "https";
  try {
    await test(`${scheme}://localhost:${server.addr.port}/v1/traces`);
  } finally {
    await server.shutdown();
  }
}

Deno.test("a batch arrives as the protocol and compression say, with the headers", async () => {
  const heard: [string, string, string | null, number][] = [];
  await served(async (request) => {
    const { headers } = request;
    const bytes = new Uint8Array(await request.arrayBuffer());
    const body = headers.get("content-encoding") === "gzip" ? gunzipSync(bytes) : bytes;
    heard.push([
      headers.get("content-type")!,
      headers.get("authorization")!,
      headers.get("content-encoding"),
      new TextDecoder().decode(body).includes("load") ? 1 : 0,
    ]);
    return new Response();
  }, async (endpoint) => {
    const headers = { authorization: "Bearer k" };
    for (const protocol of ["http/json", "http/protobuf"] as const) {
      for (const compression of ["none", "gzip"] as const) {
        const sender = http({ endpoint, headers, protocol, compression });
        assert.deepEqual(await sender.send([span()]), { status: "ok" });
        await sender.close();
      }
    }
  });
  assert.deepEqual(heard, [
    ["application/json", "Bearer k", null, 1],
    ["application/json", "Bearer k", "gzip", 1],
    ["application/x-protobuf", "Bearer k", null, 1],
    ["application/x-protobuf", "Bearer k", "gzip", 1],
  ]);
});

Deno.test("credentials in the URL are sent as a header, and the name shows none", async () => {
  const { name } = http({ endpoint: "http://user:secret@host:4318/v1/traces?key=secret" });
  assert.equal(name, "otlp http/protobuf http://host:4318/v1/traces");
  let heard: string | null = null;
  await served((request) => {
    heard = request.headers.get("authorization");
    return new Response();
  }, async (endpoint) => {
    const sender = http({ endpoint: endpoint.replace("//", "//us%40er:s%3Acret@") });
    assert.deepEqual(await sender.send([span()]), { status: "ok" });
    await sender.close();
  });
  assert.equal(heard, `Basic ${btoa("us@er:s:cret")}`);
});

Deno.test("an answer is told apart: taken, taken in part, later, never", async () => {
  const answers: [Response, unknown][] = [
    [new Response(), { status: "ok" }],
    [
      Response.json({ partialSuccess: { rejectedSpans: "2", errorMessage: "too old" } }),
      { status: "ok", rejected: 2, message: "too old" },
    ],
    [Response.json({ partialSuccess: {} }), { status: "ok", rejected: 0, message: undefined }],
    [new Response("not json"), { status: "ok", rejected: 0, message: undefined }],
    [
      new Response(null, { status: 429, headers: { "retry-after": "7" } }),
      { status: "retry", message: "429 Too Many Requests", afterMs: 7_000 },
    ],
    [
      new Response("go\n away", { status: 503 }),
      { status: "retry", message: "503 Service Unavailable: go away", afterMs: undefined },
    ],
    [
      new Response("<html>", { headers: { "content-type": "text/html; charset=utf-8" } }),
      { status: "failed", message: "The answer is a web page: no receiver of OTLP is there" },
    ],
    [
      new Response(null, { status: 307, headers: { location: "/elsewhere" } }),
      {
        status: "failed",
        message: "307 Temporary Redirect: redirects are not followed, set the endpoint to where " +
          "it really is",
      },
    ],
    [new Response(null, { status: 413 }), {
      status: "too_large",
      message: "413 Payload Too Large",
    }],
    [new Response(null, { status: 400 }), { status: "failed", message: "400 Bad Request" }],
    [new Response(null, { status: 500 }), {
      status: "failed",
      message: "500 Internal Server Error",
    }],
  ];
  for (const [response, expected] of answers) {
    await served(() => response, async (endpoint) => {
      const sender = http({ endpoint, protocol: "http/json" });
      assert.deepEqual(await sender.send([span()]), expected);
      await sender.close();
    });
  }
});

Deno.test("nobody there, no answer in time, a redirect, a flood: each is told, none throws (J5)", async () => {
  const port = freePort();
  const refused = await http({ endpoint: `http://127.0.0.1:${port}/v1/traces` }).send([span()]);
  assert.equal(refused.status, "retry");
  assert.match(refused.status === "retry" ? refused.message : "", /refused/i);
  await served(
    () => new Promise<Response>((resolve) => setTimeout(resolve, 200, new Response())),
    async (
      endpoint,
    ) => {
      const sender = http({ endpoint, timeoutMs: 20 });
      assert.deepEqual(await sender.send([span()]), {
        status: "retry",
        message: "No answer within 20 ms",
      });
      const closed = http({ endpoint });
      const sending = closed.send([span()]);
      await closed.close();
      assert.equal((await sending).status, "retry");
    },
  );
  await served(
    () => new Response(null, { status: 302, headers: { location: "http://127.0.0.1:1/" } }),
    async (endpoint) => assert.equal((await http({ endpoint }).send([span()])).status, "failed"),
  );
  await served(() => new Response(new Uint8Array(5 << 20)), async (endpoint) => {
    const sent = await http({ endpoint }).send([span()]);
    assert.match(sent.status === "failed" ? sent.message : "", /longer than 4 MiB/);
  });
  // Taken, and then the answer breaks off.
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const breaking = (async () => {
    const connection = await listener.accept();
    await connection.read(new Uint8Array(64 << 10));
    const answer = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{";
    await connection.write(new TextEncoder().encode(answer));
    connection.close();
    listener.close();
  })();
  const endpoint = `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}/v1/traces`;
  assert.deepEqual(await http({ endpoint }).send([span()]), { status: "ok" });
  await breaking;
});

Deno.test("certificates: a private authority is trusted when it is named, and only then", async () => {
  const folder = Deno.makeTempDirSync();
  const file = (name: string) => `${folder}/${name}`;
  execFileSync("openssl", [
    ..."req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost".split(" "),
    ...["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"],
    ...["-keyout", file("key.pem"), "-out", file("cert.pem")],
  ], { stdio: "ignore" });
  const tls = {
    cert: Deno.readTextFileSync(file("cert.pem")),
    key: Deno.readTextFileSync(file("key.pem")),
  };
  await served(() => new Response(), async (endpoint) => {
    const strange = await http({ endpoint }).send([span()]);
    assert.match(strange.status === "retry" ? strange.message : "", /certificate/i);
    const sender = http({ endpoint, certificate: file("cert.pem") });
    assert.deepEqual(await sender.send([span()]), { status: "ok" });
    await sender.close();
  }, tls);
  assert.throws(
    () => http({ endpoint: "https://localhost/", certificate: file("none.pem") }),
    /Cannot read the certificate .*none\.pem/,
  );
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("over gRPC a batch arrives with its headers, and each status is told apart", async () => {
  const heard: [string, boolean][] = [];
  let answer: Partial<grpc.ServiceError> | null = null;
  const server = new grpc.Server();
  const raw = (bytes: Buffer) => bytes;
  server.addService({
    Export: {
      path: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
      requestStream: false,
      responseStream: false,
      requestSerialize: raw,
      requestDeserialize: raw,
      responseSerialize: raw,
      responseDeserialize: raw,
    },
  }, {
    Export: (
      call: grpc.ServerUnaryCall<Buffer, Buffer>,
      done: grpc.sendUnaryData<Buffer>,
    ) => {
      heard.push([String(call.metadata.get("api-key")[0]), call.request.includes("load")]);
      done(answer as grpc.ServiceError | null, Buffer.alloc(0));
    },
  });
  const bind = Promise.withResolvers<number>();
  server.bindAsync(
    "127.0.0.1:0",
    grpc.ServerCredentials.createInsecure(),
    (error, port) => error === null ? bind.resolve(port) : bind.reject(error),
  );
  const endpoint = `http://127.0.0.1:${await bind.promise}`;
  const grpcSender = (more: Partial<OtlpSettings>) =>
    otlpGrpcSender(
      "traces",
      settings({ protocol: "grpc", endpoint, ...more }),
      spanSerializer("grpc"),
      clock,
    );
  const sender = grpcSender({ headers: { "api-key": "k" }, compression: "gzip" });
  assert.deepEqual(await sender.send([span()]), { status: "ok" });
  answer = { code: grpc.status.INVALID_ARGUMENT, details: "bad" };
  assert.deepEqual(await sender.send([span()]), {
    status: "failed",
    message: "INVALID_ARGUMENT: bad",
  });
  answer = { code: grpc.status.RESOURCE_EXHAUSTED, details: "full" };
  // Without a RetryInfo it is not to be tried again.
  const full = { status: "failed", message: "RESOURCE_EXHAUSTED: full" };
  assert.deepEqual(await sender.send([span()]), full);
  const metadata = new grpc.Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from("type.googleapis.com/google.rpc.RetryInfo"));
  answer = { ...answer, metadata };
  assert.deepEqual(await sender.send([span()]), { ...full, status: "retry" });
  answer = { code: grpc.status.RESOURCE_EXHAUSTED, details: "message larger than max (2 vs. 1)" };
  assert.equal((await sender.send([span()])).status, "too_large");
  answer = { code: grpc.status.UNAVAILABLE, details: "later" };
  assert.equal((await sender.send([span()])).status, "retry");
  assert.deepEqual(new Set(heard.map(([key, whole]) => `${key} ${whole}`)), new Set(["k true"]));
  await sender.close();
  server.forceShutdown();
  const nobody = grpcSender({ endpoint: `http://127.0.0.1:${freePort()}` });
  const refused = await nobody.send([span()]);
  assert.equal(refused.status === "retry" && refused.unreachable, true);
  await nobody.close();
});

Deno.test("a gRPC endpoint is an address: its path and query are neither dialled nor shown", async () => {
  const named = (endpoint: string) =>
    otlpGrpcSender(
      "traces",
      settings({ protocol: "grpc", endpoint }),
      spanSerializer("grpc"),
      clock,
    );
  for (
    const [endpoint, name] of [
      ["http://127.0.0.1:4317/a/path?token=secret", "127.0.0.1:4317"],
      ["http://[::1]:4317", "[::1]:4317"],
      ["http://collector:80/", "collector:80"],
      ["http://collector", "collector:80"],
      ["https://collector/", "collector:443"],
      ["unix:///run/collector.sock", "unix:///run/collector.sock"],
      ["dns:///collector:4317", "dns:///collector:4317"],
      ["collector:4317", "collector:4317"],
    ]
  ) {
    const sender = named(endpoint);
    assert.equal(sender.name, `otlp grpc ${name}`);
    await sender.close();
  }
});

Deno.test("what is no HTTP is told of without the URL, whose query may hold a secret", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answering = (async () => {
    const connection = await listener.accept();
    await connection.read(new Uint8Array(64 << 10));
    await connection.write(new TextEncoder().encode("what?\r\n\r\n"));
    connection.close();
    listener.close();
  })();
  const { port } = listener.addr as Deno.NetAddr;
  const sent = await http({ endpoint: `http://127.0.0.1:${port}/v1/traces?key=secret` })
    .send([span()]);
  await answering;
  assert.deepEqual(sent, {
    status: "retry",
    message: "invalid HTTP version parsed",
    unreachable: true,
  });
});

Deno.test("a proxy that is not there is told of by the sender alone, not on stderr by the library", () => {
  const module = (path: string) => JSON.stringify(import.meta.resolve(path));
  const code = `
    import { otlpGrpcSender } from ${module("./otlp_grpc.ts")};
    import { systemClock } from ${module("../../system.ts")};
    const settings = { protocol: "grpc", endpoint: "http://collector:4317", headers: {}, timeoutMs: 2000,
      compression: "none", insecure: true };
    const serializer = { serializeRequest: () => new Uint8Array(1), rejected: () => ({}) };
    const sender = otlpGrpcSender("traces", settings, serializer, systemClock());
    console.log(JSON.stringify(await sender.send([1])));
    Deno.exit(0);`;
  const { stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", "--ext=ts", code],
    env: {
      grpc_proxy: `http://127.0.0.1:${freePort()}`,
      NO_COLOR: "1",
      no_grpc_proxy: "",
      no_proxy: "",
    },
  }).outputSync();
  assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), {
    status: "retry",
    message: "UNAVAILABLE: No connection established",
    unreachable: true,
  });
  assert.equal(new TextDecoder().decode(stderr), "");
});
