import { type Clock, sleep } from "../core/clock.ts";
import { messageOf, SpanloopError, StoreError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { Logger } from "../core/log.ts";
import type { CarriedOut, PluginReport, PluginStanding } from "../core/plugin_report.ts";
import type { Grant, PluginUse } from "../core/plugin_use.ts";
import type { EmittedSpan } from "../core/span.ts";
import type { Store } from "../core/store.ts";
import type { PluginMeasure } from "../telemetry/plugin_measure.ts";
import type { Effect, Effects } from "./effects.ts";
import { Reader } from "./feed.ts";
import { effectiveGrant } from "./grant.ts";
import type { Heard } from "./heard.ts";
import { answeredBy, callOf, type Item } from "./item.ts";
import { Judge } from "./judge.ts";
import type { PluginLink } from "./link.ts";
import { PluginError } from "./plugin_error.ts";
import type { Handled, PluginDescription } from "./protocol.ts";
import {
  bucketText,
  type Counts,
  instanceId,
  type InstanceRecord,
  keys,
  type StoredReport,
} from "./record.ts";
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

// Tries at one event before the plugin is set aside, and how long to wait before the second and the third.
const DELAYS_MS = [100, 1_000];
// Events that wait for a plugin in memory; what is beyond it reads from the store itself.
const LONGEST_QUEUE = 10_000;
// Batches that are handed over before the first of them is answered: both sides work then, and an engine that is too
// busy to read an answer does not keep from the plugin what happens.
const MOST_AHEAD = 4;
// Calls to a batch: it grows while they are fast, so that a slow plugin is not stopped for many short calls.
const FEWEST_CALLS = 16;
const MOST_CALLS = 256;
const FAST_MS = 20;
const SLOW_MS = 500;
// Between two tries at a store that fails.
const STORE_RETRY_MS = 1_000;

const NO_EFFECT: Effect = { spans: [], outcomes: [] };
const NOTHING: InstanceRecord = { state: {}, stateVersion: 1, ticks: {} };

// Items that were handed over together.
interface Batch {
  readonly items: readonly Item[];
  readonly began: number;
  readonly answer: Handled | Promise<Handled>;
}

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
  readonly #counts: Counts = { handled: 0, actions: 0, refused: {} };
  readonly #closed = new AbortController();
  #opened: Opened | undefined;
  #judge: Judge | undefined;
  #grant: Grant | undefined;
  #matchers: readonly SpanMatcher[] = [];
  #own: Routes<true> | undefined;
  // Handled up to here; what follows is in the queue, or in the store while it is behind.
  #position: number;
  #reader: Reader | undefined;
  // It hears what the host routes to it, and has missed nothing before.
  #live = false;
  #record = NOTHING;
  // What is to be handed over, and how much of it are events; then what was handed over, in order, until it is settled.
  #queue: Item[] = [];
  #heard = 0;
  #sent: Batch[] = [];
  // Grows with each time that something is taken back.
  #round = 0;
  // When the last batch was settled.
  #settledAt = 0;
  #looping = false;
  #delivering = false;
  #aside: string | undefined;
  #attempts = 0;
  #calls = FEWEST_CALLS;
  // Events that go one by one, after a batch in which the plugin was lost.
  #singly = 0;
  // Whether it may propose: then each event finds decided what the one before it asked for, as in a replay (T4).
  #proposes = false;
  #state: Record<string, JsonObject[string]> = {};
  #ticks: TickSchedule | undefined;
  // As it was last opened: what is told of it while it is gone.
  #known: Opened | undefined;
  #unwritten: { spans: EmittedSpan[]; items: Record<string, string | null> } = {
    spans: [],
    items: {},
  };
  #written: { cursor?: number; report?: string; bucket?: string } = {};
  #idle: (() => void)[] = [];

  /** `position`: where one begins that is new. */
  constructor(use: PluginUse, ports: InstancePorts, position: number) {
    this.id = instanceId(use.name, use.workflow);
    this.use = use;
    this.#ports = ports;
    this.#position = position;
  }

  /** Takes up what is kept of it, before it starts. */
  begin(record: InstanceRecord): void {
    this.#record = record;
    this.#position = record.cursor ?? this.#position;
    this.#written = { cursor: record.cursor };
    if (record.report !== undefined) {
      const { handled, actions, refused } = record.report;
      Object.assign(this.#counts, { handled, actions });
      Object.assign(this.#counts.refused, refused);
    }
    this.#changed(false);
  }

  /** Opens the plugin and lets it hear what it has not heard; resolves once it hears live events, or never will. */
  async start(): Promise<void> {
    const record = this.#record;
    try {
      const opened = await this.#open();
      const { description, own, fingerprint } = opened;
      if (record.aside?.fingerprint === fingerprint) {
        return await this.#stop(record.aside.why, "is still set aside");
      }
      if (record.aside !== undefined) this.#unwritten.items[keys.aside(this.id)] = null;
      if (record.stateVersion === description.stateVersion) this.#state = { ...record.state };
      else this.#forgetState(record, description.stateVersion);
      this.#grant = effectiveGrant(this.use, own, description);
      this.#proposes = this.#grant.actions.includes("propose") &&
        description.actions.includes("propose");
      const { workflow } = this.use;
      const { actions: declared } = description;
      this.#judge = new Judge({ id: this.id, workflow, declared, grant: this.#grant });
      if (record.bucket !== undefined) this.#judge.bucket = record.bucket;
      this.#written.bucket = bucketText(this.#judge.bucket);
      const { spans, ticks } = compileSubscriptions(description.subscribe);
      this.#matchers = spans;
      this.#own = new Routes();
      this.#own.add(true, spans, this.#sees(this.#grant));
      opened.link.start(opened.config, this.#state, workflow);
      if (spans.length > 0) this.#reader = new Reader(this.#ports.store, this.#position);
      else this.#live = true;
      this.#ticks = new TickSchedule(this.#ports.clock, ticks, record.ticks, (due) => {
        this.#queue.push(due);
        this.#go();
      });
      this.#ticks.start();
      this.#unwritten.items[keys.ticks(this.id)] = this.#ticks.text();
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
    if (this.#heard >= LONGEST_QUEUE) {
      // It reads on by itself from where it is.
      this.#ports.routes.remove(this);
      this.#queue = this.#queue.filter((item) => "tick" in item);
      this.#heard = 0;
      this.#live = false;
      this.#reader = new Reader(this.#ports.store, this.#position);
      return;
    }
    this.#queue.push({ heard });
    this.#heard++;
    this.#go();
  }

  /** What is to be written of it, which is taken as written; undefined for nothing. */
  take():
    | { readonly spans: readonly EmittedSpan[]; readonly items: Record<string, string | null> }
    | undefined {
    // Before it has begun nobody knows how far it was.
    if (this.#record === NOTHING) return undefined;
    const { spans, items } = this.#unwritten;
    this.#unwritten = { spans: [], items: {} };
    const cursor = this.#passed();
    if (cursor !== this.#written.cursor) {
      items[keys.cursor(this.id)] = String(this.#written.cursor = cursor);
    }
    const bucket = this.#judge && bucketText(this.#judge.bucket);
    if (bucket !== undefined && bucket !== this.#written.bucket) {
      items[keys.bucket(this.id)] = this.#written.bucket = bucket;
    }
    const told = this.#known !== undefined || this.#aside !== undefined;
    const report = JSON.stringify(this.#storedReport());
    if (told && report !== this.#written.report) {
      items[keys.report(this.id)] = this.#written.report = report;
    }
    return spans.length > 0 || Object.keys(items).length > 0 ? { spans, items } : undefined;
  }

  /** Resolves once it has handled all that it was told of, and all that the store had before; or hears no more. */
  settled(): Promise<void> {
    if (!this.#looping || this.#aside !== undefined) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** What is told of it now; `last`: the store's last position. */
  report(last: number): PluginReport {
    return {
      ...this.#storedReport(),
      state: this.#standing(),
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
    this.#ports.routes.remove(this);
    this.#ticks?.stop();
    await this.#opened?.link.close();
    this.#wake();
  }

  #standing(): PluginStanding {
    return this.#aside === undefined ? "active" : "set_aside";
  }

  // Live and idle, it has passed all that the host has told; else what it has handled.
  #passed(): number {
    if (!this.#live || this.#looping || this.#heard > 0) return this.#position;
    return Math.max(this.#position, this.#ports.position());
  }

  async #open(): Promise<Opened> {
    const opened = await this.#ports.open(this.use);
    if (this.#closed.signal.aborted) {
      await opened.link.close();
      throw new PluginError("plugin.closed", "The host has stopped");
    }
    opened.link.onGone = ({ message }) => {
      // Whoever waits for an answer hears of it by that; between two calls it is only noted.
      if (this.#opened === opened) this.#opened = undefined;
      if (!this.#looping) {
        this.#say("warn", `has stopped: ${message}; it is started again when it is needed`);
      }
    };
    return this.#known = this.#opened = opened;
  }

  async #openAgain(): Promise<PluginLink> {
    const opened = await this.#open();
    opened.link.start(opened.config, this.#state, this.use.workflow);
    return opened.link;
  }

  #sees(grant: Grant): Sees {
    const { name: plugin, workflow } = this.use;
    const { see, workflows, external } = grant;
    return { plugin, workflow, see, workflows, external };
  }

  #go(): void {
    if (!this.#looping) void this.#loop();
    else if (this.#sent.length > 0 && this.#opened !== undefined) this.#send(this.#opened.link);
  }

  async #loop(): Promise<void> {
    this.#looping = true;
    try {
      while (this.#aside === undefined && !this.#closed.signal.aborted) {
        if (this.#queue.length > 0) {
          const delivered = this.#deliver();
          // A plugin in process may have handled all by now; a wait takes longer than most handlers do.
          if (this.#delivering) await delivered;
        } else if (this.#reader !== undefined) await this.#catchUp(this.#reader);
        else break;
      }
    } catch (thrown) {
      if (!this.#closed.signal.aborted) await this.#stop(messageOf(thrown), "cannot go on");
    } finally {
      this.#looping = false;
      this.#changed(false);
      this.#wake();
    }
  }

  async #catchUp(reader: Reader): Promise<void> {
    const before = this.#ports.position();
    const page = await this.#insist(() => reader.next());
    // What was on its way when the queue was full has been handled since.
    const items = (page ?? []).filter((heard) =>
      heard.position > this.#position && this.#own!.match(heard).length > 0
    ).map((heard) => ({ heard }));
    this.#queue.push(...items);
    this.#heard += items.length;
    if (this.#queue.length > 0) await this.#deliver();
    if (this.#aside !== undefined || this.#closed.signal.aborted) return;
    const read = page === undefined ? Math.max(before, reader.position) : reader.position;
    if (read > this.#position) this.#position = read;
    this.#changed(false);
    // From here to the end nothing else runs: no event is told twice, and none is left out.
    if (this.#position < this.#ports.position()) return;
    this.#reader = undefined;
    this.#live = true;
    this.#ports.routes.add(this, this.#matchers, this.#sees(this.#grant!));
  }

  // Has handled what is queued. Where the plugin is in this process and does it at once, this is done when it returns,
  // and `#delivering` false.
  async #deliver(): Promise<void> {
    this.#delivering = true;
    while (this.#queue.length > 0 || this.#sent.length > 0) {
      if (this.#aside !== undefined || this.#closed.signal.aborted) return;
      let handled: Handled;
      try {
        if (this.#sent.length === 0) this.#send(this.#opened?.link ?? await this.#openAgain());
        const { answer } = this.#sent[0];
        handled = answer instanceof Promise ? await answer : answer;
      } catch (thrown) {
        if (this.#closed.signal.aborted) return;
        const lost = this.#takeBack();
        if (lost > 1) this.#singly = lost;
        await this.#failed(thrown, lost <= 1);
        continue;
      }
      const [batch] = this.#sent;
      const { items } = batch;
      const { actions, failure } = handled;
      const made = actions.length === 0 ? NO_EFFECT : await this.#carryOutAll(items, actions);
      this.#keep(items, handled, made);
      this.#pace(batch, handled.count);
      this.#sent.shift();
      if (handled.count < items.length) {
        // What was handed over after them comes back with nothing handled.
        const others = this.#sent.map(({ answer }) => answer);
        this.#takeBack(items.slice(handled.count));
        await Promise.allSettled(others);
      }
      if (failure === undefined) continue;
      const place = failure.place === undefined ? "" : ` (${failure.place})`;
      const why = `${failure.message || failure.name}${place}`;
      await this.#failed(new PluginError("plugin.threw", `it threw: ${why}`), true);
    }
    this.#delivering = false;
  }

  // Hands over what is queued, as far ahead as may be.
  #send(link: PluginLink): void {
    const [ahead, calls] = this.#isSingle() ? [1, 1] : [MOST_AHEAD, this.#calls];
    while (this.#queue.length > 0 && this.#sent.length < ahead) {
      const items = this.#queue.splice(0, calls);
      for (const item of items) if ("heard" in item) this.#heard--;
      const began = this.#ports.clock.monotonic();
      const answer = link.handOver(items.map(callOf), this.#round);
      this.#sent.push({ items, began, answer });
      if (!(answer instanceof Promise)) return;
      // One before it may be told of first, and then this one never is.
      answer.catch(() => {});
    }
  }

  // Queues again what was handed over, after `first`; gives how many they are.
  #takeBack(first: readonly Item[] = []): number {
    const items = [...first, ...this.#sent.flatMap(({ items }) => items)];
    this.#sent = [];
    this.#round++;
    this.#queue = [...items, ...this.#queue];
    for (const item of items) if ("heard" in item) this.#heard++;
    return items.length;
  }

  #isSingle(): boolean {
    return this.#proposes || this.#singly > 0;
  }

  async #carryOutAll(items: readonly Item[], answers: Handled["actions"]): Promise<Effect> {
    const spans: EmittedSpan[] = [];
    const outcomes: CarriedOut[] = [];
    for (const { index, actions } of answers) {
      const effect = await this.#insist(() => this.#carryOut(items[index], actions));
      spans.push(...effect.spans);
      outcomes.push(...effect.outcomes);
    }
    return { spans, outcomes };
  }

  async #carryOut(item: Item, actions: readonly unknown[]): Promise<Effect> {
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

  // What the handlers have made, and that they were called: both at once, or neither.
  #keep(items: readonly Item[], handled: Handled, { spans, outcomes }: Effect): void {
    this.#count(outcomes);
    const { items: kept } = this.#unwritten;
    for (const [key, value] of Object.entries(handled.state)) {
      if (value === null) delete this.#state[key];
      else set(this.#state, key, value as JsonObject[string]);
      kept[keys.state(this.id, key)] = value === null ? null : JSON.stringify(value);
    }
    for (const item of items.slice(0, handled.count)) {
      if ("heard" in item) this.#position = Math.max(this.#position, item.heard.position);
      else {
        this.#ticks!.handled(item);
        kept[keys.ticks(this.id)] = this.#ticks!.text();
      }
    }
    this.#counts.handled += handled.count;
    this.#unwritten.spans.push(...spans);
    this.#changed(spans.length > 0);
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
    for (const { refused, action } of outcomes) {
      measure?.acted(this.use.name, refused?.why ?? "carried_out", 1);
      if (refused === undefined) {
        this.#counts.actions++;
        continue;
      }
      const { why, message } = refused;
      const before = this.#counts.refused[why] ?? 0;
      this.#counts.refused[why] = before + 1;
      // Once: a flood of refusals is counted.
      if (before === 0) {
        this.#say(
          "warn",
          `was refused: ${message} (${action.type}; more of this kind is only counted)`,
        );
      }
    }
    this.#ports.onOutcomes?.(this.id, outcomes);
  }

  async #failed(thrown: unknown, counts: boolean): Promise<void> {
    const why = messageOf(thrown);
    if (!counts) {
      this.#say("warn", `has stopped: ${why}; it is started again and gets the events one by one`);
      return;
    }
    const delay = DELAYS_MS[this.#attempts++];
    if (delay === undefined) {
      this.#unwritten.items[keys.aside(this.id)] = JSON.stringify({
        why,
        fingerprint: this.#known!.fingerprint,
      });
      return await this.#stop(why, `is set aside after ${this.#attempts} tries at one event`);
    }
    await sleep(this.#ports.clock, delay, this.#closed.signal).catch(() => {}); // closed: the loop ends
  }

  async #stop(why: string, what: string): Promise<void> {
    this.#aside = why;
    this.#live = false;
    this.#queue = [];
    this.#heard = 0;
    this.#ports.routes.remove(this);
    this.#ticks?.stop();
    this.#say("error", `${what}: ${why}`);
    await this.#opened?.link.close();
    this.#changed(false);
    this.#wake();
  }

  #forgetState(record: InstanceRecord, version: number): void {
    const { items } = this.#unwritten;
    items[keys.stateVersion(this.id)] = String(version);
    const kept = Object.keys(record.state);
    for (const key of kept) items[keys.state(this.id, key)] = null;
    if (kept.length === 0) return;
    this.#say(
      "info",
      `starts with no state: what it kept was of version ${record.stateVersion}, and it is of ${version} now`,
    );
  }

  // From its turn on: the ones before it took their own time.
  #pace({ items, began }: Batch, count: number): void {
    const now = this.#ports.clock.monotonic();
    const ms = now - Math.max(began, this.#settledAt);
    this.#settledAt = now;
    this.#ports.measure?.()?.called(this.use.name, ms / 1_000);
    const calls = items.length;
    if (ms > SLOW_MS) this.#calls = Math.max(1, this.#calls >> 1);
    else if (ms < FAST_MS && calls === this.#calls) this.#calls = Math.min(MOST_CALLS, calls * 2);
    if (count > 0) this.#attempts = 0;
    this.#singly = Math.max(0, this.#singly - count);
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
      handled: this.#counts.handled,
      actions: this.#counts.actions,
      refused: this.#counts.refused,
      grant: this.#grant ?? effectiveGrant(this.use, own ?? false, description ?? { actions: [] }),
    };
  }

  #changed(now: boolean): void {
    this.#ports.onChange(now);
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

// A key may be `__proto__`.
function set(target: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(target, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}
