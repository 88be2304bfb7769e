import type { Parts, Surroundings } from "./assembly.ts";
import type { AnalysisReport, AnalyzeOptions } from "./core/analysis.ts";
import { messageOf } from "./core/errors.ts";
import type { ActionOutcome, PluginReport } from "./core/plugin_report.ts";
import type { Plugins, ReplayOptions } from "./core/plugins.ts";
import type { PluginUse } from "./core/plugin_use.ts";
import type { Workflow } from "./core/workflow.ts";
import type { JsonObject } from "./core/json.ts";
import type { RunPluginStep } from "./core/step.ts";
import type { Store } from "./core/store.ts";
import type { Effects } from "./host/effects.ts";
import type { OpenerPorts, PluginOpener } from "./plugin_opener.ts";
import type { PluginWatch } from "./plugin_watch.ts";
import type { PluginSteps } from "./plugin_steps.ts";
import type { PluginMeasure } from "./telemetry/plugin_measure.ts";
import type { Hosting, HostingPorts } from "./plugin_hosting.ts";
import { openLedger } from "./standing_values.ts";
import type { WorkflowFiles } from "./workflow_files.ts";

/** What the engine's plugins need of it. */
export interface LocalPluginsPorts {
  /** A workflow file or a folder of the project; absolute. */
  readonly near: string;
  /** What spanloop.yaml uses, for all workflows. */
  readonly forAll: readonly PluginUse[];
  /** The machine and the process. */
  readonly surroundings: Surroundings;
  /** Workflow files. */
  readonly files: WorkflowFiles;
  /** The layers on the store, if there is one. */
  readonly existing: () => Promise<Parts | undefined>;
  /** Starts a run for a command. */
  readonly start: HostingPorts["start"];
  /** See OpenerPorts. */
  readonly limits?: OpenerPorts["limits"];
}

/** See Plugins; hosts the plugins of what runs here, and loads nothing of that where none are used. */
export class LocalPlugins implements Plugins {
  readonly #ports: LocalPluginsPorts;
  #hosting: Promise<Hosting | undefined> | undefined;
  // Each workflow once, by its file: a process may run one a thousand times.
  readonly #met = new Map<string, Workflow>();
  #watch: Promise<PluginWatch> | undefined;
  #measure: PluginMeasure | undefined;
  #opener: Promise<PluginOpener> | undefined;
  #steps: Promise<PluginSteps> | undefined;
  #stepEffects: Promise<Effects> | undefined;

  /** Uses the engine's ports. */
  constructor(ports: LocalPluginsPorts) {
    this.#ports = ports;
  }

  /**
   * A workflow is about to run here, or a run of it to go on that began after `since`: what it uses hears of it from
   * its first span on. Resolves before anything is loaded; what goes wrong is logged, and never stops a run (H1).
   */
  async about(parts: Parts, workflow: Workflow, since?: number): Promise<void> {
    if (this.#met.get(workflow.file) === workflow) return;
    const { forAll } = this.#ports;
    const usesNone = workflow.plugins.length + forAll.length === 0;
    // What is tried on a share of its runs is measured, whoever uses plugins for it.
    const tested = usesNone && workflow.tune?.objective !== undefined &&
      await (await import("./experiments.ts")).isTested(parts.store, workflow);
    if (usesNone && !tested && this.#hosting === undefined) return;
    this.#met.set(workflow.file, workflow);
    const from = since ?? await parts.store.last();
    this.#hosting ??= this.#start(parts, from);
    void this.#hosting.then((hosting) => hosting?.use(workflow, from, tested));
    void this.#watch?.then((watch) => watch.add([...forAll, ...workflow.plugins]));
  }

  /** What plugins do is measured there from now on. */
  follow(measure: PluginMeasure): void {
    this.#measure = measure;
  }

  /** See RunPluginStep. */
  async runStep(...attempt: Parameters<RunPluginStep>): Promise<JsonObject> {
    this.#steps ??= this.#startSteps();
    return await (await this.#steps).run(...attempt);
  }

  /** Opens plugins again when their files change, until the signal aborts. */
  watch(signal: AbortSignal): void {
    this.#watch = import("./plugin_watch.ts").then(({ PluginWatch }) =>
      new PluginWatch(this.#ports.surroundings, signal, async (paths) => {
        (await this.#hosting)?.reload(paths);
      })
    );
  }

  /** Lets plugins hear all that has happened until `signal` aborts; false: another process hosts them, or none are used. */
  async settle(signal: AbortSignal): Promise<boolean> {
    return await (await this.#hosting)?.settle(signal) ?? false;
  }

  /** Lets plugins hear what is left, for so many milliseconds at most, and lets them go. */
  async close(drainMs: number): Promise<void> {
    await (await this.#hosting)?.close(drainMs);
    await (await this.#steps)?.close();
    this.#hosting = this.#steps = this.#stepEffects = undefined;
  }

  /** See Plugins. */
  async list(file?: string, display?: string): Promise<readonly PluginReport[]> {
    const { listPlugins } = await import("./plugin_listing.ts");
    const { existing, files, forAll } = this.#ports;
    const workflow = file === undefined ? undefined : files.load(file, display).plan.workflow;
    return await listPlugins((await existing())?.store, forAll, workflow);
  }

  /** See Plugins. */
  async retry(name: string): Promise<number> {
    const { retryPlugin } = await import("./plugin_listing.ts");
    const parts = await this.#ports.existing();
    return parts === undefined ? 0 : await retryPlugin(parts.store, name);
  }

  /** See Plugins. */
  async analyze(options: AnalyzeOptions = {}): Promise<AnalysisReport> {
    const { existing, files, forAll, near, surroundings } = this.#ports;
    const { file, display } = options;
    const given = file === undefined ? undefined : files.load(file, display).plan.workflow;
    const parts = await existing();
    if (parts === undefined) return { health: null, workflows: [], behind: 0 };
    const { analyze, ANALYZER, implicitUse } = await import("./analysis.ts");
    const name = given?.name ?? options.workflow;
    // A file that does not hold just now has a history all the same.
    const workflow = given ?? (name && await this.#contract(name).catch(() => undefined));
    const uses = [...workflow ? workflow.plugins : [], ...forAll];
    return await analyze(
      {
        parts,
        surroundings,
        opener: await this.#open(),
        effects: await (this.#stepEffects ??= this.#openEffects()),
        use: uses.find((use) => use.name === ANALYZER) ?? implicitUse(near),
      },
      name,
      options,
    );
  }

  /** See Plugins. */
  async *replay(options: ReplayOptions): AsyncIterable<ActionOutcome> {
    const { replayPlugin } = await import("./plugin_replay.ts");
    const { files, near, forAll } = this.#ports;
    yield* replayPlugin({
      store: await this.#store(),
      files,
      near,
      forAll,
      opener: await this.#open(),
      contract: (name) => this.#contract(name),
    }, options);
  }

  async #startSteps(): Promise<PluginSteps> {
    const { PluginSteps } = await import("./plugin_steps.ts");
    const { tellChanges } = await import("./change_log.ts");
    return new PluginSteps({
      opener: await this.#open(),
      workflow: (file) => this.#met.get(file),
      forAll: this.#ports.forAll,
      store: await this.#store(),
      contract: (name) => this.#contract(name),
      effects: () => this.#stepEffects ??= this.#openEffects(),
      onOutcomes: (outcomes) => tellChanges(this.#ports.surroundings.log, outcomes),
    });
  }

  // Most steps propose nothing: the ledger is loaded for the first one that does.
  async #openEffects(): Promise<Effects> {
    const { Effects } = await import("./host/effects.ts");
    const parts = (await this.#ports.existing())!; // whatever runs has made the store
    return new Effects({
      store: parts.store,
      ledger: await openLedger(parts),
      contract: (name) => this.#contract(name),
      command: () => Promise.resolve([]), // a step's context has none
    });
  }

  // A workflow as its file says it now: that of a run here, or of the last one in the store.
  async #contract(name: string): Promise<Workflow | undefined> {
    const { files, existing } = this.#ports;
    const met = [...this.#met.values()].find((workflow) => workflow.name === name);
    const runs = met === undefined
      ? await (await existing())?.store.runs({ workflow: name, limit: 1 })
      : [];
    const file = met?.file ?? runs?.[0]?.file;
    if (file === undefined) return undefined;
    const { workflow } = files.load(file).plan;
    return workflow.name === name ? workflow : undefined;
  }

  #open(): Promise<PluginOpener> {
    return this.#opener ??= (async () => {
      const { PluginOpener } = await import("./plugin_opener.ts");
      const { surroundings, limits } = this.#ports;
      const contract = (name: string) => this.#contract(name);
      return new PluginOpener({
        store: await this.#store(),
        ...surroundings,
        contract,
        limits,
      });
    })();
  }

  // Whatever runs has made the store; a replay of spans in a file needs none, and makes none.
  async #store(): Promise<Store> {
    const parts = await this.#ports.existing();
    if (parts !== undefined) return parts.store;
    const { openStore } = await import("./store/open.ts");
    return await openStore("memory:", { durability: "normal" });
  }

  async #start(
    parts: Parts,
    from: number,
  ): Promise<Hosting | undefined> {
    const { surroundings, files, forAll, start } = this.#ports;
    try {
      const { Hosting } = await import("./plugin_hosting.ts");
      const opener = await this.#open();
      const contract = (name: string) => this.#contract(name);
      return await Hosting.start(
        {
          parts,
          surroundings,
          files,
          forAll,
          start,
          opener,
          contract,
          measure: () => this.#measure,
        },
        from,
      );
    } catch (thrown) {
      surroundings.log.log({
        severity: "error",
        body: `No plugins are hosted: ${messageOf(thrown)}`,
      });
      return undefined;
    }
  }
}
