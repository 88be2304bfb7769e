/**
 * Kills engines that host plugins, at any moment of an event's way through one: before its answer, between its
 * proposal, the decision and the snapshot, before its spans, state and cursor are written. What is in the store after
 * each kill, and at the end, is what undisturbed plugins would have made of what they have heard (P2, T3, J4).
 */
import assert from "node:assert/strict";
import type { EmittedRecord, StoreRecord } from "../../engine/core/span.ts";
import type { Store } from "../../engine/core/store.ts";
import { readRecord } from "../../engine/host/record.ts";
import { openStore } from "../../engine/store/open.ts";

const PROCESS = new URL("plugin_process.ts", import.meta.url).pathname;
const WORKFLOW = new URL("workflows/tuned.yaml", import.meta.url).pathname;

// A store is killed over so often, then brought to its end and checked once more.
const KILLS_A_STORE = 10;
const RUNS_A_PROCESS = 2;
const ATTEMPTS_A_RUN = 11;

/** What to do. */
export interface PluginCampaignOptions {
  /** Decides how it is killed. */
  readonly seed: number;
  /** How many kills to make. */
  readonly kills: number;
  /** Processes at once. */
  readonly parallel: number;
  /** Told of each store that is through. */
  readonly onStore?: (line: string) => void;
}

/** What was done. */
export interface PluginCampaignResult {
  /** Processes that were killed. */
  kills: number;
  /** Of them those after which decisions stood in the ledger that no cursor had passed yet. */
  between: number;
  /** Attempts that plugins heard of. */
  events: number;
  /** Entries of the ledgers. */
  decisions: number;
  /** How many kills of each kind. */
  readonly kinds: Record<string, number>;
}

/** Runs a campaign; throws AssertionError, with the seed and the store in it. */
export async function pluginCampaign(
  options: PluginCampaignOptions,
): Promise<PluginCampaignResult> {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-chaos-plugins-" });
  const result: PluginCampaignResult = { kills: 0, between: 0, events: 0, decisions: 0, kinds: {} };
  let next = 0;
  let failed = false;
  const worker = async () => {
    while (!failed && result.kills < options.kills) {
      const number = next++;
      const file = `${folder}/store-${number}.db`;
      try {
        await disturb(file, randomFrom(options.seed * 1_000_003 + number), options.kills, result);
        options.onStore?.(`store ${number}: ${result.kills} kills so far`);
      } catch (cause) {
        failed = true;
        throw new Error(`store ${number} of seed ${options.seed}: ${file}`, { cause });
      }
    }
  };
  await Promise.all(Array.from({ length: options.parallel }, worker));
  await Deno.remove(folder, { recursive: true });
  return result;
}

async function disturb(
  file: string,
  random: () => number,
  most: number,
  result: PluginCampaignResult,
): Promise<void> {
  // One that is killed at once has made none.
  await (await openStore(`sqlite:${file}`, { durability: "normal" })).close();
  for (let kills = 0; kills < KILLS_A_STORE && result.kills < most;) {
    const kill = plan(random);
    const code = await runProcess(file, kill.env, kill.afterMs);
    if (code === 0) continue; // it was done before its time had come
    assert.equal(code, 137);
    kills++;
    result.kills++;
    const kind = kill.env.split(":")[0] || "outside";
    result.kinds[kind] = (result.kinds[kind] ?? 0) + 1;
    if ((await check(file)).ahead > 0) result.between++;
  }
  assert.equal(await runProcess(file, ""), 0);
  const { ahead, left, events, decisions } = await check(file);
  assert.deepEqual([ahead, left], [0, 0], "plugins have heard everything");
  result.events += events;
  result.decisions += decisions;
}

function plan(random: () => number): { readonly env: string; readonly afterMs?: number } {
  const at = 1 + Math.floor(random() * RUNS_A_PROCESS * ATTEMPTS_A_RUN);
  const kinds = [
    () => ({ env: `event:${at}` }),
    () => ({ env: `micro:${at}:${Math.floor(random() * 60)}` }),
    () => ({ env: `micro:${at}:${Math.floor(random() * 60)}` }),
    () => ({ env: `turn:${at}:${Math.floor(random() * 6)}` }),
    () => ({ env: `time:${at}:${Math.floor(random() * 12)}` }),
    () => ({ env: "", afterMs: 150 + random() * 400 }),
  ];
  return kinds[Math.floor(random() * kinds.length)]();
}

/** Starts a process that runs the workflow so often, and dies as `kill` says. */
export function startProcess(file: string, runs: number, kill = ""): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--no-prompt", PROCESS, file, WORKFLOW, `${runs}`],
    env: { SPANLOOP_TEST_KILL: kill },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

async function runProcess(file: string, kill: string, afterMs?: number): Promise<number> {
  const child = startProcess(file, RUNS_A_PROCESS, kill);
  const timer = afterMs === undefined
    ? undefined
    : setTimeout(() => child.kill("SIGKILL"), afterMs);
  const stderr = await child.stderr.text();
  const { code } = await child.status;
  clearTimeout(timer);
  assert(code === 0 || code === 137, `it ended with ${code}: ${stderr}`);
  return code;
}

/** What is in a store. */
export interface Checked {
  /** Decisions on events that no cursor has passed. */
  readonly ahead: number;
  /** Events that are still to be heard. */
  readonly left: number;
  /** Attempts that plugins hear of. */
  readonly events: number;
  /** Entries of the ledger. */
  readonly decisions: number;
}

/** Holds a store against what plugins that nobody killed would have made of what its cursors have passed. */
export async function check(file: string): Promise<Checked> {
  const store = await openStore(`sqlite:${file}`, { durability: "normal", readOnly: true });
  try {
    const records = await store.since(0, 1_000_000);
    const attempts = records.filter((one) => one.type === "end" && one.role === "attempt");
    const heard = await checkTally(store, records, attempts.map(({ position }) => position));
    const echoes = await checkEcho(store, records);
    const { ahead, decisions } = await checkLedger(store, attempts, heard);
    const left = attempts.length - heard + echoes;
    return { ahead, left, events: attempts.length, decisions };
  } finally {
    await store.close();
  }
}

const emittedBy = (records: readonly StoreRecord[], name: string): readonly EmittedRecord[] =>
  records.filter((one): one is EmittedRecord => one.type === "emitted" && one.span.plugin === name);

// Spans, state and cursor are of one and the same event. Gives how many attempts were heard.
async function checkTally(
  store: Store,
  records: readonly StoreRecord[],
  attempts: readonly number[],
): Promise<number> {
  const { cursor = 0, state, report } = await readRecord(store, "tally@tuned");
  const passed = attempts.filter((position) => position <= cursor);
  const sum = passed.reduce((sum, position) => sum + position, 0);
  assert.deepEqual([state.count ?? 0, state.sum ?? 0], [passed.length, sum]);
  assert.equal(report?.handled ?? 0, passed.length);
  assert.deepEqual(
    emittedBy(records, "tally").map(({ span: { attributes: { count, position } } }) => [
      count,
      position,
    ]),
    passed.map((position, index) => [index + 1, position]),
    "each event has its one span, in order",
  );
  return passed.length;
}

// Gives how many of tally's spans are still to be heard.
async function checkEcho(store: Store, records: readonly StoreRecord[]): Promise<number> {
  const { cursor = 0, state } = await readRecord(store, "echo@tuned");
  const said = emittedBy(records, "tally");
  const passed = said.filter(({ position }) => position <= cursor).length;
  assert.equal(state.count ?? 0, passed);
  const numbers = Array.from({ length: passed }, (_, index) => [index + 1, index + 1]);
  const echoed = emittedBy(records, "echo").map(({ span: { attributes: { count, of } } }) => [
    count,
    of,
  ]);
  assert.deepEqual(echoed, numbers);
  return said.length - passed;
}

// Every second event has its one proposal, which is decided, and in the snapshot, as a whole or not at all.
async function checkLedger(
  store: Store,
  attempts: readonly StoreRecord[],
  heard: number,
): Promise<Pick<Checked, "ahead" | "decisions">> {
  const entries = [...await store.ledger({ limit: 1_000_000 })].reverse();
  const decided = attempts.filter((_, index) => index % 2 === 1).slice(0, entries.length);
  assert.deepEqual(
    entries.map(({ number, proposal, version, decision, before }) => ({
      number,
      id: proposal.id,
      changes: proposal.changes,
      evidence: proposal.evidence.map(({ spanId }) => spanId),
      outcome: decision.outcome,
      version,
      before,
    })),
    decided.map((record, index) => ({
      number: index + 1,
      id: `tally@tuned/${record.position}/1`,
      changes: { size: 2 * index + 2 },
      evidence: [record.type === "end" ? record.spanId : ""],
      outcome: "applied",
      version: index + 1,
      before: { size: index === 0 ? null : 2 * index },
    })),
  );
  for (let version = 1; version <= entries.length; version++) {
    const snapshot = await store.snapshot("tuned", version);
    assert.deepEqual(snapshot?.values, { size: 2 * version });
  }
  assert.equal((await store.snapshot("tuned")).version, entries.length);
  const ahead = entries.length - Math.floor(heard / 2);
  assert(ahead >= 0, "an event was passed whose proposal is not decided");
  return { ahead, decisions: entries.length };
}

// Mulberry32 (Tommy Ettinger, public domain): small, and the same everywhere.
function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
