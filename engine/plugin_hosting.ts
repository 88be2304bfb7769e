import type { Parts, Surroundings } from "./assembly.ts";
import { formatDuration } from "./core/duration.ts";
import { messageOf } from "./core/errors.ts";
import type { PluginUse } from "./core/plugin_use.ts";
import type { RemoteContext } from "./core/propagation.ts";
import type { SpanReference } from "./core/span.ts";
import type { Workflow } from "./core/workflow.ts";
import { reactionBaggage } from "./business_context.ts";
import { tellChanges } from "./change_log.ts";
import { listenersOf } from "./command_listeners.ts";
import { type CommandOrder, Effects } from "./host/effects.ts";
import { isReached, isTested, usesOf } from "./experiments.ts";
import { Host } from "./host/host.ts";
import type { PluginOpener } from "./plugin_opener.ts";
import type { RunHandle } from "./run/runner.ts";
import type { PluginMeasure } from "./telemetry/plugin_measure.ts";
import { openLedger } from "./standing_values.ts";
import { isDead, thisHolder } from "./system.ts";
import { type LoadedWorkflow, loadText, type WorkflowFiles } from "./workflow_files.ts";

/** What hosting plugins needs of the engine. */
export interface HostingPorts {
  /** The layers on the store. */
  readonly parts: Parts;
  /** The machine and the process. */
  readonly surroundings: Surroundings;
  /** Workflow files. */
  readonly files: WorkflowFiles;
  /** What spanloop.yaml uses, for all workflows. */
  readonly forAll: readonly PluginUse[];
  /** Measures what plugins do; undefined where nothing is measured. */
  readonly measure: () => PluginMeasure | undefined;
  /** Opens plugins. */
  readonly opener: PluginOpener;
  /** A workflow as its file says it now; undefined for one that is not known. */
  readonly contract: (workflow: string) => Promise<Workflow | undefined>;
  /** Starts a run for a command. */
  readonly start: (
    loaded: LoadedWorkflow,
    trigger: string,
    params: CommandOrder["params"],
    cause: { readonly trace: RemoteContext; readonly triggeredBy?: SpanReference },
  ) => Promise<RunHandle>;
}

// Longer than this nobody waits without wondering why.
const QUIET_MS = 1_000;

/** Hosts the plugins of a store in this process, if no other one does (R8). */
export class Hosting {
  readonly #ports: HostingPorts;
  readonly #host: Host;
  // Workflow files by name, of the runs that were seen.
  readonly #files = new Map<string, string>();
  // What the workflows that other processes run were last, by name.
  readonly #definitions = new Map<
    string,
    { readonly definition: string; readonly workflow: Workflow }
  >();
  // Workflows that run here, by name.
  readonly #used = new Map<string, { readonly workflow: Workflow; readonly tested: boolean }>();
  readonly #commanded = new Set<Promise<unknown>>();

  private constructor(ports: HostingPorts, effects: Effects) {
    const { opener, measure, parts: { store, bus, keeper }, surroundings: { clock, log } } = ports;
    this.#ports = ports;
    this.#host = new Host({
      store,
      bus,
      clock,
      log,
      keeper,
      effects,
      measure,
      holder: thisHolder(),
      isDead,
      open: (use) => opener.open(use),
      usesOf: (runId) => this.#usesOf(runId),
      onOutcomes: (_, outcomes) => tellChanges(log, outcomes),
    });
  }

  /** Begins to host with what happens after `from`, or to wait for the store's host to end. Throws StoreError. */
  static async start(ports: HostingPorts, from: number): Promise<Hosting> {
    const { parts, contract } = ports;
    const ledger = await openLedger(parts);
    const effects: Effects = new Effects({
      store: parts.store,
      ledger,
      contract,
      command: (order) => hosting.#command(order),
    });
    const hosting: Hosting = new Hosting(ports, effects);
    hosting.#host.use(undefined, ports.forAll, from);
    await hosting.#host.start(from);
    return hosting;
  }

  /**
   * A workflow is about to run here: its plugins hear what happens after `from`. `tested`: whether one of its experiments
   * is open.
   */
  use(workflow: Workflow, from: number, tested: boolean): void {
    const { name, file } = workflow;
    this.#files.set(name, file);
    const others = [...this.#used.values()].filter((one) => one.workflow.name !== name);
    this.#used.set(name, { workflow, tested });
    this.#use(name, from);
    // Those that it reaches are measured from now on.
    for (const { workflow: other } of others) {
      if (isReached(other.name, [workflow])) this.#use(other.name);
    }
  }

  /** Opens the plugins again that a changed file belongs to. */
  reload(paths: readonly string[]): void {
    this.#host.reload((use) => this.#ports.opener.isOf(use, paths));
  }

  /**
   * Lets the plugins hear all that there is until `signal` aborts, and goes on hosting; false: another process hosts
   * them (R8).
   */
  async settle(signal: AbortSignal): Promise<boolean> {
    await this.#host.drain(signal);
    return this.#host.hosting;
  }

  /** Lets the plugins hear what is left, for so many milliseconds at most, and lets them go. */
  async close(drainMs: number): Promise<void> {
    const { clock, log } = this.#ports.surroundings;
    const enough = new AbortController();
    const cancelEnd = clock.after(drainMs, () => {
      enough.abort();
      if (this.#host.hosting && drainMs > 0) {
        const body =
          "plugins have not heard everything; what is left waits for whoever hosts them next";
        log.log({ severity: "warn", body });
      }
    });
    const cancelWord = clock.after(QUIET_MS, () => {
      if (!this.#host.hosting || drainMs <= QUIET_MS) return;
      const body = `plugins are still at work; waiting for them for at most ${
        formatDuration(drainMs)
      }`;
      log.log({ severity: "warn", body });
    });
    const cancel = () => {
      cancelEnd();
      cancelWord();
    };
    await this.#host.drain(enough.signal);
    // What a plugin has started is work like any other; what that makes is heard as well.
    while (this.#commanded.size > 0) {
      await Promise.all(this.#commanded);
      await this.#host.drain(enough.signal);
    }
    cancel();
    await this.#host.close();
  }

  #use(name: string, from?: number): void {
    const { workflow, tested } = this.#used.get(name)!;
    const watched = tested || this.#isReached(name);
    this.#host.use(name, usesOf(workflow, this.#ports.forAll, watched), from);
  }

  #isReached(name: string): boolean {
    return isReached(name, Array.from(this.#used.values(), ({ workflow }) => workflow));
  }

  async #usesOf(runId: string): Promise<readonly PluginUse[]> {
    const { parts: { store } } = this.#ports;
    const run = await store.run(runId);
    if (run === undefined) return [];
    const { workflow, file, definition } = run;
    let known = this.#definitions.get(workflow);
    if (known?.definition !== definition) {
      const text = await store.definition(definition);
      if (text === undefined) return [];
      this.#files.set(workflow, file);
      known = { definition, workflow: loadText(text, file).plan.workflow };
      this.#definitions.set(workflow, known);
    }
    // One of its experiments may have begun since.
    const watched = this.#isReached(workflow) || await isTested(store, known.workflow);
    return usesOf(known.workflow, this.#ports.forAll, watched);
  }

  async #command(order: CommandOrder): Promise<readonly string[]> {
    const { start, files, surroundings: { log } } = this.#ports;
    const known = new Set([...this.#files.values(), ...this.#ports.forAll.map(({ file }) => file)]);
    const started: string[] = [];
    for (const loaded of listenersOf(order.name, known, files, log)) {
      const { name } = loaded.plan.workflow;
      const handle = await start(loaded, `${name}/command/${order.id}`, order.params, {
        trace: { baggage: reactionBaggage(order.depth) },
        triggeredBy: order.triggeredBy,
      });
      const failure = await handle.created.then(
        () => undefined,
        () => handle.report.catch((why) => why),
      );
      started.push(handle.runId);
      if ((failure as { code?: string } | undefined)?.code === "run.duplicate") continue;
      if (failure !== undefined) throw failure;
      log.log({
        severity: "info",
        body: `started by the command ${order.name} of plugin ${order.plugin}`,
        workflow: name,
        runId: handle.runId,
      });
      const ended = handle.report.then(() => {}, (thrown) => {
        const body = messageOf(thrown);
        log.log({ severity: "error", body, workflow: name, runId: handle.runId });
      }).finally(() => this.#commanded.delete(ended));
      this.#commanded.add(ended);
    }
    return started;
  }
}
