import { end, HERE, newRun, start, status, T0 } from "../../tests/contract/store_entries.ts";
import type { ActionType } from "../core/action.ts";
import type { Clock } from "../core/clock.ts";
import { StoreError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import type { CarriedOut } from "../core/plugin_report.ts";
import { definePlugin, type PluginDefinition } from "../core/plugin.ts";
import type { Grant, PluginUse } from "../core/plugin_use.ts";
import type { StoreRecord } from "../core/span.ts";
import type { Entry, Holder, Store } from "../core/store.ts";
import { ParameterLedger } from "../parameters/ledger.ts";
import { Keeper } from "../run/keeper.ts";
import { Bus } from "../telemetry/bus.ts";
import { type CommandOrder, type EffectPorts, Effects } from "./effects.ts";
import { Host } from "./host.ts";
import { inProcess } from "./in_process.ts";
import type { Opened } from "./instance.ts";
import { type LinkLimits, PluginLink } from "./link.ts";
import { PluginError } from "./plugin_error.ts";
import type { Channel } from "./protocol.ts";

// What the tests of this folder share: a process that hosts plugins, with a real store, bus, keeper, ledger and channel.

/** One of a workflow's plugins in a test. */
export interface TestPlugin {
  /** As its author defines it. */
  readonly definition: PluginDefinition;
  /** The workflow that uses it; `test` when absent, null for all. */
  readonly workflow?: string | null;
  /** What it was granted; all that it declares when absent. */
  readonly grant?: Partial<Grant>;
  /** Of its file; `1` when absent. */
  readonly fingerprint?: string;
  /** Whether it is the engine's own, which measures experiments. */
  readonly engine?: boolean;
}

/** A plugin from its handlers. */
export function plugin(
  name: string,
  onSpan: PluginDefinition["onSpan"],
  more: Partial<PluginDefinition> = {},
): PluginDefinition {
  const actions: ActionType[] = ["emit", "propose", "command"];
  return definePlugin({ name, role: "agent", actions, subscribe: {}, onSpan, ...more });
}

/** A contract with one tunable parameter, which nothing holds back. */
export function contractOf(name: string): Awaited<ReturnType<EffectPorts["contract"]>> {
  return {
    name,
    params: new Map([["batch", {
      name: "batch",
      type: "integer",
      default: 20,
      tune: { min: 1, max: 1_000_000, scale: "linear", apply: "next_run", mode: "auto" },
    }]]),
  } as unknown as Awaited<ReturnType<EffectPorts["contract"]>>;
}

/** Timers that fire so many times as fast. */
export function fastClock(speed = 20): Clock {
  return {
    now: () => BigInt(Date.now()) * 1_000_000n,
    monotonic: () => performance.now(),
    after(ms, fire) {
      const timer = setTimeout(fire, ms / speed);
      return () => clearTimeout(timer);
    },
  };
}

/** Called at each point at which a process may be killed; what it does not resolve never goes on. */
export type Point = (what: string) => Promise<void>;

/** A store of which each call passes a point before and after it. */
export function passing(store: Store, point: Point): Store {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      if (name === "read") {
        return async function* (...given: Parameters<Store["read"]>) {
          await point("read");
          yield* target.read(...given);
        };
      }
      return async (...given: unknown[]) => {
        await point(`before ${String(name)}`);
        const result: unknown = await value.apply(target, given);
        await point(`after ${String(name)}`);
        return result;
      };
    },
  });
}

/** A store that fails with `store.busy` when `fails` says so, before it does anything. */
export function failing(store: Store, fails: (method: string) => boolean): Store {
  return passing(store, (what) => {
    const [when, method = when] = what.split(" ");
    return when !== "after" && fails(method)
      ? Promise.reject(new StoreError("store.busy", "The store is busy; try again"))
      : Promise.resolve();
  });
}

/** What a process is made of. */
export interface ProcessOptions {
  /** Its store. */
  readonly store: Store;
  /** What is used in it; `use` says so later. */
  readonly plugins?: readonly TestPlugin[];
  /** Who it is. */
  readonly holder?: Holder;
  /** Which others are dead; all when absent. */
  readonly isDead?: (holder: Holder) => boolean;
  /** Workflows' contracts; `contractOf` when absent. */
  readonly contract?: EffectPorts["contract"];
  /** What listens to commands; nothing when absent. */
  readonly command?: EffectPorts["command"];
  /** Of runs of other processes. */
  readonly usesOf?: (runId: string) => Promise<readonly TestPlugin[]>;
  /** Fast when absent. */
  readonly clock?: Clock;
  /** Passed before each plugin is opened. */
  readonly point?: Point;
}

/** A process that hosts plugins, or waits to. */
export class TestProcess {
  /** Its host. */
  readonly host: Host;
  /** Its bus. */
  readonly bus = new Bus((thrown) => {
    throw thrown;
  });
  /** What operators were told. */
  readonly lines: string[] = [];
  /** What became of actions. */
  readonly outcomes: CarriedOut[] = [];
  /** Commands that were given. */
  readonly orders: CommandOrder[] = [];
  /** Ways to the plugins that were opened, those that are gone included. */
  readonly channels: Channel[] = [];
  readonly #store: Store;
  readonly #keeper: Keeper;
  readonly #known = new Map<string, TestPlugin>();

  /** Hosts nothing before `start`. */
  constructor(options: ProcessOptions) {
    const { store, clock = fastClock(), holder = HERE } = options;
    this.#store = store;
    this.#keeper = new Keeper({ store, clock, onError: () => {} });
    const log: Logger = {
      enabled: () => true,
      log: ({ severity, body }) => void this.lines.push(`${severity}: ${body}`),
    };
    const effects = new Effects({
      store,
      ledger: new ParameterLedger({ store, machineZone: "UTC" }),
      contract: options.contract ?? ((name) => Promise.resolve(contractOf(name))),
      command: (order) => {
        this.orders.push(order);
        return options.command?.(order) ?? Promise.resolve([]);
      },
    });
    this.host = new Host({
      store,
      bus: this.bus,
      clock,
      log,
      holder,
      effects,
      isDead: options.isDead ?? (() => true),
      keeper: this.#keeper,
      open: async (use) => {
        await options.point?.("open");
        return await this.#open(use);
      },
      usesOf: async (runId) => this.#usesFor(await options.usesOf?.(runId) ?? []),
      onOutcomes: (_, outcomes) => void this.outcomes.push(...outcomes),
    });
    for (const workflow of new Set((options.plugins ?? []).map(workflowOf))) {
      const its = options.plugins!.filter((one) => workflowOf(one) === workflow);
      this.use(workflow, its, 0);
    }
  }

  /** Says what a workflow uses. */
  use(workflow: string | undefined, plugins: readonly TestPlugin[], from?: number): void {
    this.host.use(workflow, this.#usesFor(plugins), from);
  }

  /** Commits as an engine does: to the store, then on the bus. */
  async commit(entries: readonly Entry[], fences = new Map<string, number>()): Promise<void> {
    const { records } = await this.#store.commit(entries, fences);
    this.bus.publish(records);
  }

  /** Lets the plugins handle all that there is. */
  async drain(): Promise<void> {
    await this.host.drain(new AbortController().signal);
  }

  /** Ends it in order. */
  async close(): Promise<void> {
    await this.host.close();
    this.#keeper.stop();
  }

  /** Ends the renewal of its lease. */
  stopKeeper(): void {
    this.#keeper.stop();
  }

  #usesFor(plugins: readonly TestPlugin[]): readonly PluginUse[] {
    return plugins.map((one) => {
      this.#known.set(`${one.definition.name}@${workflowOf(one)}`, one);
      return useOf(one);
    });
  }

  async #open(use: PluginUse): Promise<Opened> {
    const known = this.#known.get(`${use.name}@${use.workflow}`);
    if (known === undefined) throw new PluginError("plugin.import", `there is no ${use.use}`);
    const { definition, fingerprint = "1", engine = false } = known;
    const channel = channelTo(definition);
    this.channels.push(channel);
    const link = await opened(definition, channel, (line) => this.lines.push(line));
    return { ...link, fingerprint, engine };
  }
}

/** How a plugin is used. */
export function useOf(one: TestPlugin): PluginUse {
  const { definition: { name }, grant } = one;
  const workflow = workflowOf(one);
  return {
    name,
    use: `./${name}.ts`,
    ...workflow === undefined ? {} : { workflow },
    folder: "/w",
    file: "/w/test.yaml",
    line: 1,
    trust: true,
    ...grant === undefined ? {} : { grant },
    with: {},
  };
}

function channelTo(definition: PluginDefinition): Channel {
  return inProcess({
    monotonic: () => performance.now(),
    load: () => Promise.resolve({ default: definition }),
  });
}

// Here handlers wait for what a test does meanwhile, on a machine of any speed; milliseconds.
const PATIENT: LinkLimits = { load: 120_000, handle: 120_000, abort: 120_000 };

/** A plugin, opened in this process. */
export async function opened(
  definition: PluginDefinition,
  channel = channelTo(definition),
  onLog: (line: string) => void = () => {},
): Promise<Opened> {
  const answer = () => Promise.resolve([]);
  const link = new PluginLink(channel, { clock: fastClock(1), answer, onLog }, PATIENT);
  const description = await link.load(`file:///w/${definition.name}.ts`);
  return { link, description, config: {}, own: true, isolation: "in process", fingerprint: "1" };
}

function workflowOf({ workflow = "test" }: TestPlugin): string | undefined {
  return workflow ?? undefined;
}

/** The id of a run's numbered span. */
export function spanIdOf(run: number, span: number): string {
  return run.toString(16).padStart(8, "0") + (span + 1).toString(16).padStart(8, "0");
}

const RUN_NAME = "cicd.pipeline.name";

/** A run's creation and the start of its span. */
export function runBegins(run: number, workflow = "test"): Entry[] {
  const runId = `run-${run}`;
  return [
    newRun(runId, { workflow, spanId: spanIdOf(run, 0), createdAt: T0 + BigInt(run) }),
    start(runId, "", {
      role: "run",
      stepId: undefined,
      span: {
        ...start(runId, "").span,
        spanId: spanIdOf(run, 0),
        name: workflow,
        attributes: { [RUN_NAME]: workflow },
      },
    }),
  ];
}

/** One attempt of a run, `number` from 1; it ends a second after the one before it. */
export function attempt(run: number, number: number): Entry[] {
  const spanId = spanIdOf(run, number);
  const begun = start(`run-${run}`, `s${number}`);
  const endTime = T0 + BigInt(run * 1_000 + number) * 1_000_000_000n;
  return [
    { ...begun, span: { ...begun.span, spanId, name: "step", attributes: { number } } },
    end(`run-${run}`, `s${number}`, {
      spanId,
      end: { endTime, error: false, attributes: {} },
    }),
  ];
}

/** A run's end. */
export function runEnds(run: number): Entry[] {
  const runId = `run-${run}`;
  return [
    end(runId, "", { role: "run", stepId: undefined, spanId: spanIdOf(run, 0) }),
    status(runId, "succeeded", T0 + 11n),
  ];
}

/** The fence of a test's run. */
export function fenceOf(run: number): Map<string, number> {
  return new Map([[`run-${run}`, 1]]);
}

/** All records of a store. */
export async function recordsOf(store: Store): Promise<readonly StoreRecord[]> {
  return await store.since(0, 1_000_000);
}

/** What plugins have emitted, in order: name and attributes. */
export async function emittedBy(store: Store, name: string) {
  return (await recordsOf(store)).flatMap((record) =>
    record.type === "emitted" && record.span.plugin === name ? [record.span] : []
  );
}
