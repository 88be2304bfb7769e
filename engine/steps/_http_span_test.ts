import assert from "node:assert/strict";
import { StepError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { AttemptContext } from "../core/step.ts";
import { attempt, testPorts } from "./_test_context.ts";
import { httpStep } from "./http.ts";

const SECRETS = { secrets: ["hush-hush"] };

interface Asked {
  readonly path: string;
  readonly headers: Headers;
}

// A server that redirects `/to?to=URL` and otherwise answers with the status that its path names.
async function withServer(test: (origin: string, asked: Asked[]) => Promise<void>): Promise<void> {
  const asked: Asked[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { pathname, searchParams } = new URL(request.url);
    asked.push({ path: pathname, headers: request.headers });
    const to = searchParams.get("to");
    if (to !== null) return new Response(null, { status: 303, headers: { location: to } });
    return new Response("", { status: Number(pathname.slice(1)) || 200 });
  });
  try {
    await test(`http://127.0.0.1:${server.addr.port}`, asked);
  } finally {
    await server.shutdown();
  }
}

async function run(
  inputs: JsonObject,
  changes: Partial<AttemptContext> & { readonly secrets?: readonly string[] } = {},
): Promise<{ readonly attributes?: JsonObject; readonly message: string }> {
  const { context } = attempt("/tmp", inputs, { ...SECRETS, ...changes });
  return await httpStep(testPorts("/tmp")).run(context).then(
    ({ attributes }) => ({ attributes: attributes as JsonObject, message: "" }),
    (error) => {
      assert.ok(error instanceof StepError, error);
      return { attributes: error.attributes, message: error.message };
    },
  );
}

Deno.test("an http attempt's span says what was asked and answered, without what is private", () =>
  withServer(async (origin) => {
    const { port } = new URL(origin);
    const url = `http://ann:pw@127.0.0.1:${port}/201?token=abc`;
    const given = await run({ url, method: "POST", query: { key: "k3y" } });
    assert.deepEqual(given.attributes, {
      "http.request.method": "POST",
      "url.full": `http://REDACTED:REDACTED@127.0.0.1:${port}/201?token=REDACTED&key=REDACTED`,
      "server.address": "127.0.0.1",
      "server.port": Number(port),
      "http.response.status_code": 201,
    });
    const refused = await run({ url: `${origin}/503?token=abc` }, { attempt: 3 });
    assert.equal(refused.attributes?.["http.response.status_code"], 503);
    assert.equal(refused.attributes?.["http.request.resend_count"], 2, "it is the third try");
    assert.ok(!refused.message.includes("abc"), refused.message);
  }));

Deno.test("after redirects an http attempt's span is of the last request", () =>
  withServer(async (origin) => {
    const to = "/to?to=/202?a=b";
    const { attributes } = await run({
      url: `${origin}/to`,
      query: { to },
      method: "POST",
      allow_private: true,
    });
    assert.equal(attributes?.["url.full"], `${origin}/202?a=REDACTED`);
    assert.equal(attributes?.["http.request.method"], "GET");
    assert.equal(attributes?.["http.response.status_code"], 202);
    assert.equal(attributes?.["http.request.resend_count"], 2);
  }));

Deno.test("an http attempt that gets no answer says whom it asked, and the message no secret", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  listener.close();
  const { attributes, message } = await run({ url: `http://ann:pw@127.0.0.1:${port}/?key=k3y` });
  assert.equal(attributes?.["server.port"], port);
  assert.equal(attributes?.["http.response.status_code"], undefined);
  assert.match(message, /failed/);
  for (const part of ["k3y", "pw@", "ann"]) assert.ok(!message.includes(part), message);
  const none = await run({ url: "nonsense//ann:pw@host?key=k3y" });
  assert.equal(none.attributes, undefined, "nothing was sent");
  for (const part of ["k3y", "pw@"]) assert.ok(!none.message.includes(part), none.message);
});

Deno.test("a refused redirect is shown without its credentials and its query's values", () =>
  withServer(async (origin) => {
    for (
      const to of ["http://ann:pw@10.0.0.1/?key=k3y", "/there?key=k3y", "//ann:pw@[::/?key=k3y"]
    ) {
      const { message, attributes } = await run({ url: `${origin}/to`, query: { to } });
      assert.match(message, /redirects to/);
      for (const part of ["k3y", "pw@"]) assert.ok(!message.includes(part), message);
      assert.equal(attributes?.["http.response.status_code"], 303);
    }
  }));

Deno.test("baggage goes where the author says, and follows no redirect to another origin", () =>
  withServer((origin, asked) =>
    withServer(async (other, strange) => {
      const carried = { traceState: "v=1", baggage: "team=data" };
      const call = (inputs: JsonObject) => run({ allow_private: true, ...inputs }, carried);
      const kept = (headers: Headers) =>
        ["traceparent", "tracestate", "baggage"].map((name) => headers.has(name));
      await call({ url: `${origin}/to`, query: { to: "/200" } });
      assert.deepEqual(asked.map(({ headers }) => kept(headers)), [
        [true, true, true],
        [true, true, true],
      ]);
      await call({ url: `${origin}/to`, query: { to: `${other}/200` } });
      assert.deepEqual(strange.map(({ headers }) => kept(headers)), [[true, false, false]]);
      strange.length = 0;
      await call({ url: `${other}/200`, baggage: false });
      await call({ url: `${other}/200`, baggage: false, headers: { baggage: "mine=1" } });
      assert.deepEqual(strange.map(({ headers }) => headers.get("baggage")), [null, "mine=1"]);
    })
  ));

Deno.test("an address in brackets is told without them, and a port that is not named is the scheme's", async () => {
  const { requestAttributes } = await import("./_http_span.ts");
  const sent = { method: "FETCH", url: new URL("https://[2001:db8::1]/"), redirects: 0 };
  assert.deepEqual(requestAttributes(sent, 1), {
    "http.request.method": "_OTHER",
    "url.full": "https://[2001:db8::1]/",
    "server.address": "2001:db8::1",
    "server.port": 443,
  });
});
