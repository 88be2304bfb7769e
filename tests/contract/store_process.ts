/**
 * A process of its own for tests of the store: `store_process.ts FILE ACTION [COUNT]`. It stands for an engine that
 * is killed, starts at the same time as another, or runs out of disk.
 */
import { SpanloopError } from "../../engine/core/errors.ts";
import { openStore } from "../../engine/store/open.ts";
import { change, emitted, end, first, HERE, journal, newRun, start, T0 } from "./store_entries.ts";

const [file, action] = Deno.args;
const open = (options = {}) => openStore(`sqlite:${file}`, { durability: "full", ...options });

/** The code of what `body` throws, or `nothing`. */
async function codeOf(body: () => Promise<unknown>): Promise<string> {
  try {
    await body();
    return "nothing";
  } catch (error) {
    if (error instanceof SpanloopError) return error.code;
    throw error;
  }
}

/** Commits for ever, and prints each position once it is acknowledged. */
async function write(): Promise<void> {
  const store = await open();
  const lines = new TextEncoder();
  await store.commit([newRun("a")], new Map());
  for (let i = 0;; i++) {
    const outputs = { text: "x".repeat(i % 50 === 0 ? 70_000 : 7) };
    const { records } = await store.commit(
      [end("a", `s${i}`, { outputs }), start("a", `s${i + 1}`)],
      first("a"),
    );
    for (const { position } of records) Deno.stdout.writeSync(lines.encode(`${position}\n`));
  }
}

/** Opens, perhaps as the first, and leaves a run. */
async function create(): Promise<void> {
  const store = await open();
  const runId = `run-${Deno.pid}`;
  const { lost } = await store.commit([newRun(runId), start(runId, "x")], new Map());
  console.log(lost.length);
  await store.close();
}

/**
 * Counts one parameter up by proposals, each against the newest version, as often as is asked or for ever.
 * Prints each change's number once it is acknowledged.
 */
async function decide(): Promise<void> {
  const store = await open();
  const lines = new TextEncoder();
  const count = Number(Deno.args[2] ?? Infinity);
  for (let i = 0; i < count;) {
    const { version, values } = await store.snapshot("test");
    const changes = { batch: Number(values.batch ?? 0) + 1 };
    const result = await store.decide(...change(`${Deno.pid} ${i}`, version, { changes }));
    if ("stale" in result) continue;
    Deno.stdout.writeSync(lines.encode(`${result.entry.number}\n`));
    i++;
  }
  await store.close();
}

/**
 * Emits one span after another for ever, from where the cursor stands, as a plugins' host does whose predecessor was
 * killed: the last span is emitted again with the next. Prints the cursor once it is acknowledged.
 */
async function react(): Promise<void> {
  const store = await open();
  const lines = new TextEncoder();
  const result = await store.acquire("plugins", {
    holder: HERE,
    now: T0,
    expiresAt: T0 + 1n,
    isDead: () => true,
  });
  if (!("acquired" in result)) throw new Error("The lease is held");
  for (let i = Number(await store.getItem("cursor") ?? 0);; i++) {
    const reaction = {
      spans: [emitted(Math.max(0, i - 1)), emitted(i)],
      items: { cursor: String(i + 1), [`state/${i % 3}`]: i % 2 === 0 ? "x".repeat(9_000) : null },
      at: T0,
    };
    const records = await store.react(result.acquired, reaction);
    if (records?.length !== 1) throw new Error(`${records?.length} spans were new`);
    Deno.stdout.writeSync(lines.encode(`${i + 1}\n`));
  }
}

/** Fills the disk by rows, then by spilled outputs; frees some; goes on. */
async function fill(): Promise<void> {
  const store = await open();
  await store.commit([newRun("a"), start("a", "first")], new Map());
  let acknowledged = 1;
  const more = async (bytes: number) => {
    for (;;) {
      await store.commit([end("a", "x", { outputs: { text: "x".repeat(bytes) } })], first("a"));
      acknowledged++;
    }
  };
  const spilling = await codeOf(() => more(200_000));
  const rows = await codeOf(() => more(20_000));
  await Deno.remove(`${file}.ballast`);
  await store.commit([end("a", "last")], first("a"));
  const kept = (await journal(store, "a")).length;
  console.log(JSON.stringify({ spilling, rows, complete: kept === acknowledged + 1 }));
  await store.close();
}

/** Uses a store that cannot be written, in both ways of opening it. */
async function readOnly(): Promise<void> {
  const store = await open({ readOnly: true });
  const read = (await store.runs({})).length;
  const write = await codeOf(() => store.commit([newRun("b")], new Map()));
  await store.close();
  const writable = await codeOf(async () => {
    const store = await open();
    await store.setItem("a", String(T0));
  });
  const created = await codeOf(() => openStore(`sqlite:${file}.new`, { durability: "full" }));
  console.log(JSON.stringify({ read, write, writable, created }));
}

const actions: Record<string, () => Promise<void>> = {
  write,
  create,
  decide,
  react,
  fill,
  readOnly,
};
await actions[action]();
