/**
 * Kills engines in the middle of runs until they have got through, and checks what the steps and the journal
 * say (J1, J2, J3, R5, R6, S5). What is killed where follows from the seed; when exactly a process is hit is up
 * to the machine.
 */
import assert from "node:assert/strict";
import type { Json } from "../../engine/core/json.ts";
import {
  assertKept,
  assertNotRepeated,
  assertSound,
  beginnings,
  leftovers,
  outcome,
  outputFolders,
  plain,
} from "./checks.ts";
import { type EngineEnd, startEngine } from "./engine_process.ts";
import { recordCount, type Snapshot, snapshot, underWay } from "./snapshot.ts";

const WORKFLOWS = ["chain", "fan", "batches", "lists", "nested", "mixed", "failing"] as const;

const FOLDER = new URL("workflows/", import.meta.url).pathname;

// A run is killed at most so often, so that each workflow is also brought to its end.
const MOST_KILLS_A_RUN = 9;

/** What to do. */
export interface CampaignOptions {
  /** Decides what is killed where. */
  readonly seed: number;
  /** How many kills to make. */
  readonly kills: number;
  /** Runs at once. */
  readonly parallel: number;
  /** Only this run of the campaign. */
  readonly only?: number;
  /** Told of each run that is through. */
  readonly onRun?: (line: string) => void;
}

/** What was done. */
export interface CampaignResult {
  /** Processes that were killed. */
  kills: number;
  /** Kills that interrupted at least one attempt. */
  interrupting: number;
  /** Attempts that kills interrupted. */
  attempts: number;
  /** Processes that took up a run. */
  resumes: number;
  /** Runs that were brought to their end. */
  runs: number;
  /** How many kills of each kind. */
  readonly kinds: Record<string, number>;
}

interface Baseline {
  readonly records: number;
  readonly report: Json;
  readonly outcome: Json;
}

/** Runs a campaign; throws AssertionError that names the run and how to repeat it. */
export async function campaign(options: CampaignOptions): Promise<CampaignResult> {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-chaos-" });
  const result: CampaignResult = {
    kills: 0,
    interrupting: 0,
    attempts: 0,
    resumes: 0,
    runs: 0,
    kinds: {},
  };
  const baselines = new Map<string, Promise<Baseline>>();
  let next = options.only ?? 0;
  let failed = false;
  const worker = async () => {
    while (!failed && result.kills < options.kills && next <= (options.only ?? Infinity)) {
      const number = next++;
      const workflow = WORKFLOWS[number % WORKFLOWS.length];
      let baseline = baselines.get(workflow);
      if (baseline === undefined) {
        baselines.set(workflow, baseline = undisturbed(workflow, `${folder}/base-${workflow}`));
      }
      try {
        await disturb({
          workflow,
          folder: `${folder}/run-${number}`,
          baseline: await baseline,
          random: randomFrom(options.seed * 1_000_003 + number),
          result,
          most: options.kills,
        });
        options.onRun?.(`run ${number} ${workflow}: ${result.kills} kills so far`);
      } catch (cause) {
        failed = true;
        throw new Error(
          `run ${number} (${workflow}) of seed ${options.seed}; its store is ` +
            `${folder}/run-${number}; again: deno task chaos --seed ${options.seed} --run ${number}`,
          { cause },
        );
      }
    }
  };
  await Promise.all(Array.from({ length: options.parallel }, worker));
  await Deno.remove(folder, { recursive: true });
  return result;
}

async function undisturbed(workflow: string, folder: string): Promise<Baseline> {
  const place = await makePlace(folder);
  const end = await startEngine(place.run(workflow)).end;
  const report = reportOf(end);
  const state = await snapshot(place.store);
  assertSound(state, beginnings(place.log));
  return {
    records: recordCount(state),
    report: plain(report, place.log),
    outcome: await outcome(place.store, state, place.log),
  };
}

async function disturb(run: {
  readonly workflow: string;
  readonly folder: string;
  readonly baseline: Baseline;
  readonly random: () => number;
  readonly result: CampaignResult;
  readonly most: number;
}): Promise<void> {
  const { baseline, random, result } = run;
  const place = await makePlace(run.folder);
  const kills = 1 + Math.floor(random() * MOST_KILLS_A_RUN);
  let state: Snapshot = { runs: [] };
  let begun = beginnings(place.log);
  for (let killed = 0;;) {
    const kill = killed < kills && result.kills < run.most
      ? plan(random, baseline.records - recordCount(state))
      : undefined;
    const root = state.runs[0];
    if (root !== undefined) result.resumes++;
    const end = await startEngine(
      root === undefined ? place.run(run.workflow) : [place.store, "resume", root.summary.runId],
      kill,
    ).end;
    const before = state;
    state = await snapshot(place.store);
    assertKept(before, state);
    const begunNow = beginnings(place.log);
    assertNotRepeated(before, begun, begunNow);
    begun = begunNow;
    if (end.code !== 137) {
      const report = reportOf(end);
      assertSound(state, begun);
      assert.deepEqual(plain(report, place.log), baseline.report, "the result is another one");
      assert.deepEqual(
        await outcome(place.store, state, place.log),
        baseline.outcome,
        "the journal tells another outcome",
      );
      assert.deepEqual(leftovers(state), [], "processes were left behind (R6)");
      assert.deepEqual(outputFolders(state), [], "folders were left behind");
      result.runs++;
      return;
    }
    killed++;
    result.kills++;
    const kind = kill?.kill.split(":")[0] ?? "none";
    result.kinds[kind] = (result.kinds[kind] ?? 0) + 1;
    const interrupted = underWay(state).length;
    result.attempts += interrupted;
    if (interrupted > 0) result.interrupting++;
    // Steps that were under way may still write to the log: shells outlive their engine (R6).
    if (state.runs[0]?.summary.endedAt !== undefined) {
      result.runs++; // killed between its last commit and its exit
      assertSound(state, begun);
      return;
    }
  }
}

function plan(random: () => number, left: number): { kill: string; killAfterMs: number } {
  const at = 1 + Math.floor(random() * Math.max(4, left * random()));
  const ms = Math.floor(random() * 16);
  const kinds = [
    `span:${at}`,
    `turn:${at}:${1 + Math.floor(random() * 4)}`,
    `time:${at}:${ms}`,
    `outside:${at}`,
    `commit:${at}`,
  ];
  return { kill: kinds[Math.floor(random() * kinds.length)], killAfterMs: ms };
}

function reportOf(end: EngineEnd): NonNullable<EngineEnd["report"]> {
  assert.ok(
    end.report !== undefined,
    `the engine ended with ${end.code}: ${end.error?.message ?? ""}\n${end.stderr}`,
  );
  return end.report;
}

async function makePlace(folder: string) {
  await Deno.mkdir(folder, { recursive: true });
  const store = `${folder}/store.db`;
  const log = `${folder}/steps.log`;
  return {
    store,
    log,
    run: (workflow: string) => [store, "run", `${FOLDER}${workflow}.yaml`, `log=${log}`],
  };
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
