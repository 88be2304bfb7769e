import assert from "node:assert/strict";
import type { JsonObject } from "../../engine/core/json.ts";
import { createEngine, type Engine } from "../../engine/engine.ts";
import { assertSound, beginnings, leftovers } from "./checks.ts";
import {
  type EngineEnd,
  type EngineProcess,
  kill,
  startCommand,
  startEngine,
} from "./engine_process.ts";
import { type Snapshot, snapshot, type SpanRecord, spansOf } from "./snapshot.ts";

// Generous, because the machine may be busy: a wait that fails at all has found a fault.
const PATIENCE_MS = 60_000;

/**
 * A folder with workflow files, a store and the processes that work on it. A step's shell can kill its engine
 * at a known place: `die NAME` does it the first time it is called with that name.
 */
export class Scene {
  /** The folder. */
  readonly folder: string;
  /** The store's file. */
  store: string;
  readonly #started: { readonly pid: number; readonly end: Promise<unknown> }[] = [];

  private constructor(folder: string) {
    this.folder = folder;
    this.store = `${folder}/store.db`;
  }

  /** Gives `body` a scene of its own, and ends and removes what is left of it. */
  static async play(
    files: Readonly<Record<string, string>>,
    body: (scene: Scene) => Promise<void>,
  ): Promise<void> {
    const scene = new Scene(await Deno.makeTempDir({ prefix: "spanloop-scene-" }));
    for (const [name, text] of Object.entries({ ...files, "die.sh": DIE })) scene.write(name, text);
    try {
      await body(scene);
    } finally {
      for (const { pid, end } of scene.#started) {
        kill(pid, "SIGCONT");
        kill(pid, "SIGKILL");
        await end;
      }
      for (const line of leftovers(await snapshot(scene.store).catch(() => ({ runs: [] })))) {
        kill(parseInt(line), "SIGKILL");
      }
      await Deno.remove(scene.folder, { recursive: true });
    }
  }

  /** Writes a file. */
  write(name: string, text: string): void {
    Deno.writeTextFileSync(`${this.folder}/${name}`, text);
  }

  /** Reads a file; empty when it is not there. */
  read(name: string): string {
    try {
      return Deno.readTextFileSync(`${this.folder}/${name}`);
    } catch {
      return "";
    }
  }

  /** How often a word stands in a file. */
  count(name: string, word: string): number {
    return this.read(name).split(word).length - 1;
  }

  /** Starts an engine that runs a workflow file. */
  start(file: string, options: Parameters<typeof startEngine>[1] = {}, ...values: string[]) {
    return this.#track(
      startEngine([this.store, "run", `${this.folder}/${file}`, ...values], options),
    );
  }

  /** Starts an engine that resumes a run, the oldest one when none is named. */
  async resume(
    options: Parameters<typeof startEngine>[1] & { runId?: string } = {},
    ...flags: string[]
  ) {
    const runId = options.runId ?? (await this.state()).runs[0].summary.runId;
    return this.#track(startEngine([this.store, "resume", runId, ...flags], options));
  }

  /** Starts an engine that reruns a run. */
  rerun(runId: string, ...flags: string[]): EngineProcess {
    return this.#track(startEngine([this.store, "rerun", runId, ...flags]));
  }

  /** Runs a workflow whose step kills its engine. */
  async crash(file: string): Promise<void> {
    assert.equal((await this.start(file).end).code, 137, "the engine was to be killed");
  }

  /** Resumes to the end. */
  async finish(): Promise<NonNullable<EngineEnd["report"]>> {
    const end = await (await this.resume()).end;
    assert.ok(end.report !== undefined, `${end.error?.message}\n${end.stderr}`);
    return end.report;
  }

  /** The store as it is. */
  state(): Promise<Snapshot> {
    return snapshot(this.store);
  }

  /** Spans of a run, the oldest one when none is named, by key. */
  async spans(key: string, workflow?: string): Promise<readonly SpanRecord[]> {
    const { runs } = await this.state();
    const run = workflow === undefined
      ? runs[0]
      : runs.find(({ summary }) => summary.workflow === workflow);
    return spansOf(run?.records ?? []).filter(({ start }) => start.key === key);
  }

  /** Asserts that every run has ended and every journal is whole, and that no process is left. */
  async assertSound(): Promise<void> {
    const state = await this.state();
    assertSound(state, beginnings(`${this.folder}/steps.log`));
    assert.deepEqual(leftovers(state), [], "processes were left behind (R6)");
  }

  /** Waits until something holds. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    for (const end = Date.now() + PATIENCE_MS;;) {
      if (await holds()) return;
      assert.ok(Date.now() < end, `waited in vain until ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Waits until a word stands in a file. */
  async untilSaid(name: string, word: string, times = 1): Promise<void> {
    await this.until(`${name} says ${word}`, () => this.count(name, word) >= times);
  }

  /** Uses an engine on the store in this process. */
  async engine<T>(use: (engine: Engine) => Promise<T>): Promise<T> {
    const engine = await createEngine({ near: this.folder, store: `sqlite:${this.store}` });
    try {
      return await use(engine);
    } finally {
      await engine.close();
    }
  }

  /** Leaves word to cancel the oldest run. */
  async cancel(): Promise<void> {
    const { runs } = await this.state();
    assert.ok(await this.engine((engine) => engine.cancel(runs[0].summary.runId)));
  }

  /** Leaves word to cancel a run whose engine cannot hear of it any more. */
  async cancelAndKill(running: EngineProcess): Promise<void> {
    kill(running.pid, "SIGSTOP");
    await this.cancel();
    kill(running.pid, "SIGKILL");
    await running.end;
  }

  /** Starts a command on the scene's store. */
  command(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    return this.#track(
      startCommand(this.folder, args, { SPANLOOP_STORE: `sqlite:${this.store}`, ...env }),
    );
  }

  #track<P extends { readonly pid: number; readonly end: Promise<unknown> }>(process: P): P {
    this.#started.push(process);
    return process;
  }
}

/** Outputs of a step in a report. */
export function outputsOf(report: NonNullable<EngineEnd["report"]>, id: string): JsonObject {
  return report.steps.find((step) => step.id === id)?.outputs as JsonObject;
}

/** A step's status in a report. */
export function statusOf(report: NonNullable<EngineEnd["report"]>, id: string) {
  return report.steps.find((step) => step.id === id)?.status;
}

const DIE = `
die() {
  test ! -e "died.$1" || return 0
  touch "died.$1"
  kill -9 $PPID
  sleep 60
}
`;
