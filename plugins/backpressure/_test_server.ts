/**
 * An HTTP server that saturates, for the test: two threads hash, a few requests wait for them, and what comes beyond is
 * refused with 503. Nothing in it sleeps; a refused request costs what it costs to refuse it. It is a process of its own,
 * and prints its port.
 */
const SLOTS = 2;
const QUEUE = 6;

const free = Array.from(
  { length: SLOTS },
  () => new Worker(new URL("_test_slot.ts", import.meta.url), { type: "module" }),
);
const waiting: ((slot: Worker) => void)[] = [];

async function hashed(): Promise<string> {
  const slot = free.pop() ?? await new Promise<Worker>((resolve) => void waiting.push(resolve));
  const digest = await new Promise<string>((resolve) => {
    slot.onmessage = ({ data }) => resolve(data);
    slot.postMessage(0);
  });
  const next = waiting.shift();
  if (next === undefined) free.push(slot);
  else next(slot);
  return digest;
}

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(port),
}, async () => {
  if (free.length === 0 && waiting.length >= QUEUE) {
    return new Response("busy\n", { status: 503 });
  }
  return new Response(await hashed());
});
