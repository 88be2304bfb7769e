import assert from "node:assert/strict";
import { systemClock } from "../system.ts";
import { isLoopback, listen } from "./listener.ts";

const { after } = systemClock();
const HERE = { host: "127.0.0.1", port: 0 };

Deno.test("it answers where it says it does, and no longer once it is closed", async () => {
  const listener = listen(HERE, (request) => Promise.resolve(new Response(request.method)), after);
  const response = await fetch(listener.url, { method: "POST", body: "x" });
  assert.equal(await response.text(), "POST");
  await listener.close();
  await assert.rejects(fetch(listener.url));
});

Deno.test("a port that another program has is an error that says what to do", async () => {
  const listener = listen(HERE, () => Promise.resolve(new Response()), after);
  const port = Number(new URL(listener.url).port);
  assert.throws(() => listen({ ...HERE, port }, () => Promise.resolve(new Response()), after), {
    code: "server.listen",
    message: `Cannot listen on 127.0.0.1:${port}: another program has the port; ` +
      "stop that one or choose another --port",
  });
  await listener.close();
});

Deno.test("an address that is not this machine's is an error that says what to do", () => {
  // TEST-NET-1 of RFC 5737 is nobody's.
  assert.throws(
    () => listen({ host: "192.0.2.1", port: 0 }, () => Promise.resolve(new Response()), after),
    {
      code: "server.listen",
      message: /choose another --host/,
    },
  );
});

Deno.test("a handler that throws is a 500 without a word of why", async () => {
  const listener = listen(HERE, () => Promise.reject(new Error("secret")), after);
  const response = await fetch(listener.url);
  assert.equal(response.status, 500);
  assert.doesNotMatch(await response.text(), /secret/);
  await listener.close();
});

Deno.test("closing waits for a request under way, but not for one that never ends", async () => {
  let begun!: () => void;
  const begins = new Promise<void>((resolve) => begun = resolve);
  let answer!: (response: Response) => void;
  const handler = () => {
    begun();
    return new Promise<Response>((resolve) => answer = resolve);
  };
  const one = listen(HERE, handler, after);
  const response = fetch(one.url);
  await begins;
  const closed = one.close();
  answer(new Response("done"));
  assert.equal(await (await response).text(), "done");
  await closed;

  // The clock's timer fires as soon as it is set: the grace is over.
  const begins2 = new Promise<void>((resolve) => begun = resolve);
  const two = listen(HERE, handler, (_ms, fire) => after(0, fire));
  const never = fetch(two.url).catch((error) => error);
  await begins2;
  await two.close();
  assert.ok(await never instanceof Error);
});

Deno.test("a sender that opens connections and says nothing keeps nobody else out", async () => {
  const listener = listen(HERE, () => Promise.resolve(new Response("ok")), after);
  const port = Number(new URL(listener.url).port);
  const silent = await Promise.all(
    Array.from({ length: 50 }, () => Deno.connect({ hostname: "127.0.0.1", port })),
  );
  const text = new TextEncoder();
  for (const connection of silent) {
    await connection.write(text.encode("POST /v1/traces HTTP/1.1\r\nX-"));
  }
  assert.equal(await (await fetch(listener.url)).text(), "ok");
  await listener.close();
  for (const connection of silent) connection.close();
});

Deno.test("a listener says whether only this machine reaches it, however its host was written", async () => {
  for (const [host, expected] of [["[::1]", true], ["127.1", true], ["0.0.0.0", false]] as const) {
    const listener = listen({ host, port: 0 }, () => Promise.resolve(new Response()), after);
    assert.equal(listener.loopback, expected, host);
    await listener.close();
  }
});

Deno.test("isLoopback knows what only this machine reaches", () => {
  for (const host of ["localhost", "127.0.0.1", "127.1.2.3", "::1"]) assert.ok(isLoopback(host));
  for (const host of ["0.0.0.0", "::", "127.0.0.1.example.com", "10.0.0.1"]) {
    assert.ok(!isLoopback(host));
  }
});
