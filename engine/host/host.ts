import { type Clock, sleep } from "../core/clock.ts";
import { messageOf, StoreError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import type { CarriedOut, PluginReport } from "../core/plugin_report.ts";
import type { PluginUse } from "../core/plugin_use.ts";
import type { BusEvent, EmittedSpan } from "../core/span.ts";
import type { Holder, Lease, Store } from "../core/store.ts";
import type { Bus } from "../telemetry/bus.ts";
import type { Effects } from "./effects.ts";
import { Feed } from "./feed.ts";
import type { Heard } from "./heard.ts";
import { Instance, type InstancePorts, type Opened } from "./instance.ts";
import { instanceId, keys, readRecord } from "./record.ts";
import { Routes } from "./routes.ts";

/** What the host needs. */
export interface HostPorts {
  /** The store. */
  readonly store: Store;
  /** What this process commits. */
  readonly bus: Bus;
  /** Time. */
  readonly clock: Clock;
  /** Where operators hear of plugins. */
  readonly log: Logger;
  /** This process. */
  readonly holder: Holder;
  /** Whether a holder's process is gone. */
  readonly isDead: (holder: Holder) => boolean;
  /** Renews the lease until it is dropped. */
  readonly keeper: { hold(lease: Lease, onLost: () => void): void; drop(name: string): void };
  /** Carries out what plugins ask for. */
  readonly effects: Effects;
  /** Opens a plugin: loaded, its configuration checked. Throws PluginError. */
  readonly open: (use: PluginUse) => Promise<Opened>;
  /** The plugins of a workflow that another process runs. */
  readonly usesOf: (runId: string) => Promise<readonly PluginUse[]>;
  /** Measures what plugins do; undefined where nothing is measured. */
  readonly measure?: InstancePorts["measure"];
  /** Hears what became of actions. */
  readonly onOutcomes?: (instance: string, outcomes: readonly CarriedOut[]) => void;
}

// What a workflow uses.
interface Used {
  readonly uses: readonly PluginUse[];
  // Where its plugins begin that are new; undefined: where the host does.
  readonly from: number | undefined;
  // Known from a run of another process: each of its runs may use others.
  readonly met: boolean;
}

/** The lease of a store's one host (R8). */
export const HOST_LEASE = "plugins";
/** Where the host that has the lease says who it is, for people; empty once it has given it back. */
export const HOST_KEY = "plugins/host";
/** How long the lease lasts without being renewed, nanoseconds. */
const LEASE_NS = 10_000_000_000n;
const STANDBY_MS = 1_000;
// Changes of other processes are seen within 500 ms (R8).
const POLL_MS = 200;
// What plugins have heard without doing anything is noted so often: less is told twice after a crash.
const FLUSH_MS = 1_000;

/**
 * The one host of a store's plugins: it hears the store's events in their order, hands each to the plugins that want
 * it, and writes down what they make of it.
 *
 * Invariants: R8 (one host a store, by lease; what it writes is checked against it), J4 and T3 (cursor, state and
 * emitted spans of an instance commit together), H1 (a plugin's fault is its own).
 */
export class Host {
  readonly #ports: HostPorts;
  readonly #routes = new Routes<Instance>();
  readonly #instances = new Map<string, Instance>();
  // What is used, by workflow; the empty text for what spanloop.yaml uses.
  readonly #uses = new Map<string, Used>();
  readonly #reading = new Set<Promise<boolean>>();
  readonly #starting = new Set<Promise<void>>();
  #lease: Lease | undefined;
  #feed: Feed | undefined;
  #unsubscribe: (() => void) | undefined;
  #cancelPoll: (() => void) | undefined;
  #cancelFlush: (() => void) | undefined;
  #version: number | undefined;
  // Whose work others wait for, while it is to be written; how far the rest has heard can wait.
  #urgent: Set<Instance> | undefined;
  #flushing: Promise<boolean> | undefined;
  #unwritten: { spans: EmittedSpan[]; items: Record<string, string | null> } = {
    spans: [],
    items: {},
  };
  #failing = false;
  #closed = false;
  #taking: Promise<void> = Promise.resolve();

  /** Hosts nothing yet. */
  constructor(ports: HostPorts) {
    this.#ports = ports;
  }

  /** Whether this process is the store's host. */
  get hosting(): boolean {
    return this.#lease !== undefined;
  }

  /**
   * Takes the store's lease, or waits for it in the background; then the events after `from`, or after the store's last
   * one, are heard. Resolves once it is known who hosts. Throws StoreError.
   */
  start(from?: number): Promise<void> {
    const taking = this.#take(from);
    // Whoever started it hears of a failure.
    this.#taking = taking.catch(() => {});
    return taking;
  }

  async #take(from: number | undefined): Promise<void> {
    // Whoever had the lease meanwhile has heard what is before.
    const after = from ?? await this.#ports.store.last();
    if (this.#closed || this.#lease !== undefined) return;
    const { store, clock, holder, isDead, keeper, bus } = this.#ports;
    const now = clock.now();
    const taken = await store.acquire(HOST_LEASE, {
      holder,
      now,
      expiresAt: now + LEASE_NS,
      isDead,
    });
    if (this.#closed) {
      if ("acquired" in taken) await store.release([taken.acquired]);
      return;
    }
    if (!("acquired" in taken)) {
      this.#standBy();
      return;
    }
    this.#lease = taken.acquired;
    keeper.hold(taken.acquired, () => this.#lose());
    this.#unwritten.items[HOST_KEY] = JSON.stringify(holder);
    this.#schedule(true);
    const feed = new Feed({
      store,
      onHeard: (heard) => this.#route(heard),
      onError: (thrown) => this.#failed(thrown),
    }, after);
    this.#feed = feed;
    this.#unsubscribe = bus.subscribe((event: BusEvent) => feed.hear(event));
    // What a host that is gone has not written of them is heard from where they were used first.
    for (const { uses, from } of this.#uses.values()) {
      uses.forEach((use) => this.#add(use, from ?? after));
    }
    this.#cancelPoll = clock.after(POLL_MS, () => this.#poll());
  }

  /**
   * Says which plugins a workflow uses now; undefined: what spanloop.yaml uses for all. One that is new begins after
   * `from`, or with what happens from now on, one that has changed goes on where it was, one that is gone is let go.
   */
  use(workflow: string | undefined, uses: readonly PluginUse[], from?: number): void {
    this.#use(workflow, { uses, from, met: false });
  }

  /** Opens the plugins again whose folder has changed. */
  reload(isOf: (use: PluginUse) => boolean): void {
    // What is added anew is not to be met again.
    for (const instance of [...this.#instances.values()]) {
      if (!isOf(instance.use)) continue;
      const { name, workflow } = instance.use;
      this.#ports.log.log({
        severity: "info",
        body: `plugin ${name} has changed and is loaded anew`,
        ...workflow === undefined ? {} : { workflow },
      });
      this.#add(instance.use, this.#feed?.position ?? 0);
    }
  }

  /** What is told of each plugin now. */
  async reports(): Promise<readonly PluginReport[]> {
    const last = await this.#ports.store.last();
    return [...this.#instances.values()].map((instance) => instance.report(last));
  }

  /** Resolves once the plugins have handled all that there is, what they made of it included; or when `signal` aborts. */
  async drain(signal: AbortSignal): Promise<void> {
    if (this.#lease === undefined) return;
    const aborted = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    while (!signal.aborted && this.#lease !== undefined) {
      const before = this.#feed?.position;
      await Promise.race([aborted, this.#quiet()]);
      if (signal.aborted) return;
      // What a store that fails has kept back is there for all that.
      if (this.#feed?.behind) await Promise.race([aborted, sleep(this.#ports.clock, POLL_MS)]);
      else if (this.#feed?.position === before) return;
    }
  }

  /** Writes what is left, lets the plugins go and gives the lease back. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelPoll?.();
    await this.#taking;
    const lease = this.#lease;
    if (lease === undefined) return;
    // Where one that is new begins is written, whether it has begun or not.
    await Promise.allSettled(this.#reading);
    this.#unwritten.items[HOST_KEY] = "";
    await this.#flush();
    await this.#let();
    // A lease that cannot be given back lapses.
    await this.#ports.store.release([lease]).catch(() => {});
  }

  async #quiet(): Promise<void> {
    await Promise.all(this.#starting);
    await this.#feed?.look();
    await Promise.all([...this.#instances.values()].map((instance) => instance.settled()));
    await this.#flush();
  }

  #standBy(): void {
    this.#cancelPoll = this.#ports.clock.after(STANDBY_MS, () => {
      this.start().catch((thrown) => {
        if (this.#closed) return;
        this.#failed(thrown);
        this.#standBy();
      });
    });
  }

  // Another process has the lease now: nothing more is written, and the plugins are let go.
  #lose(): void {
    if (this.#lease === undefined) return;
    this.#ports.log.log({ severity: "warn", body: "another process hosts the plugins now" });
    void this.#let();
    if (!this.#closed) this.#standBy();
  }

  async #let(): Promise<void> {
    const { keeper } = this.#ports;
    this.#lease = undefined;
    keeper.drop(HOST_LEASE);
    this.#cancelPoll?.();
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    this.#unsubscribe?.();
    this.#feed?.stop();
    this.#feed = undefined;
    const instances = [...this.#instances.values()];
    this.#instances.clear();
    this.#unwritten = { spans: [], items: {} };
    await Promise.all(instances.map((instance) => instance.close()));
  }

  #use(workflow: string | undefined, used: Used): void {
    const key = workflow ?? "";
    this.#uses.set(key, used);
    if (this.#feed === undefined) return;
    const { uses, from = this.#feed.position } = used;
    const wanted = new Map(uses.map((use) => [instanceId(use.name, use.workflow), use]));
    for (const [id, { use }] of this.#instances) {
      if ((use.workflow ?? "") === key && !wanted.has(id)) this.#remove(id);
    }
    for (const [id, use] of wanted) {
      const known = this.#instances.get(id);
      if (known === undefined || JSON.stringify(known.use) !== JSON.stringify(use)) {
        this.#add(use, from);
      }
    }
  }

  #remove(id: string): void {
    const instance = this.#instances.get(id);
    if (instance === undefined) return;
    this.#collect(instance);
    this.#instances.delete(id);
    void instance.close();
  }

  #add(use: PluginUse, position: number): void {
    const { clock, log, store, effects, open, measure, onOutcomes } = this.#ports;
    const id = instanceId(use.name, use.workflow);
    // One that has not begun has written nowhere where it begins.
    const begins = Math.min(position, this.#instances.get(id)?.position ?? position);
    this.#remove(id);
    const instance: Instance = new Instance(use, {
      clock,
      log,
      store,
      effects,
      routes: this.#routes,
      open,
      position: () => this.#feed?.position ?? 0,
      onChange: (now) => this.#schedule(now, instance),
      measure,
      onOutcomes,
    }, begins);
    this.#instances.set(id, instance);
    const reading: Promise<boolean> = this.#begin(instance)
      .finally(() => this.#reading.delete(reading));
    const starting = reading.then((begun) => begun && !this.#closed ? instance.start() : undefined)
      .finally(() => this.#starting.delete(starting));
    this.#reading.add(reading);
    this.#starting.add(starting);
  }

  // Lets an instance take up what is kept of it, when the store can be read; false: it has been let go.
  async #begin(instance: Instance): Promise<boolean> {
    const { store, clock } = this.#ports;
    while (this.#instances.get(instance.id) === instance && !this.#closed) {
      try {
        // What the one before has made is written before it is read.
        if (await this.#flush()) {
          const record = await readRecord(store, instance.id);
          if (this.#instances.get(instance.id) !== instance) return false;
          instance.begin(record);
          return true;
        }
      } catch (thrown) {
        this.#failed(thrown);
      }
      await sleep(clock, POLL_MS);
    }
    return false;
  }

  #route(heard: Heard): void {
    if (heard.kind === "journal") this.#meet(heard);
    for (const instance of this.#routes.match(heard)) instance.push(heard);
    if (this.#instances.size > 0) this.#schedule(false);
  }

  // A workflow that another process runs: its plugins are hosted here all the same (R8).
  #meet({ workflow, position, event, start }: Heard & { readonly kind: "journal" }): void {
    const known = this.#uses.get(workflow);
    if (known !== undefined && !(known.met && event === "started" && start.role === "run")) return;
    const meeting: Used = { uses: known?.uses ?? [], from: position - 1, met: true };
    this.#uses.set(workflow, meeting);
    // Whoever runs it here meanwhile knows better.
    const isCurrent = () => this.#uses.get(workflow) === meeting;
    this.#ports.usesOf(start.runId).then(
      (uses) => isCurrent() && this.#use(workflow, { ...meeting, uses }),
      (thrown) => {
        if (thrown instanceof StoreError) {
          // Its next span asks again; one that does not hold is not read with every span.
          if (isCurrent()) this.#uses.delete(workflow);
          return this.#failed(thrown);
        }
        const body = `its plugins are not known: ${messageOf(thrown)}`;
        this.#ports.log.log({ severity: "warn", body, workflow });
      },
    );
  }

  async #poll(): Promise<void> {
    try {
      const version = await this.#ports.store.version();
      if (version !== this.#version || this.#feed?.behind) {
        await this.#feed?.look();
        await this.#retry();
        // Only now: what a store that fails has kept back is asked for again.
        this.#version = version;
      }
    } catch (thrown) {
      this.#failed(thrown);
    }
    if (this.#lease === undefined || this.#closed) return;
    this.#cancelPoll = this.#ports.clock.after(POLL_MS, () => this.#poll());
  }

  // A person has taken the mark off of a plugin that was set aside.
  async #retry(): Promise<void> {
    for (const instance of [...this.#instances.values()].filter(({ aside }) => aside)) {
      const mark = await this.#ports.store.getItem(keys.retry(instance.id));
      if (mark === undefined) continue;
      this.#unwritten.items[keys.retry(instance.id)] = null;
      this.#unwritten.items[keys.aside(instance.id)] = null;
      this.#add(instance.use, this.#feed!.position);
    }
  }

  #schedule(now: boolean, instance?: Instance): void {
    if (this.#lease === undefined) return;
    if (now && instance !== undefined) this.#urgent?.add(instance);
    if (now && this.#urgent === undefined) {
      const urgent = this.#urgent = new Set(instance === undefined ? [] : [instance]);
      // What else comes of this turn of the event loop shares the commit.
      setImmediate(() => void this.#flush(urgent));
    } else if (this.#cancelFlush === undefined) {
      this.#cancelFlush = this.#ports.clock.after(FLUSH_MS, () => void this.#flush());
    }
  }

  #collect(instance: Instance): void {
    const made = instance.take();
    if (made === undefined) return;
    this.#unwritten.spans.push(...made.spans);
    Object.assign(this.#unwritten.items, made.items);
  }

  // Writes what there is to write, of those instances or of all; false if that is not possible now.
  async #flush(instances?: ReadonlySet<Instance>): Promise<boolean> {
    while (this.#flushing !== undefined) await this.#flushing;
    this.#flushing = this.#write(instances).finally(() => this.#flushing = undefined);
    return await this.#flushing;
  }

  async #write(of: ReadonlySet<Instance> | undefined): Promise<boolean> {
    if (of === undefined) {
      this.#cancelFlush?.();
      this.#cancelFlush = undefined;
    }
    if (of === undefined || of === this.#urgent) this.#urgent = undefined;
    const { store, clock, bus } = this.#ports;
    const lease = this.#lease;
    if (lease === undefined) return false;
    for (const instance of this.#instances.values()) {
      if (of?.has(instance) ?? true) this.#collect(instance);
    }
    const { spans, items } = this.#unwritten;
    if (spans.length === 0 && Object.keys(items).length === 0) return true;
    this.#unwritten = { spans: [], items: {} };
    try {
      const records = await store.react(lease, { spans, items, at: clock.now() });
      this.#failing = false;
      for (const record of records ?? []) bus.tell({ event: "emitted", record });
      if (records === undefined && this.#lease === lease) this.#lose();
      return records !== undefined;
    } catch (thrown) {
      // What was made under a lease that is gone was not made.
      if (this.#lease !== lease) return false;
      // Kept for the next time, under what has come since.
      this.#unwritten = {
        spans: [...spans, ...this.#unwritten.spans],
        items: { ...items, ...this.#unwritten.items },
      };
      this.#failed(thrown);
      if (!this.#closed) this.#schedule(false);
      return false;
    }
  }

  #failed(thrown: unknown): void {
    // A store that is full says so with every try.
    if (this.#failing || this.#closed) return;
    this.#failing = true;
    this.#ports.log.log({
      severity: "error",
      body: `plugins cannot go on for now: ${messageOf(thrown)}; what they have not heard waits`,
    });
  }
}
