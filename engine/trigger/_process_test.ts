// What scheduler_test.ts drives: it holds no tests of its own.
import type { Clock } from "../core/clock.ts";
import { Ids } from "../core/ids.ts";
import type { Holder, Store } from "../core/store.ts";
import type { Schedule, Workflow } from "../core/workflow.ts";
import type { SchedulerEvent } from "./ports.ts";
import { Scheduler } from "./scheduler.ts";

const NS = 1_000_000n;
/** Milliseconds. */
export const MINUTE = 60_000;
/** Milliseconds. */
export const HOUR = 60 * MINUTE;
/** Where the tests' first day begins. */
export const MIDNIGHT = Temporal.Instant.from("2026-05-01T00:00Z").epochNanoseconds;
/** A tick's time of that day. */
export const time = (tick: bigint) =>
  Temporal.Instant.fromEpochNanoseconds(tick).toString().replace("2026-05-01T", "").replace(
    "Z",
    "",
  );

/** A clock whose hands the test moves, from 00:00:30; timers follow the monotonic hand, as they do on Linux. */
export class HandClock implements Clock {
  #wall = MIDNIGHT + 30_000n * NS;
  #monotonic = 0;
  #timers: { at: number; fire: () => void }[] = [];

  now() {
    return this.#wall;
  }
  monotonic() {
    return this.#monotonic;
  }
  after(ms: number, fire: () => void) {
    const timer = { at: this.#monotonic + ms, fire };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }
  get timers() {
    return this.#timers.length;
  }

  /** Lets `ms` milliseconds pass; every timer fires on time. */
  async advance(ms: number) {
    await settle();
    const until = this.#monotonic + ms;
    for (;;) {
      const due = this.#timers.filter((one) => one.at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#move(Math.max(0, due.at - this.#monotonic));
      this.#timers = this.#timers.filter((one) => one !== due);
      due.fire();
      await settle();
    }
    this.#move(until - this.#monotonic);
  }

  /** The process does not run for so long; then timers that are due fire late. */
  async stall(ms: number) {
    this.#move(ms);
    await this.advance(0);
  }

  /** The wall clock alone moves: somebody set it, or the machine slept with its timers. */
  set(ms: number) {
    this.#wall += BigInt(ms) * NS;
  }

  #move(ms: number) {
    this.#monotonic += ms;
    this.#wall += BigInt(Math.round(ms * 1e6));
  }
}

/** Lets everything that waits for no timer happen. */
export async function settle() {
  for (let i = 0; i < 12; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A workflow of that name on schedules, by default every minute. */
export function workflow(name: string, ...schedules: Partial<Schedule>[]): Workflow {
  return {
    name,
    file: `/w/${name}.yaml`,
    folder: "/w",
    text: `name: ${name}`,
    schedules: schedules.map((schedule) => ({
      cron: "* * * * *",
      timezone: "UTC",
      overlap: "skip",
      catchUp: "latest",
      jitterMs: 0,
      ...schedule,
    })),
    commands: [],
    plugins: [],
    params: new Map(),
    env: {},
    baggage: { set: {}, fromCaller: [] },
    trace: { mode: "single", detail: "steps" },
    steps: [],
    onFailure: [],
    finally: [],
    outputs: {},
    raw: [],
  };
}

/** One `serve` process on a store: a scheduler, and runs that last until the test ends them. */
export class Process {
  readonly clock: HandClock;
  readonly store: Store;
  readonly holder: Holder;
  readonly scheduler: Scheduler;
  readonly events: SchedulerEvent[] = [];
  readonly started: { key: string; tick: bigint; runId: string; text: string }[] = [];
  readonly cancelled: string[] = [];
  /** Runs end as soon as they start. */
  quick = true;
  /** Thrown by the next start, before or after the run is in the store. */
  trouble: { error: Error; when: "before" | "after" } | undefined;
  dead: Holder | undefined;
  /** Every start waits for it. */
  gate: Promise<void> | undefined;
  #ended = new Map<string, () => void>();

  constructor(store: Store, clock = new HandClock(), pid = 1, chance = 0.5) {
    this.store = store;
    this.clock = clock;
    this.holder = { host: "here", bootId: "boot", pid, startTime: "1" };
    const ids = new Ids(clock, {
      fill: (bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
      next: () => 0,
    });
    this.scheduler = new Scheduler({
      clock,
      random: { fill: () => {}, next: () => chance },
      timezone: "UTC",
      store,
      holder: this.holder,
      isDead: (holder) => holder.pid === this.dead?.pid,
      start: async (workflow, { key, tick }) => {
        const trouble = this.trouble;
        this.trouble = undefined;
        if (trouble?.when === "before") throw trouble.error;
        await this.gate;
        const runId = ids.runId();
        const now = clock.now();
        const { duplicates } = await store.commit([{
          type: "run",
          runId,
          header: {
            runId,
            workflow: workflow.name,
            file: workflow.file,
            definition: "0".repeat(64),
            modules: {},
            traceId: ids.traceId(),
            spanId: ids.spanId(),
            params: {},
            sources: {},
            priority: 5,
            trigger: key,
            createdAt: now,
          },
          text: workflow.text,
          status: "running",
          holder: this.holder,
          expiresAt: now + 10_000n * NS,
        }], new Map());
        if (duplicates.includes(runId)) {
          return { runId: "", ended: Promise.resolve(), duplicate: true };
        }
        this.started.push({ key, tick, runId, text: workflow.text });
        const ended = new Promise<void>((resolve) => this.#ended.set(runId, resolve));
        if (this.quick) await this.#finish(runId, "succeeded");
        if (trouble?.when === "after") throw trouble.error;
        return { runId, ended, duplicate: false };
      },
      cancel: (runId) => Promise.resolve(void this.cancelled.push(runId)),
      log: (event) => this.events.push(event),
    });
  }

  async end(runId = this.started.at(-1)!.runId, status: "succeeded" | "cancelled" = "succeeded") {
    await this.#finish(runId, status);
    await settle();
  }

  async #finish(runId: string, status: "succeeded" | "cancelled") {
    const entry = { type: "status", runId, status, at: this.clock.now() } as const;
    await this.store.commit([entry], new Map([[runId, 1]]));
    this.#ended.get(runId)?.();
  }

  async serve(...workflows: Workflow[]) {
    this.scheduler.set(workflows);
    this.scheduler.start();
    await settle();
  }

  get ticks() {
    return this.started.map(({ tick }) => time(tick));
  }
  /** Events of a type, or all of them, as `type time`. */
  told(...types: SchedulerEvent["type"][]) {
    return this.events.filter(({ type }) => types.length === 0 || types.includes(type))
      .map((event) => "tick" in event ? `${event.type} ${time(event.tick)}` : event.type);
  }
}
