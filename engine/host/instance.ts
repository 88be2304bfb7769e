import { type Clock, sleep } from "../core/clock.ts";
import { messageOf, SpanloopError, StoreError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { Logger } from "../core/log.ts";
import type { CarriedOut, PluginReport } from "../core/plugin_report.ts";
import type { Grant, PluginUse } from "../core/plugin_use.ts";
import type { EmittedSpan } from "../core/span.ts";
import type { Store } from "../core/store.ts";
import type { PluginMeasure } from "../telemetry/plugin_measure.ts";
import { Delivery } from "./delivery.ts";
import type { Effects } from "./effects.ts";
import { Reader } from "./feed.ts";
import { effectiveGrant } from "./grant.ts";
import type { Heard } from "./heard.ts";
import { answeredBy, type Item } from "./item.ts";
import { Judge } from "./judge.ts";
import { Kept, type Writing } from "./kept.ts";
import type { PluginLink } from "./link.ts";
import { PluginError } from "./plugin_error.ts";
import type { Handled, PluginDescription } from "./protocol.ts";
import { instanceId, type InstanceRecord, type StoredReport } from "./record.ts";
import { Routes } from "./routes.ts";
import type { Sees } from "./sees.ts";
import { compileSubscriptions, type SpanMatcher } from "./subscription.ts";
import { TickSchedule } from "./tick_schedule.ts";

/** A plugin that was opened: the way to it, and what it says of itself. */
export interface Opened {
  /** The way to it. */
  readonly link: PluginLink;
  /** What it says of itself. */
  readonly description: PluginDescription;
  /** Its configuration, checked. */
  readonly config: JsonObject;
  /** Whether it is one of Spanloop's own. */
  readonly own: boolean;
  /** Whether it is the engine's own, which measures experiments. */
  readonly engine?: boolean;
  /** Where it runs. */
  readonly isolation: PluginReport["isolation"];
  /** Changes with the plugin's file, its configuration or its grant. */
  readonly fingerprint: string;
}

/** What an instance needs of its host. */
export interface InstancePorts {
  /** Time. */
  readonly clock: Clock;
  /** Where operators hear of it. */
  readonly log: Logger;
  /** Where it reads what it was not told of. */
  readonly store: Pick<Store, "since" | "run" | "read">;
  /** Carries out its actions. */
  readonly effects: Effects;
  /** Routes live events to it. */
  readonly routes: Routes<Instance>;
  /** Opens the plugin: again, once it is gone. Throws PluginError. */
  readonly open: (use: PluginUse) => Promise<Opened>;
  /** How far the host has told. */
  readonly position: () => number;
  /** It has something to write; `now`: others wait for it. */
  readonly onChange: (now: boolean) => void;
  /** Measures what it does; undefined where nothing is measured. */
  readonly measure?: () => PluginMeasure | undefined;
  /** Hears what became of its actions. */
  readonly onOutcomes?: (instance: string, outcomes: readonly CarriedOut[]) => void;
}

// Before the second and the third try at one event; then the plugin is set aside.
const DELAYS_MS = [100, 1_000];
// One that is lost so often within so many milliseconds is set aside, even if each event was handled.
const MOST_LOSSES = 5;
const LOSSES_MS = 60_000;
// Events that wait for a plugin in memory; what is beyond it reads from the store itself.
const LONGEST_QUEUE = 10_000;
// Between two tries at a store that fails.
const STORE_RETRY_MS = 1_000;

/**
 * A plugin as one workflow, or spanloop.yaml, uses it: what it hears, how far, and what becomes of its answers.
 *
 * Invariants: J4 (each event that it wants, in order, at least once: its cursor is written together with the state and
 * the spans that its handlers made), H1 (one that throws or is gone is tried again, then set aside; nobody else waits),
 * H2 (it never hears its own).
 */
export class Instance {
  /** `NAME@WORKFLOW`, or `NAME` for one that is used for all. */
  readonly id: string;
  /** How it is used. */
  readonly use: PluginUse;
  readonly #ports: InstancePorts;
  readonly #kept: Kept;
  readonly #delivery: Delivery;
  readonly #closed = new AbortController();
  #opened: Opened | undefined;
  // As it was last opened: what is told of it while it is gone.
  #known: Opened | undefined;
  #judge: Judge | undefined;
  #grant: Grant | undefined;
  #matchers: readonly SpanMatcher[] = [];
  #own: Routes<true> | undefined;
  #ticks: TickSchedule | undefined;
  // Handled up to here; what follows waits for delivery, or stands in the store while it is behind.
  #position: number;
  #reader: Reader | undefined;
  // It hears what the host routes to it, and has missed nothing before.
  #live = false;
  #looping = false;
  #aside: string | undefined;
  // When it was lost in the last minute, milliseconds of the monotonic clock.
  #losses: readonly number[] = [];
  #idle: (() => void)[] = [];

  /** `position`: where one begins that is new. */
  constructor(use: PluginUse, ports: InstancePorts, position: number) {
    this.id = instanceId(use.name, use.workflow);
    this.use = use;
    this.#ports = ports;
    this.#position = position;
    this.#kept = new Kept(this.id);
    this.#delivery = new Delivery({
      clock: ports.clock,
      link: () => this.#opened?.link,
      open: () => this.#openAgain(),
      isOver: () => this.#aside !== undefined || this.#closed.signal.aborted,
      onHandled: (items, handled) => this.#handled(items, handled),
      onFailed: (thrown, tries) => this.#failed(thrown, tries),
      onTransient: (message) => this.#waited(message),
      onTook: (seconds) => ports.measure?.()?.called(use.name, seconds),
    });
  }

  /** Takes up what is kept of it, before it starts. */
  begin(record: InstanceRecord): void {
    this.#kept.begin(record);
    this.#position = record.cursor ?? this.#position;
    // Where one that is new begins is written at once: nobody could tell it after a crash.
    this.#ports.onChange(record.cursor === undefined);
  }

  /** Opens the plugin and lets it hear what it has not heard; resolves once it hears live events, or never will. */
  async start(): Promise<void> {
    const { record } = this.#kept;
    try {
      const opened = await this.#open();
      const { description, own, engine = false, fingerprint } = opened;
      if (record.aside?.fingerprint === fingerprint) {
        return await this.#stop(record.aside.why, "is still set aside");
      }
      if (record.aside !== undefined) this.#kept.setAside(undefined);
      this.#beginState(description.stateVersion);
      const { workflow } = this.use;
      const { actions: declared } = description;
      const grant = this.#grant = effectiveGrant(this.use, own, description);
      this.#delivery.oneByOne = engine ||
        [grant.actions, declared].every((kinds) =>
          (kinds as readonly string[]).includes("propose")
        );
      this.#judge = new Judge({ id: this.id, workflow, declared, grant, engine });
      if (record.bucket !== undefined) this.#judge.bucket = record.bucket;
      this.#kept.beginBucket(this.#judge.bucket);
      const { spans, ticks } = compileSubscriptions(description.subscribe);
      this.#matchers = spans;
      this.#own = new Routes();
      this.#own.add(true, spans, this.#sees(grant));
      opened.link.start(opened.config, this.#kept.state, workflow);
      if (spans.length > 0) this.#reader = new Reader(this.#ports.store, this.#position);
      else this.#live = true;
      this.#ticks = new TickSchedule(this.#ports.clock, ticks, record.ticks, (due) => {
        this.#delivery.push(due);
        this.#go();
      });
      this.#ticks.start();
      this.#kept.ticks(this.#ticks.text());
      if (!this.#looping) await this.#loop();
    } catch (thrown) {
      if (this.#closed.signal.aborted) return;
      // Not for good: what is missing may be there when the next host starts.
      await this.#stop(messageOf(thrown), "cannot be loaded");
    }
  }

  /** Hears a live event that it wants. */
  push(heard: Heard): void {
    if (heard.position <= this.#position || this.#reader !== undefined) return;
    if (this.#delivery.events >= LONGEST_QUEUE) {
      // It reads on by itself from where it is.
      this.#ports.routes.remove(this);
      this.#delivery.dropEvents();
      this.#live = false;
      this.#reader = new Reader(this.#ports.store, this.#position);
      return;
    }
    this.#delivery.push({ heard });
    this.#go();
  }

  /** What is to be written of it, which is taken as written; undefined for nothing. */
  take(): Writing | undefined {
    const told = this.#known !== undefined || this.#aside !== undefined;
    return this.#kept.take({
      cursor: this.#passed(),
      bucket: this.#judge?.bucket,
      ...told ? { report: this.#storedReport() } : {},
    });
  }

  /** Resolves once it has handled all that it was told of, and all that the store had before; or hears no more. */
  settled(): Promise<void> {
    if (!this.#looping || this.#aside !== undefined) return Promise.resolve();
    this.#delivery.hurry();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** What is told of it now; `last`: the store's last position. */
  report(last: number): PluginReport {
    return {
      ...this.#storedReport(),
      state: this.#aside === undefined ? "active" : "set_aside",
      lag: Math.max(0, last - this.#passed()),
    };
  }

  /** It has handled what it wants up to here. */
  get position(): number {
    return this.#position;
  }

  /** Whether it was set aside, and nothing reaches it. */
  get aside(): boolean {
    return this.#aside !== undefined;
  }

  /** Lets go of the plugin, whatever it does. */
  async close(): Promise<void> {
    this.#closed.abort();
    this.#delivery.hurry();
    this.#ports.routes.remove(this);
    this.#ticks?.stop();
    await this.#opened?.link.close();
    this.#wake();
  }

  // Live and idle, it has passed all that the host has told; else what it has handled.
  #passed(): number {
    if (!this.#live || this.#looping || this.#delivery.events > 0) return this.#position;
    return Math.max(this.#position, this.#ports.position());
  }

  async #open(): Promise<Opened> {
    const opened = await this.#ports.open(this.use);
    if (this.#closed.signal.aborted) {
      await opened.link.close();
      throw new PluginError("plugin.closed", "The host has stopped");
    }
    opened.link.onGone = (error) => {
      if (this.#opened === opened) this.#opened = undefined;
      // Whoever waits for an answer hears of it by that.
      if (!this.#looping) void this.#lost(error, "it is started again when it is needed");
    };
    return this.#known = this.#opened = opened;
  }

  async #openAgain(): Promise<PluginLink> {
    const opened = await this.#open();
    opened.link.start(opened.config, this.#kept.state, this.use.workflow);
    return opened.link;
  }

  #beginState(version: number): void {
    const forgotten = this.#kept.beginState(version);
    if (forgotten === 0) return;
    const { stateVersion } = this.#kept.record;
    this.#say(
      "info",
      `starts with no state: what it kept was of version ${stateVersion}, and it is of ${version} now`,
    );
  }

  #sees(grant: Grant): Sees {
    const { name: plugin, workflow } = this.use;
    const { see, workflows, external } = grant;
    return { plugin, workflow, see, workflows, external };
  }

  #go(): void {
    if (!this.#looping) void this.#loop();
    else this.#delivery.goOn();
  }

  async #loop(): Promise<void> {
    this.#looping = true;
    try {
      while (this.#aside === undefined && !this.#closed.signal.aborted) {
        if (this.#delivery.waits) {
          const delivered = this.#delivery.run();
          // A plugin in process may have handled all by now; a wait takes longer than most handlers do.
          if (this.#delivery.running) await delivered;
        } else if (this.#reader !== undefined) {
          // A store and a plugin in this process answer at once: page after page nothing else would have its turn.
          await new Promise((resolve) => setImmediate(resolve));
          await this.#catchUp(this.#reader);
        } else break;
      }
    } catch (thrown) {
      if (!this.#closed.signal.aborted) await this.#stop(messageOf(thrown), "cannot go on");
    } finally {
      this.#looping = false;
      this.#ports.onChange(false);
      this.#wake();
    }
  }

  async #catchUp(reader: Reader): Promise<void> {
    const before = this.#ports.position();
    const page = await this.#insist(() => reader.next());
    this.#delivery.hurry();
    for (const heard of page ?? []) {
      // What was on its way when the queue was full has been handled since.
      if (heard.position <= this.#position || this.#own!.match(heard).length === 0) continue;
      this.#delivery.push({ heard });
    }
    if (this.#delivery.waits) await this.#delivery.run();
    if (this.#aside !== undefined || this.#closed.signal.aborted) return;
    const read = page === undefined ? Math.max(before, reader.position) : reader.position;
    if (read > this.#position) this.#position = read;
    this.#ports.onChange(false);
    // From here to the end nothing else runs: no event is told twice, and none is left out.
    if (this.#position < this.#ports.position()) return;
    this.#reader = undefined;
    this.#live = true;
    this.#ports.routes.add(this, this.#matchers, this.#sees(this.#grant!));
  }

  // What the handlers have made, and that they were called: both are kept at once, or neither.
  #handled(items: readonly Item[], handled: Handled): Promise<void> | undefined {
    if (handled.actions.length > 0) return this.#carryOutAll(items, handled);
    this.#keep(items, handled, []);
  }

  async #carryOutAll(items: readonly Item[], handled: Handled): Promise<void> {
    const spans: EmittedSpan[] = [];
    const outcomes: CarriedOut[] = [];
    for (const { index, actions } of handled.actions) {
      const effect = await this.#insist(() => this.#carryOut(items[index], actions));
      spans.push(...effect.spans);
      outcomes.push(...effect.outcomes);
    }
    this.#count(outcomes);
    this.#keep(items, handled, spans);
  }

  async #carryOut(item: Item, actions: readonly unknown[]): ReturnType<Effects["carryOut"]> {
    // Whoever hosts it now carries them out.
    this.#closed.signal.throwIfAborted();
    const { name, workflow } = this.use;
    const judge = this.#judge!;
    const { bucket } = judge;
    try {
      const actor = { name, workflow, grant: this.#grant!, judge };
      return await this.#ports.effects.carryOut(actor, answeredBy(item, workflow), actions);
    } catch (thrown) {
      // They are judged again.
      judge.bucket = bucket;
      throw thrown;
    }
  }

  #keep(items: readonly Item[], { count, state }: Handled, spans: readonly EmittedSpan[]): void {
    this.#kept.handled(count, state, spans);
    for (const item of items.slice(0, count)) {
      if ("heard" in item) this.#position = Math.max(this.#position, item.heard.position);
      else {
        this.#ticks!.handled(item);
        this.#kept.ticks(this.#ticks!.text());
      }
    }
    this.#ports.onChange(spans.length > 0);
  }

  // Tries until the store does its part: ids are derived, so what was done before is not done twice (T3).
  async #insist<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 0;; tries++) {
      try {
        return await work();
      } catch (thrown) {
        if (!isPassing(thrown) || this.#closed.signal.aborted) throw thrown;
        if (tries === 0) this.#say("warn", `waits for the store: ${messageOf(thrown)}`);
        await sleep(this.#ports.clock, STORE_RETRY_MS, this.#closed.signal);
      }
    }
  }

  #count(outcomes: readonly CarriedOut[]): void {
    const measure = this.#ports.measure?.();
    for (const { refused } of outcomes) {
      measure?.acted(this.use.name, refused?.why ?? "carried_out", 1);
    }
    for (const { refused, action } of this.#kept.count(outcomes)) {
      const message = refused!.message;
      this.#say(
        "warn",
        `was refused: ${message} (${action.type}; more of this kind is only counted)`,
      );
    }
    this.#ports.onOutcomes?.(this.id, outcomes);
  }

  // The engine's own asks the store: while that fails, nobody is at fault.
  async #waited(message: string): Promise<boolean> {
    if (!this.#known?.engine) return false;
    this.#say("warn", `waits for the store: ${message}`);
    await sleep(this.#ports.clock, STORE_RETRY_MS, this.#closed.signal).catch(() => {}); // closed: the loop ends
    return true;
  }

  async #failed(thrown: unknown, tries: number): Promise<void> {
    if (tries === 0) {
      return await this.#lost(thrown, "it is started again and gets the events one by one");
    }
    const delay = DELAYS_MS[tries - 1];
    if (delay === undefined) {
      return await this.#setAside(thrown, `is set aside after ${tries} tries at one event`);
    }
    await sleep(this.#ports.clock, delay, this.#closed.signal).catch(() => {}); // closed: the loop ends
  }

  // It is gone, and no single event is known to be why.
  async #lost(thrown: unknown, next: string): Promise<void> {
    const now = this.#ports.clock.monotonic();
    this.#losses = [...this.#losses.filter((at) => now - at < LOSSES_MS), now];
    if (this.#losses.length >= MOST_LOSSES) {
      return await this.#setAside(
        thrown,
        `is set aside after it was lost ${MOST_LOSSES} times in a minute`,
      );
    }
    this.#say("info", `has stopped: ${messageOf(thrown)}; ${next}`);
  }

  async #setAside(thrown: unknown, what: string): Promise<void> {
    const why = messageOf(thrown);
    this.#kept.setAside({ why, fingerprint: this.#known!.fingerprint });
    await this.#stop(why, what);
  }

  async #stop(why: string, what: string): Promise<void> {
    this.#aside = why;
    this.#live = false;
    this.#delivery.clear();
    this.#ports.routes.remove(this);
    this.#ticks?.stop();
    this.#say("error", `${what}: ${why}`);
    await this.#opened?.link.close();
    this.#ports.onChange(false);
    this.#wake();
  }

  #storedReport(): StoredReport {
    const { description, isolation, own } = this.#known ?? {};
    return {
      name: this.use.name,
      workflow: this.use.workflow ?? null,
      use: this.use.use,
      role: description?.role ?? null,
      version: description?.version ?? null,
      isolation: isolation ?? "sandbox",
      why: this.#aside ?? null,
      ...this.#kept.counts,
      grant: this.#grant ?? effectiveGrant(this.use, own ?? false, description ?? { actions: [] }),
    };
  }

  #wake(): void {
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #say(severity: "info" | "warn" | "error", what: string): void {
    const { name, workflow } = this.use;
    this.#ports.log.log({
      severity,
      body: `plugin ${name} ${what}`,
      ...workflow === undefined ? {} : { workflow },
    });
  }
}

function isPassing(thrown: unknown): boolean {
  return thrown instanceof StoreError ||
    (thrown instanceof SpanloopError && thrown.code === "params.busy");
}
