import assert from "node:assert/strict";
import { cli, command, decoder, inFolder } from "../../engine/cli/_process_test.ts";
import { createEngine } from "../../engine/engine.ts";
import { traceRequest } from "../proto/definitions.ts";
import { receiverProcess } from "./receive_process.ts";

const TRACE = "0123456789abcdef0123456789abcdef";

function request(...spans: object[]): string {
  return JSON.stringify({
    resourceSpans: [{
      resource: { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] },
      scopeSpans: [{
        spans: spans.map((span, i) => ({
          traceId: TRACE,
          spanId: (i + 1).toString(16).padStart(16, "0"),
          startTimeUnixNano: "1700000000123456789",
          endTimeUnixNano: "1700000000223456789",
          ...span,
        })),
      }],
    }],
  });
}

async function send(
  url: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<number> {
  const response = await fetch(`${url}/v1/traces`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });
  await response.body?.cancel();
  return response.status;
}

/** Starts `tail` and reads its lines as they come. */
function tailing(folder: string, args: readonly string[]) {
  const child = command(folder, ["tail", ...args]).spawn();
  const reader = child.stdout.getReader();
  let out = "";
  return {
    async lines(count: number): Promise<string[]> {
      while (out.split("\n").length <= count) {
        const { value, done } = await reader.read();
        assert.ok(!done, `tail ended: ${out}`);
        out += decoder.decode(value, { stream: true });
      }
      return out.trimEnd().split("\n");
    },
    async stop(): Promise<number> {
      child.kill("SIGINT");
      await reader.cancel();
      await child.stderr.cancel();
      return (await child.status).code;
    },
  };
}

Deno.test("tail shows the spans of runs and received ones, whichever process stores them (J4, T2)", async () => {
  await using receiver = await receiverProcess([]);
  await inFolder(async (folder) => {
    const store = ["--store", receiver.store];
    assert.equal(await send(receiver.url, request({ name: "before" })), 200);
    // From the start, so that the test need not know when it has begun to look.
    const tail = tailing(folder, [...store, "--from", "start"]);
    assert.match((await tail.lines(1))[0], / {2}shop {2}before {2}100 ms$/);
    const hostile = request({
      spanId: "00000000000000aa",
      name: "\u001b[2J\nlater",
      status: { code: 2 },
    });
    assert.equal(await send(receiver.url, hostile), 200);
    assert.match((await tail.lines(2))[1], / {2}shop {2} ↵ later {2}100 ms {2}error$/);
    assert.equal((await cli(folder, ["run", "one.yaml", "-q", ...store])).code, 0);
    const [, , hello, run] = await tail.lines(4);
    assert.match(hello, / {2}spanloop {2}[0-9a-f]{8} {2}hello /);
    assert.match(run, / {2}spanloop {2}[0-9a-f]{8} {2}RUN one /);
    assert.equal(await tail.stop(), 0);
  });
});

Deno.test("tail filters by name, attribute and status, and prints OTLP's JSON for jq", async () => {
  await using receiver = await receiverProcess([]);
  await inFolder(async (folder) => {
    const attribute = (key: string, value: object) => ({ attributes: [{ key, value }] });
    const spans = [
      { name: "GET /a", ...attribute("http.route", { stringValue: "/a" }) },
      { name: "GET /b", status: { code: 2, message: "no" } },
      { name: "POST /a", ...attribute("big", { intValue: "9007199254740993" }) },
      {
        name: "list",
        ...attribute("tags", {
          arrayValue: { values: [{ stringValue: "x" }, { stringValue: "y" }] },
        }),
      },
    ];
    assert.equal(await send(receiver.url, request(...spans)), 200);
    const names = async (...args: string[]) => {
      const store = ["--store", receiver.store, "--once", "--json"];
      const { out, code, err } = await cli(folder, ["tail", ...store, ...args]);
      assert.equal(code, 0, err);
      const lines = out === "" ? [] : out.trimEnd().split("\n");
      return lines.map((line) => JSON.parse(line).resourceSpans[0].scopeSpans[0].spans[0].name);
    };
    assert.deepEqual(await names(), ["GET /a", "GET /b", "POST /a", "list"]);
    assert.deepEqual(await names("--name", "GET *"), ["GET /a", "GET /b"]);
    assert.deepEqual(await names("--name", "list", "--name", "POST*"), ["POST /a", "list"]);
    assert.deepEqual(await names("--status", "error"), ["GET /b"]);
    assert.deepEqual(await names("-a", "http.route=/a"), ["GET /a"]);
    assert.deepEqual(await names("-a", "big=9007199254740993"), ["POST /a"]);
    assert.deepEqual(await names("-a", "tags=y"), ["list"]);
    assert.deepEqual(await names("-a", "service.name=sh*", "--name", "list"), ["list"]);
    assert.deepEqual(await names("-a", "service.name=other"), []);
    assert.deepEqual(await names("-a", "toString=*"), []);
    // They ended in 2023.
    assert.deepEqual(await names("--from", "1h"), []);

    const { out } = await cli(folder, [
      "tail",
      "--store",
      receiver.store,
      "--once",
      "--json",
      "-a",
      "big=*",
    ]);
    // OpenTelemetry's own definitions read the line.
    const line = JSON.parse(out);
    const span = line.resourceSpans[0].scopeSpans[0].spans[0];
    assert.equal(span.attributes[0].value.intValue, "9007199254740993");
    assert.equal(span.startTimeUnixNano, "1700000000123456789");
    span.traceId = Uint8Array.fromHex(span.traceId);
    span.spanId = Uint8Array.fromHex(span.spanId);
    assert.ok(traceRequest.encode(line).length > 0);
  });
});

Deno.test("a run that exports to the receiver of its own store leaves each span there once (T2)", async () => {
  await using receiver = await receiverProcess(["--json"]);
  await inFolder(async (folder) => {
    const store = ["--store", receiver.store];
    const ran = await cli(folder, ["run", "items.yaml", "-q", ...store], {
      OTEL_TRACES_EXPORTER: "otlp",
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    });
    assert.equal(ran.code, 0, ran.err);
    const { counts } = await receiver.stop();
    const { spans, own_spans: own } = counts as { spans: number; own_spans: number };
    assert.equal(spans, 0);
    // The run and its step: batches are not exported unless the workflow asks for it.
    assert.equal(own, 2);
    const { out } = await cli(folder, ["tail", "--once", "--json", ...store]);
    const ids = out.trimEnd().split("\n").map((line) =>
      JSON.parse(line).resourceSpans[0].scopeSpans[0].spans[0].spanId
    );
    assert.equal(ids.length, 5);
    assert.equal(new Set(ids).size, 5);
  });
});

Deno.test("a token from the environment or a file is asked for, and never shown", async () => {
  await inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/token`, "from-a-file\n");
    for (
      const [args, token] of [
        [["--token-env", "OTLP_TOKEN"], "from-the-environment"],
        [["--token-file", `${folder}/token`], "from-a-file"],
      ] as const
    ) {
      await using receiver = await receiverProcess([...args, "--json"], {
        OTLP_TOKEN: "from-the-environment",
      });
      assert.equal(await send(receiver.url, request({ name: "a" })), 401);
      const authorization = `Bearer ${token}`;
      assert.equal(await send(receiver.url, request({ name: "a" }), { authorization }), 200);
      const { counts } = await receiver.stop();
      assert.deepEqual((counts as { refused: unknown }).refused, { 401: 1 });
    }
  });
});

Deno.test("receive and tail say what is wrong with what they were given", async () => {
  await using receiver = await receiverProcess([]);
  await inFolder(async (folder) => {
    const port = new URL(receiver.url).port;
    const fails = async (args: string[], code: number, message: RegExp) => {
      const ended = await cli(folder, args);
      assert.match(ended.err, message);
      assert.equal(ended.code, code);
    };
    await fails(
      ["receive", "--port", port],
      1,
      /another program has the port; stop that one or choose/,
    );
    await fails(["receive", "--port", "70000"], 2, /--port takes a number from 0 to 65535/);
    await fails(["receive", "--token-env", "NONE"], 2, /The variable NONE has no token/);
    await fails(["receive", "--token-file", "none"], 2, /Cannot read none/);
    await fails(["receive", "--token-file", "a", "--token-env", "B"], 2, /not both/);
    await fails(["serve", ".", "--otlp", "here"], 2, /--otlp takes a port or HOST:PORT/);
    await Deno.writeTextFile(`${folder}/token`, "x");
    await fails(["serve", ".", "--token-file", "token"], 2, /A token is for --otlp/);
    await Deno.writeTextFile(`${folder}/token`, "a b");
    await fails(["receive", "--token-file", "token"], 2, /a token that no header can carry/);
    await fails(["tail", "--from", "yesterday"], 2, /--from takes now, start or an age/);
    await fails(["tail", "--attribute", "x"], 2, /--attribute takes KEY=VALUE/);
    const none = await Deno.makeTempDir();
    await fails(["tail", "--store", `sqlite:${none}/none.db`], 2, /There is no store at .* yet/);
    await Deno.remove(none, { recursive: true });
  });
});

Deno.test("serve takes telemetry beside its schedules", async () => {
  const folder = await Deno.makeTempDir({ prefix: "receive-" });
  const engine = await createEngine({ near: folder, store: `sqlite:${folder}/store.db` });
  const stop = new AbortController();
  let url = "";
  const listening = new Promise<void>((resolve) =>
    engine.onLog(({ body }) => {
      url = /^receiving OTLP on (.*)$/.exec(body)?.[1] ?? url;
      if (url !== "") resolve();
    })
  );
  const served = engine.serve(folder, {
    signal: stop.signal,
    receiver: { host: "127.0.0.1", port: 0 },
  });
  await listening;
  assert.equal(await send(url, request({ name: "a" })), 200);
  const names: string[] = [];
  const once = { from: "start", follow: false, signal: stop.signal } as const;
  for await (const { span } of engine.tail(once)) names.push(span.name);
  assert.deepEqual(names, ["a"]);
  stop.abort();
  await served;
  await assert.rejects(send(url, request()));
  await engine.close();
  await Deno.remove(folder, { recursive: true });
});
