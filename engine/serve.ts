import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Clock, type Random, sleep } from "./core/clock.ts";
import { formatDiagnostic } from "./core/diagnostic.ts";
import { InvalidError, messageOf, SpanloopError } from "./core/errors.ts";
import type { Logger } from "./core/log.ts";
import type { RunEvent } from "./core/report.ts";
import type { Holder, Store } from "./core/store.ts";
import type { Workflow } from "./core/workflow.ts";
import type { RunOptions } from "./core/run_options.ts";
import type { RunHandle } from "./run/runner.ts";
import { isDead, thisHolder } from "./system.ts";
import type { SchedulerEvent, StartedRun } from "./trigger/ports.ts";
import { Scheduler } from "./trigger/scheduler.ts";
import { type LoadedWorkflow, WorkflowFiles } from "./workflow_files.ts";

const RELOAD_MS = 300;
const TAKE_OVER_MS = 5_000;

/** What serving uses of the engine. */
export interface ServedEngine {
  /** Starts a workflow for a trigger's event. */
  startTriggered(
    loaded: LoadedWorkflow,
    trigger: string,
    cause: { readonly onEvent?: (event: RunEvent) => void },
  ): Promise<RunHandle>;
  /** Lets a workflow's plugins hear, whoever runs it. */
  hostPlugins(workflow: Workflow): Promise<void>;
  /** Takes up an unfinished run. */
  takeUp(runId: string, options: Pick<RunOptions, "onEvent">): Promise<RunHandle>;
  /** Cancels a run, wherever it is. */
  cancel(runId: string): Promise<boolean>;
}

/** What serving needs beside the engine. */
export interface ServeRequest extends RunOptions {
  /** The folder, absolute; workflows are its `.yaml` and `.yml` files. */
  readonly folder: string;
  /** Stops it gently: runs under way are cancelled gently too. */
  readonly signal: AbortSignal;
  /** Hears what happens. */
  readonly log: Logger;
  /** The store. */
  readonly store: Store;
  /** Time. */
  readonly clock: Clock;
  /** For jitter. */
  readonly random: Random;
}

/** Sees that there is a folder to serve. Throws SpanloopError `serve.folder` with `display` in it. */
export function checkFolder(folder: string, display = folder): void {
  let problem: string | undefined;
  try {
    if (!statSync(folder).isDirectory()) problem = "it is not a folder";
    else readdirSync(folder);
  } catch (thrown) {
    const { code } = thrown as { code?: string };
    problem = code === "ENOENT" || code === "ENOTDIR"
      ? "there is no such folder"
      : messageOf(thrown);
  }
  if (problem === undefined) return;
  throw new SpanloopError("serve.folder", `Cannot serve ${display}: ${problem}`, { exitCode: 2 });
}

/**
 * Runs every workflow of a folder on its schedules, takes up runs whose process is gone (R8), and reloads files
 * that change, until the signal aborts.
 */
export async function serve(engine: ServedEngine, request: ServeRequest): Promise<void> {
  await new Server(engine, request).run();
}

class Server {
  readonly #engine: ServedEngine;
  readonly #request: ServeRequest;
  readonly #handles = new Map<string, RunHandle>();
  readonly #files = new WorkflowFiles();
  #loaded = new Map<string, LoadedWorkflow>();
  #problems = new Map<string, string>();

  constructor(engine: ServedEngine, request: ServeRequest) {
    this.#engine = engine;
    this.#request = request;
  }

  async run(): Promise<void> {
    const { store, clock, random, signal, force } = this.#request;
    const scheduler = new Scheduler({
      store,
      clock,
      random,
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      holder: thisHolder(),
      isDead,
      start: (workflow, trigger) => this.#start(workflow.name, trigger.key),
      cancel: async (runId) => void await this.#engine.cancel(runId),
      log: (event) => {
        if (event.type === "serving") this.#tellServing(scheduler);
        else if (event.type === "standby") this.#tellStandby(event.holder);
        else this.#logSchedule(event);
      },
    });
    const reload = async () => {
      this.#load();
      const workflows = [...this.#loaded.values()].map(({ plan }) => plan.workflow);
      scheduler.set(workflows);
      for (const workflow of workflows) await this.#engine.hostPlugins(workflow);
    };
    await reload();
    const watcher = Deno.watchFs(this.#request.folder, { recursive: false });
    const stopForce = () => this.#handles.forEach((handle) => handle.cancel(true));
    force?.addEventListener("abort", stopForce);
    scheduler.start();
    const takingOver = this.#takeOver();
    const watching = this.#watch(watcher, reload);
    if (!signal.aborted) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    }
    this.#log("info", `stopping; ${count(this.#handles.size, "run")} under way`);
    watcher.close();
    await scheduler.stop();
    this.#handles.forEach((handle) => handle.cancel(false));
    await Promise.allSettled([...this.#handles.values()].map((handle) => handle.report));
    await Promise.all([takingOver, watching]);
    force?.removeEventListener("abort", stopForce);
  }

  #load(): void {
    const { folder } = this.#request;
    const loaded = new Map<string, LoadedWorkflow>();
    const problems = new Map<string, string>();
    for (const name of readdirSync(folder).sort()) {
      if (!/\.ya?ml$/.test(name) || name === "spanloop.yaml") continue;
      const file = join(folder, name);
      try {
        const workflow = this.#files.load(file);
        const other = loaded.get(workflow.plan.workflow.name);
        if (other === undefined) loaded.set(workflow.plan.workflow.name, workflow);
        else {
          problems.set(
            file,
            `${file} and ${other.plan.workflow.file} are both named ` +
              `${workflow.plan.workflow.name}; the second is left out`,
          );
        }
      } catch (thrown) {
        problems.set(file, explain(thrown));
      }
    }
    for (const [file, problem] of problems) {
      if (this.#problems.get(file) !== problem) this.#log("error", problem);
    }
    this.#loaded = loaded;
    this.#problems = problems;
  }

  async #watch(watcher: Deno.FsWatcher, reload: () => Promise<void>): Promise<void> {
    let cancel: (() => void) | undefined;
    for await (const event of watcher) {
      if (!event.paths.some((path) => /\.ya?ml$/.test(path))) continue;
      // An editor writes a file in several steps; they are one change.
      cancel?.();
      cancel = this.#request.clock.after(RELOAD_MS, async () => {
        try {
          await reload();
          this.#log("info", "files changed; reloaded");
        } catch (thrown) {
          // Such as of a folder that is gone: what was loaded goes on.
          this.#log("error", `cannot reload: ${messageOf(thrown)}`);
        }
      });
    }
    cancel?.();
  }

  async #start(name: string, trigger: string): Promise<StartedRun> {
    const loaded = this.#loaded.get(name);
    if (loaded === undefined) {
      throw new SpanloopError("workflow.gone", `${name} is no longer in ${this.#request.folder}`);
    }
    const handle = await this.#engine.startTriggered(loaded, trigger, {
      onEvent: this.#request.onEvent,
    });
    this.#keep(name, handle);
    try {
      await handle.created;
    } catch (thrown) {
      const failure = await handle.report.then(() => thrown, (reason) => reason);
      if (failure instanceof SpanloopError && failure.code === "run.duplicate") {
        return { runId: "", ended: Promise.resolve(), duplicate: true };
      }
      throw failure;
    }
    return {
      runId: handle.runId,
      ended: handle.report.then(() => {}, () => {}), // told by #keep
      duplicate: false,
    };
  }

  // Runs whose process is gone are gone on with, those of other servers and of `run` alike (R8).
  async #takeOver(): Promise<void> {
    const { store, clock, signal } = this.#request;
    while (!signal.aborted) {
      try {
        const unfinished = await store.runs({ statuses: ["queued", "running"], limit: 1_000 });
        for (const run of unfinished) {
          if (run.parent !== undefined || this.#handles.has(run.runId)) continue;
          const holder = run.lease?.holder;
          const lapsed = run.lease === undefined || run.lease.expiresAt < clock.now();
          if (!lapsed && (holder === undefined || !isDead(holder))) continue;
          await this.#resume(run.workflow, run.runId);
        }
        await sleep(clock, TAKE_OVER_MS, signal);
      } catch (thrown) {
        if (signal.aborted) return;
        this.#log("error", `cannot look for interrupted runs: ${messageOf(thrown)}`);
        await sleep(clock, TAKE_OVER_MS, signal).catch(() => {}); // aborted: the loop ends
      }
    }
  }

  readonly #refused = new Set<string>();

  async #resume(workflow: string, runId: string): Promise<void> {
    if (this.#refused.has(runId)) return;
    try {
      const handle = await this.#engine.takeUp(runId, { onEvent: this.#request.onEvent });
      this.#log("info", "resumed: the process that ran it is gone", workflow, runId);
      this.#keep(workflow, handle);
    } catch (thrown) {
      this.#refused.add(runId);
      this.#log("error", explain(thrown), workflow, runId);
    }
  }

  #keep(workflow: string, handle: RunHandle): void {
    this.#handles.set(handle.runId, handle);
    handle.report.then(() => {}, (thrown) => { // how it ended is logged with its span
      if (thrown instanceof SpanloopError && thrown.code === "run.duplicate") return;
      this.#log("error", messageOf(thrown), workflow, handle.runId);
    }).finally(() => this.#handles.delete(handle.runId));
  }

  #tellServing(scheduler: Scheduler): void {
    const scheduled = [...this.#loaded.values()].filter(({ plan }) =>
      plan.workflow.schedules.length > 0
    );
    this.#log(
      "info",
      `serving ${count(scheduled.length, "scheduled workflow")} of ${this.#request.folder}`,
    );
    for (const { workflow, cron, next } of scheduler.upcoming()) {
      const when = next === undefined ? "never" : new Date(Number(next / 1_000_000n)).toISOString();
      this.#log("info", `next ${when} (${cron})`, workflow);
    }
  }

  #tellStandby(holder: Holder | undefined): void {
    const whose = holder === undefined
      ? "another process"
      : holder.host === thisHolder().host
      ? `process ${holder.pid}`
      : `process ${holder.pid} on ${holder.host}`;
    this.#log("info", `waiting: ${whose} serves this store; this one takes over when it is gone`);
  }

  #logSchedule(event: SchedulerEvent): void {
    const { type } = event;
    const workflow = "workflow" in event ? event.workflow : undefined;
    const runId = "runId" in event && event.runId !== "" ? event.runId : undefined;
    const tick = "tick" in event
      ? ` (due ${new Date(Number(event.tick / 1_000_000n)).toISOString()})`
      : "";
    const more = "message" in event ? `: ${event.message}` : "";
    const bad = type === "invalid" || type === "failed" || type === "retrying" || type === "lost";
    this.#log(
      bad ? "error" : "info",
      `schedule: ${type.replace("_", " ")}${tick}${more}`,
      workflow,
      runId,
    );
  }

  #log(severity: "info" | "error", body: string, workflow?: string, runId?: string): void {
    this.#request.log.log({
      severity,
      body,
      ...(workflow === undefined ? {} : { workflow }),
      ...(runId === undefined ? {} : { runId }),
    });
  }
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function explain(thrown: unknown): string {
  if (thrown instanceof InvalidError && thrown.diagnostics.length > 0) {
    return thrown.diagnostics.map(formatDiagnostic).join("\n");
  }
  return messageOf(thrown);
}
