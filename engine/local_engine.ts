import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import type { Diagnostic } from "./core/diagnostic.ts";
import { InvalidError, messageOf, SpanloopError, StepError, StoreError } from "./core/errors.ts";
import { childRunId, Ids } from "./core/ids.ts";
import { isObject, type JsonObject } from "./core/json.ts";
import type { PlanReport, RunEvent, RunHistory, RunReport } from "./core/report.ts";
import type { RunQuery, RunSummary, Store } from "./core/store.ts";
import type { Workflow } from "./core/workflow.ts";
import type { Engine, GivenValues, RunOptions, ServeEvent } from "./core/engine.ts";
import type { StorePlace } from "./locate_store.ts";
import { bind, type Binding, type Given, rebind } from "./plan/bind.ts";
import { describePlan } from "./plan/describe.ts";
import { RunFold } from "./run/fold.ts";
import { historyOf } from "./run/history.ts";
import { Keeper, LEASE_NS } from "./run/keeper.ts";
import { type RunHandle, Runner, type StartRequest } from "./run/runner.ts";
import { builtinStepTypes } from "./steps/builtin.ts";
import { openStore } from "./store/open.ts";
import { isDead, systemClock, systemRandom, thisHolder } from "./system.ts";
import { Bus } from "./telemetry/bus.ts";
import type { SpanProcessor, Tracing } from "./telemetry/provider.ts";
import { Recorder } from "./telemetry/recorder.ts";
import { reusable } from "./run/reuse.ts";
import { traceFromEnvironment } from "./trace_parent.ts";
import {
  changedModules,
  checkFile,
  type LoadedWorkflow,
  loadText,
  secretReader,
  WorkflowFiles,
} from "./workflow_files.ts";

/** How deep workflows may call one another (S6): a recursion without an end is stopped here. */
const DEEPEST = 16;

interface Parts {
  readonly store: Store;
  readonly keeper: Keeper;
  readonly runner: Runner;
  readonly tracing: Tracing | undefined;
}

/** The engine in this process: wires the layers together. */
export class LocalEngine implements Engine {
  /** See Engine. */
  readonly location: string;
  readonly #place: StorePlace;
  readonly #processors: readonly SpanProcessor[];
  readonly #clock = systemClock();
  readonly #random = systemRandom();
  readonly #ids = new Ids(this.#clock, this.#random);
  readonly #environment: Readonly<Record<string, string>> = Deno.env.toObject();
  readonly #files = new WorkflowFiles();
  readonly #registered = new Map<string, string>();
  #parts: Promise<Parts> | undefined;

  /** Works on the store at `place`. */
  constructor(place: StorePlace, processors: readonly SpanProcessor[]) {
    this.#place = place;
    this.#processors = processors;
    this.location = place.location;
  }

  /** See Engine. */
  validate(
    file: string,
    display?: string,
  ): Promise<{ readonly workflow?: Workflow; readonly diagnostics: readonly Diagnostic[] }> {
    return Promise.try(() => checkFile(file, display));
  }

  /** See Engine. */
  plan(file: string, given: GivenValues = {}, display?: string): Promise<PlanReport> {
    return Promise.try(() => {
      const { plan } = this.#files.load(file, display);
      return describePlan(plan, bind(plan.workflow, this.#given(plan.workflow, given)));
    });
  }

  /** See Engine. */
  async run(
    file: string,
    options: RunOptions & { readonly given?: GivenValues; readonly display?: string } = {},
  ): Promise<RunReport> {
    const loaded = this.#files.load(file, options.display);
    const binding = bind(
      loaded.plan.workflow,
      this.#given(loaded.plan.workflow, options.given ?? {}),
    );
    const { runner } = await this.#open();
    await this.register(loaded.plan.workflow);
    return await this.#follow(
      runner.start(this.#request(loaded, binding, options.onEvent)),
      options,
    );
  }

  /** Starts a workflow for a trigger's event; the handle is given before the run is over. */
  async startTriggered(
    loaded: LoadedWorkflow,
    trigger: string,
    onEvent?: (event: RunEvent) => void,
  ): Promise<RunHandle> {
    const { workflow } = loaded.plan;
    const binding = bind(workflow, this.#given(workflow, {}));
    const { runner } = await this.#open();
    await this.register(workflow);
    return runner.start({ ...this.#request(loaded, binding, onEvent), trace: {}, trigger });
  }

  /** See Engine. */
  async resume(
    runId: string,
    options: RunOptions & { readonly acceptChanges?: boolean; readonly wait?: boolean } = {},
  ): Promise<RunReport> {
    return await this.#follow(await this.takeUp(runId, options), options);
  }

  /** Takes up an unfinished run, waiting for its lease; the handle is given before the run is over. */
  async takeUp(
    runId: string,
    options: Pick<RunOptions, "onEvent"> & {
      readonly acceptChanges?: boolean;
      readonly wait?: boolean;
      readonly depth?: number;
    } = {},
  ): Promise<RunHandle> {
    const { store, runner } = await this.#open();
    const summary = await this.#unended(runId);
    const loaded = loadText(await this.#text(summary), summary.file);
    const changed = changedModules(summary.modules, loaded.modules);
    if (changed.length > 0 && !options.acceptChanges) {
      throw new SpanloopError(
        "resume.changed",
        `Cannot resume ${runId}: changed since it started: ${changed.join(", ")}. Resume with ` +
          "--accept-changes to go on with what is there now",
        { exitCode: 2 },
      );
    }
    const { workflow } = loaded.plan;
    const binding = rebind(
      workflow,
      summary,
      secretReader(workflow.folder, this.#environment),
    );
    const fence = await this.#acquire(summary, options);
    try {
      // Its holder may have ended it, or got it out of its group's queue, while this process waited.
      const { status } = await this.#unended(runId);
      removeOutputFolders(runId);
      const fold = new RunFold({ recover: true });
      for await (const record of store.read(runId)) fold.apply(record);
      const reuse = summary.rerun === undefined
        ? undefined
        : await reusable(store, summary.rerun.runId, summary.rerun.reuse);
      return runner.resume({
        header: summary,
        plan: loaded.plan,
        binding,
        fold,
        fence,
        // The lease was renewed as long as the process lived.
        lastHeard: (summary.lease?.expiresAt ?? 0n) - LEASE_NS,
        queued: status === "queued",
        reuse,
        onEvent: options.onEvent,
        runWorkflow: this.#runWorkflow(
          options.onEvent,
          options.depth ?? summary.parent?.depth ?? 0,
          options.acceptChanges,
        ),
      });
    } catch (thrown) {
      await store.release([{ name: `run:${runId}`, fence }]);
      throw thrown;
    }
  }

  /** See Engine. */
  async rerun(
    runId: string,
    options: RunOptions & { readonly from?: string; readonly failed?: boolean } = {},
  ): Promise<RunReport> {
    const { store, runner } = await this.#open();
    const summary = await this.#summary(runId);
    if (summary.endedAt === undefined && options.failed) {
      throw new SpanloopError(
        "run.unfinished",
        `Run ${runId} has not ended; resume goes on with it`,
        { exitCode: 2 },
      );
    }
    const loaded = this.#files.load(summary.file);
    const { workflow } = loaded.plan;
    const binding = rebindForRerun(workflow, summary, this.#given(workflow, {}));
    const { keep } = await import("./run/reuse.ts");
    const steps = await keep(store, runId, loaded.plan, options);
    await this.register(workflow);
    return await this.#follow(
      runner.start({
        ...this.#request(loaded, binding, options.onEvent),
        rerun: { runId, reuse: steps },
        reuse: await reusable(store, runId, steps),
      }),
      options,
    );
  }

  /** See Engine. */
  async cancel(runId: string): Promise<boolean> {
    const { store } = await this.#open();
    return await store.signal(runId, "cancel", {}, this.#clock.now());
  }

  /** See Engine. */
  async runs(query: RunQuery = {}): Promise<readonly RunSummary[]> {
    return await (await this.#open()).store.runs(query);
  }

  /** See Engine. */
  async find(text: string): Promise<RunSummary> {
    const { store } = await this.#open();
    const [exact, last] = text === "last"
      ? [undefined, (await store.runs({ limit: 50 })).find((run) => run.parent === undefined)]
      : [await store.run(text), undefined];
    const found = exact ?? last;
    if (found !== undefined) return found;
    const byPrefix = text === "last" ? [] : await store.runs({ prefix: text, limit: 2 });
    const candidates = byPrefix.length > 0 || text.length < 4 || text === "last"
      ? byPrefix
      : (await store.runs({ limit: 10_000 })).filter((run) => run.runId.endsWith(text));
    if (candidates.length === 1) return candidates[0];
    throw new SpanloopError(
      "run.unknown",
      text === "last"
        ? `There are no runs in ${this.location} yet`
        : candidates.length === 0
        ? `There is no run ${text} in ${this.location}; \`runs\` lists them`
        : `${text} is the id of more than one run; give more of it`,
      { exitCode: 2 },
    );
  }

  /** See Engine. */
  async history(runId: string): Promise<RunHistory> {
    const { store } = await this.#open();
    const summary = await this.#summary(runId);
    const { plan } = loadText(await this.#text(summary), summary.file);
    const fold = new RunFold({ detail: true });
    for await (const record of store.read(runId)) fold.apply(record);
    return historyOf(plan, summary, fold);
  }

  /** See Engine. */
  async prune(olderThanMs: number): Promise<number> {
    const { store } = await this.#open();
    return await store.prune(this.#clock.now() - BigInt(Math.round(olderThanMs * 1e6)));
  }

  /** See Engine. */
  async serve(
    folder: string,
    options: RunOptions & {
      readonly signal: AbortSignal;
      readonly onLog: (line: ServeEvent) => void;
    },
  ): Promise<void> {
    const { serve } = await import("./serve.ts");
    const { store } = await this.#open();
    await serve(this, { ...options, folder, store, clock: this.#clock, random: this.#random });
  }

  /** See Engine. */
  async close(): Promise<void> {
    if (this.#parts === undefined) return;
    const { store, keeper, tracing } = await this.#parts;
    this.#parts = undefined;
    keeper.stop();
    await tracing?.shutdown();
    await store.close();
  }

  /** Ties a workflow's name to its file; throws InvalidError when another file that is there has it (R1). */
  async register(workflow: Workflow): Promise<void> {
    if (this.#registered.get(workflow.name) === workflow.file) return;
    const { store } = await this.#open();
    const other = await store.register(workflow.name, workflow.file);
    if (other === undefined || other === workflow.file) {
      this.#registered.set(workflow.name, workflow.file);
      return;
    }
    if (existsSync(other)) {
      throw new InvalidError(
        `${workflow.file} and ${other} are both named ${workflow.name}; a store knows a workflow by its ` +
          "name, so give one of them another name:",
      );
    }
    await store.reregister(workflow.name, workflow.file); // the file was moved
  }

  #open(): Promise<Parts> {
    return this.#parts ??= this.#assemble().catch((thrown) => {
      this.#parts = undefined;
      throw thrown;
    });
  }

  async #assemble(): Promise<Parts> {
    const store = await this.#openStore();
    const bus = new Bus((thrown) =>
      console.error(`spanloop: a listener failed: ${messageOf(thrown)}`)
    );
    // OpenTelemetry's SDK takes a third of the start-up: it is loaded when somebody wants its spans.
    const tracing = this.#processors.length === 0
      ? undefined
      : new (await import("./telemetry/provider.ts")).Tracing(this.#processors);
    const recorder = new Recorder({
      store,
      bus,
      tracing,
      onLost: (runId) => runner.lose(runId),
      onDuplicate: (runId) => runner.duplicate(runId),
    });
    const keeper = new Keeper({
      store,
      clock: this.#clock,
      onLost: ({ name }) => runner.lose(name.slice("run:".length)),
      // The next commit meets the same fault and stops the run with it.
      onError: () => {},
    });
    const runner: Runner = new Runner({
      store,
      recorder,
      bus,
      keeper,
      ids: this.#ids,
      clock: this.#clock,
      random: this.#random,
      types: builtinStepTypes({
        clock: this.#clock,
        environment: this.#environment,
        platform: Deno.build.os,
        deno: Deno.execPath(),
        library: new URL("../mod.ts", import.meta.url).href,
        pid: Deno.pid,
        cacheFolder: join(
          this.#environment.XDG_CACHE_HOME || join(homedir(), ".cache"),
          "spanloop",
        ),
      }),
      holder: thisHolder(),
      isDead,
      makeTempFolder: (runId) => mkdtempSync(join(tmpdir(), outputFolderPrefix(runId))),
      remove: (path) => {
        if (existsSync(path)) rmSync(path, { recursive: true, force: true });
      },
    });
    return { store, keeper, runner, tracing };
  }

  // What cannot be written can still be read: `runs` and `show` work, and whatever writes says why not.
  async #openStore(): Promise<Store> {
    const { location, durability } = this.#place;
    try {
      return await openStore(location, { durability });
    } catch (thrown) {
      if (!(thrown instanceof StoreError) || thrown.code !== "store.read_only") throw thrown;
      return await openStore(location, { durability, readOnly: true }).catch(() => {
        throw thrown;
      });
    }
  }

  #given(workflow: Workflow, given: GivenValues): Given {
    return {
      text: given.text,
      file: given.file,
      environment: this.#environment,
      readSecret: secretReader(workflow.folder, this.#environment),
    };
  }

  #request(
    loaded: LoadedWorkflow,
    binding: Binding,
    onEvent: ((event: RunEvent) => void) | undefined,
  ): StartRequest {
    return {
      plan: loaded.plan,
      binding,
      definition: loaded.definition,
      modules: loaded.modules,
      trace: traceFromEnvironment(this.#environment),
      onEvent,
      runWorkflow: this.#runWorkflow(onEvent, 0),
    };
  }

  // Follows a run to its end, cancelling it when the caller's signals say so.
  async #follow(handle: RunHandle, options: RunOptions): Promise<RunReport> {
    const cancel = () => {
      handle.cancel(false);
      // Kept in the store as well: a run that is cancelled and then dies stays cancelled when resumed.
      this.cancel(handle.runId).catch(() => {});
    };
    const force = () => handle.cancel(true);
    if (options.signal?.aborted) cancel();
    if (options.force?.aborted) force();
    options.signal?.addEventListener("abort", cancel);
    options.force?.addEventListener("abort", force);
    try {
      return await handle.report;
    } finally {
      options.signal?.removeEventListener("abort", cancel);
      options.force?.removeEventListener("abort", force);
    }
  }

  async #summary(runId: string): Promise<RunSummary> {
    const summary = await (await this.#open()).store.run(runId);
    if (summary !== undefined) return summary;
    throw new SpanloopError("run.unknown", `There is no run ${runId} in ${this.location}`, {
      exitCode: 2,
    });
  }

  async #unended(runId: string): Promise<RunSummary> {
    const summary = await this.#summary(runId);
    if (summary.endedAt === undefined) return summary;
    throw new SpanloopError(
      "run.ended",
      `Run ${runId} has ended (${summary.status}); rerun starts it anew, with --failed or --from`,
      { exitCode: 2 },
    );
  }

  async #text(summary: RunSummary): Promise<string> {
    const text = await (await this.#open()).store.definition(summary.definition);
    if (text !== undefined) return text;
    throw new SpanloopError(
      "store.corrupt",
      `${this.location} has lost the workflow text of run ${summary.runId}`,
    );
  }

  // A dead holder's lease is taken at once; a live one's after it has lapsed (R7).
  async #acquire(
    summary: RunSummary,
    options: Pick<RunOptions, "onEvent"> & { readonly wait?: boolean },
  ): Promise<number> {
    const { store } = await this.#open();
    const holder = thisHolder();
    let first: bigint | undefined;
    for (;;) {
      const now = this.#clock.now();
      const result = await store.acquire(`run:${summary.runId}`, {
        holder,
        now,
        expiresAt: now + LEASE_NS,
        isDead,
      });
      if ("acquired" in result) return result.acquired.fence;
      const { expiresAt } = result.held;
      const by = result.held.holder;
      const who = by === undefined ? "another process" : `process ${by.pid} on ${by.host}`;
      if (first === undefined && options.wait !== false) {
        first = expiresAt;
        options.onEvent?.({
          type: "notice",
          message:
            `${who} holds run ${summary.runId}; waiting for its lease to lapse (10 s at most)`,
        });
      } else if (first === undefined || expiresAt > first) {
        throw new SpanloopError(
          "run.held",
          `Run ${summary.runId} is under way in ${who}; cancel it first, or let it end`,
          { exitCode: 2 },
        );
      }
      await new Promise<void>((resolve) => this.#clock.after(250, resolve));
    }
  }

  // Runs a workflow as a child of an attempt (S6), in this process.
  #runWorkflow(
    onEvent: ((event: RunEvent) => void) | undefined,
    depth: number,
    acceptChanges = false,
  ): StartRequest["runWorkflow"] {
    return async (request, attempt, cancellation) => {
      if (depth + 1 > DEEPEST) {
        throw new StepError(
          "workflow.depth",
          `${request.file} is called ${DEEPEST} workflows deep; does it call itself without an end?`,
        );
      }
      const { runner, store } = await this.#open();
      const runId = childRunId(attempt.span.spanId, attempt.startTime);
      const childEvents = onEvent === undefined
        ? undefined
        : (event: RunEvent) => forward(event, attempt.key, onEvent);
      const existing = attempt.resumed ? await store.run(runId) : undefined;
      let handle: RunHandle | undefined;
      if (existing === undefined) {
        const loaded = this.#files.load(request.file);
        const { workflow } = loaded.plan;
        const binding = bind(workflow, { ...this.#given(workflow, {}), caller: request.params });
        await this.register(workflow);
        handle = runner.start({
          ...this.#request(loaded, binding, childEvents),
          runId,
          trace: { traceId: attempt.span.traceId, parentSpanId: attempt.span.spanId },
          parent: { runId: attempt.runId, key: attempt.key, depth: depth + 1 },
          runWorkflow: this.#runWorkflow(childEvents, depth + 1, acceptChanges),
        });
      } else if (existing.endedAt === undefined) {
        const taken = this.takeUp(runId, { onEvent: childEvents, acceptChanges });
        handle = await taken.catch((thrown) => {
          throw asResumeError(thrown);
        });
      }
      const report = handle === undefined
        ? (await this.history(runId)).report
        : await followChild(handle, cancellation);
      if (report.status === "succeeded" || report.status === "skipped") return report.outputs;
      throw new StepError(
        "workflow.failed",
        `${report.workflow} ${report.status.replace("_", " ")} (run ${runId})` +
          (report.error === null ? "" : `: ${report.error.message}`),
      );
    };
  }
}

function outputFolderPrefix(runId: string): string {
  return `spanloop-${runId}-`;
}

// An engine that was killed has left its run's folder for output files behind.
function removeOutputFolders(runId: string): void {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(outputFolderPrefix(runId))) continue;
    rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

async function followChild(
  handle: RunHandle,
  cancellation: Parameters<StartRequest["runWorkflow"]>[2],
): Promise<RunReport> {
  const leave = cancellation.listen((stop) =>
    // A caller that was lost does not cancel: the run goes on under whoever takes the caller up.
    stop.why === "lost" ? handle.abandon() : handle.cancel(stop.force)
  );
  try {
    return await handle.report;
  } finally {
    leave();
  }
}

// Why a sub-workflow cannot be taken up, in a form that stops its caller instead of failing it.
function asResumeError(thrown: unknown): unknown {
  const told = !(thrown instanceof SpanloopError) || thrown instanceof StoreError ||
    thrown.code.startsWith("resume.");
  if (told) return thrown;
  return new SpanloopError("resume.child", thrown.message, {
    cause: thrown,
    exitCode: thrown.exitCode,
  });
}

// A child's output belongs to the step that called it; its other events are its own run's.
function forward(event: RunEvent, key: string, onEvent: (event: RunEvent) => void): void {
  if (event.type === "line") onEvent({ ...event, stepId: key, key: `${key}/${event.key}` });
  else if (event.type === "notice") onEvent(event);
}

// The values of the run that is repeated, as far as the file still declares them.
function rebindForRerun(workflow: Workflow, summary: RunSummary, given: Given): Binding {
  const values: Record<string, JsonObject[string]> = {};
  for (const [name, value] of Object.entries(summary.params)) {
    const parameter = workflow.params.get(name);
    if (parameter === undefined || parameter.type === "secret") continue;
    if (isObject(value) && "secret" in value) continue;
    values[name] = value;
  }
  const binding = bind(workflow, { ...given, file: values });
  // Repeating a run changes nothing about where its values came from.
  return { ...binding, sources: { ...binding.sources, ...summary.sources } };
}
