import type { Clock, Random } from "./core/clock.ts";
import { SpanloopError } from "./core/errors.ts";
import type { Diagnostic } from "./core/diagnostic.ts";
import { Ids } from "./core/ids.ts";
import type { JsonObject } from "./core/json.ts";
import type { PlanReport, RunEvent, RunHistory, RunReport } from "./core/report.ts";
import type { RemoteContext } from "./core/propagation.ts";
import type {
  ReceiveOptions,
  ReceiverAddress,
  ReceiverCounts,
  TailedSpan,
  TailOptions,
} from "./core/received.ts";
import type { SpanReference } from "./core/span.ts";
import type { Pruned, RunQuery, RunSummary } from "./core/store.ts";
import type { Workflow } from "./core/workflow.ts";
import type { Engine } from "./core/engine.ts";
import type { GivenValues, RunOptions } from "./core/run_options.ts";
import type { ImproveOptions, ImproveReport } from "./core/improve.ts";
import type { LogConsumer, Severity } from "./core/log.ts";
import type { Plugins } from "./core/plugins.ts";
import type { TuningReport } from "./core/tuning_report.ts";
import { assemble, openPlace, type Parts, type Surroundings } from "./assembly.ts";
import { followRun } from "./follow_run.ts";
import { findRun, runById, type Shelf, unendedRun } from "./find_run.ts";
import type { StorePlace } from "./locate_store.ts";
import { NewRuns } from "./new_runs.ts";
import { describePlan } from "./plan/describe.ts";
import type { Receiving } from "./receive.ts";
import { Registration } from "./registration.ts";
import type { RunHandle, StartRequest } from "./run/runner.ts";
import { type SubWorkflowHost, subWorkflows } from "./sub_workflow.ts";
import { systemClock, systemRandom } from "./system.ts";
import { startTelemetry } from "./start_telemetry.ts";
import { takeUp } from "./take_up.ts";
import { LocalPlugins, type LocalPluginsPorts } from "./local_plugins.ts";
import { LocalTuning } from "./local_tuning.ts";
import { EngineLog } from "./telemetry/log.ts";
import type { SpanProcessor } from "./telemetry/provider.ts";
import type { Telemetry } from "./telemetry/telemetry.ts";
import { checkFile, type LoadedWorkflow, WorkflowFiles } from "./workflow_files.ts";

// As long as a run waits for plugins after its end (R8).
const DRAIN_MS = 5_000;

/** The engine in this process: wires the layers together. */
export class LocalEngine implements Engine {
  /** See Engine. */
  readonly location: string;
  /** See Engine. */
  readonly tuning: LocalTuning;
  readonly #plugins: LocalPlugins;
  readonly #place: StorePlace;
  readonly #processors: readonly SpanProcessor[];
  readonly #drainMs: number;
  readonly #surroundings: Surroundings;
  readonly #files = new WorkflowFiles();
  readonly #registration = new Registration();
  readonly #host: SubWorkflowHost;
  readonly #newRuns: NewRuns;
  #parts: Promise<Parts | undefined> | undefined;
  #telemetry: Promise<Telemetry | undefined> | undefined;

  /** Works on the store at `place`; by the system's time and randomness, unless a test has others. */
  constructor(
    place: StorePlace,
    {
      near,
      store,
      spanProcessors = [],
      drainMs = DRAIN_MS,
      pluginLimits,
      clock = systemClock(),
      random = systemRandom(),
    }: {
      readonly near: string;
      readonly store?: string;
      readonly spanProcessors?: readonly SpanProcessor[];
      readonly drainMs?: number;
      readonly pluginLimits?: LocalPluginsPorts["limits"];
      readonly clock?: Clock;
      readonly random?: Random;
    },
  ) {
    this.#place = place;
    this.#processors = spanProcessors;
    this.#drainMs = drainMs;
    this.location = place.location;
    const ids = new Ids(clock, random);
    this.#surroundings = {
      clock,
      random,
      ids,
      // What a step starts means the same store, in whichever folder it runs.
      environment: {
        ...Deno.env.toObject(),
        ...store === undefined ? {} : { SPANLOOP_STORE: store },
      },
      log: new EngineLog(clock),
    };
    this.tuning = new LocalTuning({
      ...this.#surroundings,
      files: this.#files,
      existing: () => this.#existing(),
      registered: async (workflow) => {
        const parts = await this.#open();
        await this.#registration.register(parts.store, workflow);
        return parts;
      },
    });
    this.#plugins = new LocalPlugins({
      near,
      forAll: place.plugins,
      surroundings: this.#surroundings,
      files: this.#files,
      existing: () => this.#existing(),
      limits: pluginLimits,
      start: (loaded, trigger, caller, cause) =>
        this.startTriggered(loaded, trigger, { caller, ...cause }),
    });
    this.#host = {
      find: async (runId) => await (await this.#existing())?.store.run(runId),
      start: async (file, params, child) =>
        await this.#newRuns.start(this.#files.load(file), { ...child, caller: params }),
      takeUp: (runId, options) => this.takeUp(runId, options),
      report: async (runId) => (await this.history(runId)).report,
    };
    this.#newRuns = new NewRuns({
      surroundings: this.#surroundings,
      existing: () => this.#existing(),
      ready: (workflow) => this.#ready(workflow),
      subWorkflows: this.#host,
    });
  }

  /** See Engine. */
  validate(
    file: string,
    display?: string,
  ): Promise<{ readonly workflow?: Workflow; readonly diagnostics: readonly Diagnostic[] }> {
    return Promise.try(() => checkFile(file, display));
  }

  /** See Engine. */
  async plan(file: string, given: GivenValues = {}, display?: string): Promise<PlanReport> {
    const { plan } = this.#files.load(file, display);
    return describePlan(plan, await this.#newRuns.preview(plan.workflow, given));
  }

  /** See Engine. */
  async run(
    file: string,
    options: RunOptions & { readonly given?: GivenValues; readonly display?: string } = {},
  ): Promise<RunReport> {
    return await this.#run(this.#files.load(file, options.display), options);
  }

  /** See Engine. */
  async improve(file: string, options: ImproveOptions): Promise<ImproveReport> {
    const { improve } = await import("./improve.ts");
    const { clock } = this.#surroundings;
    const load = () => this.#files.load(file, options.display);
    const loaded = load();
    return await improve(
      {
        clock,
        load,
        drainMs: this.#drainMs,
        forAll: this.#place.plugins,
        tuning: this.tuning,
        open: async () => {
          const { store } = await this.#open();
          await this.#registration.register(store, loaded.plan.workflow);
          return store;
        },
        plan: () => this.plan(file, options.given, options.display),
        run: (loaded, more) => this.#run(loaded, { ...more, given: options.given, ordered: true }),
        settle: (signal) => this.#plugins.settle(signal),
      },
      loaded,
      options,
    );
  }

  /**
   * Starts a workflow for a trigger's event; the handle is given before the run is over. `cause` says what came
   * with the event: the span that it is of, which the run's span links to, a caller that encloses it, and values.
   */
  async startTriggered(
    loaded: LoadedWorkflow,
    trigger: string,
    cause: {
      readonly onEvent?: (event: RunEvent) => void;
      readonly triggeredBy?: SpanReference;
      readonly trace?: RemoteContext;
      readonly caller?: JsonObject;
    } = {},
  ): Promise<RunHandle> {
    const { trace = {}, triggeredBy, onEvent, caller } = cause;
    return await this.#newRuns.start(loaded, { trace, triggeredBy, onEvent, caller, trigger });
  }

  /** Lets a workflow's plugins hear, whoever runs it. */
  async hostPlugins(workflow: Workflow): Promise<void> {
    await this.#plugins.about(await this.#working(), workflow);
  }

  /** See Engine. */
  report(file?: string, display?: string): Promise<readonly TuningReport[]> {
    return this.tuning.report(file, display);
  }

  /** See Engine. */
  async resume(
    runId: string,
    options: RunOptions & { readonly acceptChanges?: boolean; readonly wait?: boolean } = {},
  ): Promise<RunReport> {
    return await this.#followed(await this.takeUp(runId, options), options);
  }

  /** Takes up an unfinished run, waiting for its lease; the handle is given before the run is over. */
  async takeUp(
    runId: string,
    options: Pick<RunOptions, "onEvent"> & {
      readonly acceptChanges?: boolean;
      readonly wait?: boolean;
    } = {},
  ): Promise<RunHandle> {
    const summary = await unendedRun(await this.#shelf(), runId);
    return await takeUp(await this.#working(), this.#surroundings, summary, {
      ...options,
      about: (...run) => this.#plugins.about(...run),
      runWorkflow: subWorkflows(this.#host, {
        onEvent: options.onEvent,
        depth: summary.parent?.depth ?? 0,
        acceptChanges: options.acceptChanges,
      }),
    });
  }

  /** See Engine. */
  async rerun(
    runId: string,
    options: RunOptions & { readonly from?: string; readonly failed?: boolean } = {},
  ): Promise<RunReport> {
    const summary = await runById(await this.#shelf(), runId);
    if (summary.endedAt === undefined && options.failed) {
      throw new SpanloopError(
        "run.unfinished",
        `Run ${runId} has not ended; resume goes on with it`,
        { exitCode: 2 },
      );
    }
    const loaded = this.#files.load(summary.file);
    return await this.#followed(await this.#newRuns.repeat(loaded, summary, options), options);
  }

  /** See Engine. */
  async cancel(runId: string): Promise<boolean> {
    const parts = await this.#existing();
    if (parts === undefined) return false;
    return await parts.store.signal(runId, "cancel", {}, this.#surroundings.clock.now());
  }

  /** See Engine. */
  async runs(query: RunQuery = {}): Promise<readonly RunSummary[]> {
    return await (await this.#existing())?.store.runs(query) ?? [];
  }

  /** See Engine. */
  async find(text: string): Promise<RunSummary> {
    return await findRun(await this.#shelf(), text);
  }

  /** See Engine. */
  async history(runId: string): Promise<RunHistory> {
    const summary = await runById(await this.#shelf(), runId);
    const { store } = await this.#open();
    const { readHistory } = await import("./run_history.ts");
    return await readHistory(store, summary);
  }

  /** See Engine. */
  async prune(olderThanMs: number): Promise<Pruned> {
    const parts = await this.#existing();
    const before = this.#surroundings.clock.now() - BigInt(Math.round(olderThanMs * 1e6));
    return await parts?.store.prune(before) ?? { runs: 0, receivedSpans: 0, changes: 0 };
  }

  /** See Engine. */
  async serve(
    folder: string,
    options: RunOptions & {
      readonly signal: AbortSignal;
      readonly display?: string;
      readonly watch?: boolean;
      readonly receiver?: ReceiverAddress;
    },
  ): Promise<void> {
    const { checkFolder, serve } = await import("./serve.ts");
    checkFolder(folder, options.display);
    const { store } = await this.#working();
    const { clock, random, log } = this.#surroundings;
    const receiving = options.receiver === undefined
      ? undefined
      : await this.#startReceiving(options.receiver);
    if (receiving !== undefined) {
      log.log({ severity: "info", body: `receiving OTLP on ${receiving.url}` });
    }
    if (options.watch) this.#plugins.watch(options.signal);
    try {
      await serve(this, { ...options, folder, store, clock, random, log });
    } finally {
      await receiving?.close();
    }
  }

  /** See Engine. */
  async receive(options: ReceiveOptions): Promise<ReceiverCounts> {
    const receiving = await this.#startReceiving(options, options.onItem);
    options.onListen?.(receiving.url);
    const { signal } = options;
    if (!signal.aborted) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    }
    return await receiving.close();
  }

  async #startReceiving(
    address: ReceiverAddress,
    onItem?: ReceiveOptions["onItem"],
  ): Promise<Receiving> {
    const { startReceiving } = await import("./receive.ts");
    const { store, bus } = await this.#working();
    const { clock, log } = this.#surroundings;
    const telemetry = await this.#telemetry;
    return await startReceiving({ store, bus, clock, log, telemetry }, address, onItem);
  }

  /** See Engine. */
  async *tail(options: TailOptions): AsyncIterable<TailedSpan> {
    const { tailSpans } = await import("./telemetry/tail.ts");
    const parts = await this.#existing();
    if (parts === undefined) {
      throw new SpanloopError(
        "store.missing",
        `There is no store at ${this.location} yet; run a workflow, or start \`receive\`, first`,
        { exitCode: 2 },
      );
    }
    yield* tailSpans(parts.store, this.#surroundings.clock, options);
  }

  /** See Engine. */
  get plugins(): Plugins {
    return this.#plugins;
  }

  /** See Engine. */
  onLog(hear: LogConsumer, least?: Severity): () => void {
    return this.#surroundings.log.addConsumer(hear, least);
  }

  /** See Engine. */
  async close(): Promise<void> {
    await this.#plugins.close(this.#drainMs);
    const [parts, telemetry] = await Promise.all([this.#parts, this.#telemetry]);
    this.#parts = this.#telemetry = undefined;
    if (parts === undefined) return;
    parts.keeper.stop();
    await Promise.all([telemetry?.shutdown(), parts.tracing?.shutdown()]);
    await parts.store.close();
  }

  async #open(): Promise<Parts> {
    return await this.#existing(true) as Parts; // made where there was none
  }

  // What only looks for runs makes no store: the next run would find that one first (R3).
  async #existing(create = false): Promise<Parts | undefined> {
    this.#parts ??= this.#assemble(create);
    const opening = this.#parts;
    let parts: Parts | undefined;
    try {
      parts = await opening;
    } finally {
      // Neither a failure nor a store that was looked for in vain is remembered.
      if (parts === undefined && this.#parts === opening) this.#parts = undefined;
    }
    return parts === undefined && create ? await this.#existing(create) : parts;
  }

  async #assemble(create: boolean): Promise<Parts | undefined> {
    const store = await openPlace(this.#place, create);
    if (store === undefined) return undefined;
    return await assemble(
      store,
      this.#processors,
      this.#surroundings,
      (...attempt) => this.#plugins.runStep(...attempt),
    );
  }

  async #shelf(): Promise<Shelf> {
    return { store: (await this.#existing())?.store, location: this.location };
  }

  // Whoever runs something exports what it does; looking does not.
  async #working(): Promise<Parts> {
    const parts = await this.#open();
    this.#telemetry ??= startTelemetry(parts, this.#surroundings);
    const telemetry = await this.#telemetry;
    if (telemetry !== undefined) {
      parts.propagation.follow(telemetry);
      this.#plugins.follow(telemetry.plugins);
    }
    return parts;
  }

  async #ready(workflow: Workflow): Promise<Parts> {
    const parts = await this.#working();
    await this.#registration.register(parts.store, workflow);
    await this.#plugins.about(parts, workflow);
    return parts;
  }

  async #run(
    loaded: LoadedWorkflow,
    options: RunOptions & Pick<StartRequest, "ordered"> & { readonly given?: GivenValues },
  ): Promise<RunReport> {
    const { onEvent, ordered, given } = options;
    return await this.#followed(
      await this.#newRuns.start(loaded, { onEvent, ordered, given }),
      options,
    );
  }

  #followed(handle: RunHandle, options: RunOptions): Promise<RunReport> {
    return followRun(handle, options, () => this.cancel(handle.runId));
  }
}
