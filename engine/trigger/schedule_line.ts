import { createHash } from "node:crypto";
import { messageOf, StoreError } from "../core/errors.ts";
import type { RunSummary } from "../core/store.ts";
import type { Schedule, Workflow } from "../core/workflow.ts";
import type { CronSchedule } from "../core/cron_schedule.ts";
import {
  LONGEST_CATCH_UP,
  LONGEST_QUEUE,
  type ScheduleEvent,
  type SchedulerPorts,
  type Tenure,
} from "./ports.ts";

const NS_PER_MS = 1_000_000n;
const DAY = 86_400_000n * NS_PER_MS;
/** No timer is longer, milliseconds: the wall clock may jump and the machine may sleep. */
const LONGEST_NAP = 60_000;
/** How often to ask after a run of another process, milliseconds (R8). */
const POLL = 500;
/** How long to leave a store alone that failed, milliseconds. */
const RETRY = 5_000;

/** A tick that is due and has not started its run yet. */
interface Waiting {
  readonly tick: bigint;
  /** Jitter: not before this time. */
  readonly notBefore: bigint;
  /** Waits for the run before, whatever it takes, instead of being skipped or cancelling it. */
  readonly patient: boolean;
  readonly missed: boolean;
  announced: boolean;
}

/**
 * The ticks of one schedule, in order, from due to run.
 *
 * Invariants:
 * - R9: a tick starts at most one run, in all processes together: its key is unique in the store, a tick
 *   counts as handled only after its start is durable, and handled ticks never come again, also
 *   when the wall clock goes back.
 * - R8: nothing is started outside a tenure that still holds.
 * - Ticks start in order; what is not handled yet when the process ends is a missed tick for the next.
 */
export class ScheduleLine {
  /** Same cron fields and same zone make the same schedule, across reloads and processes. */
  readonly id: string;
  readonly #ports: SchedulerPorts;
  readonly #ticks: CronSchedule;
  readonly #own = new Map<string, Promise<void>>();
  readonly #cancelled = new Set<string>();
  #workflow: Workflow;
  #schedule: Schedule;
  #tenure: Tenure | undefined;
  /** Served without a pause since then: ticks up to it were missed. */
  #since = 0n;
  /** Ticks up to here are handled or wait; undefined until the store was asked. */
  #frontier: bigint | undefined;
  #waiting: Waiting[] = [];
  #cancelTimer: (() => void) | undefined;
  #turn: Promise<void> | undefined;
  #again = false;
  #closing = false;

  /** Watches `ticks` of `schedule`, which is one of `workflow`'s. */
  constructor(
    ports: SchedulerPorts,
    workflow: Workflow,
    schedule: Schedule,
    ticks: CronSchedule,
  ) {
    this.id = scheduleId(schedule);
    this.#ports = ports;
    this.#workflow = workflow;
    this.#schedule = schedule;
    this.#ticks = ticks;
  }

  /** Takes the workflow as its file says it now; ticks from here on run that. */
  update(workflow: Workflow, schedule: Schedule): void {
    this.#workflow = workflow;
    this.#schedule = schedule;
  }

  /** The next tick after `now`, or undefined when there is none. */
  next(now: bigint): bigint | undefined {
    return this.#ticks.next(now);
  }

  /** Starts to act. What was handled is read from the store, for another process may have acted since. */
  open(tenure: Tenure): void {
    this.#tenure = tenure;
    this.#frontier = undefined;
    this.#waiting = [];
    this.wake();
  }

  /** Stops acting: no tick starts a run any more. Resolves when a start that is under way is recorded. */
  async close(): Promise<void> {
    this.#cancelTimer?.();
    // A start under way ends by recording its tick, which the lease still allows.
    this.#closing = true;
    await this.#turn;
    this.#tenure = undefined;
    this.#closing = false;
  }

  /** Says that nobody served until `now`: the machine slept, or the wall clock jumped. */
  missedUntil(now: bigint): void {
    this.#since = now;
  }

  /** Looks at the clock and does what is due. Never throws. */
  wake(): void {
    if (this.#turn !== undefined) {
      this.#again = true;
      return;
    }
    this.#turn = this.#work().finally(() => {
      this.#turn = undefined;
      if (this.#again) {
        this.#again = false;
        this.wake();
      }
    });
  }

  async #work(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const tenure = this.#tenure;
    if (this.#closing || tenure === undefined || !this.#holds(tenure)) return;
    let nap: number;
    try {
      nap = await this.#advance(tenure);
    } catch (thrown) {
      this.#ports.log({ type: "retrying", message: messageOf(thrown) });
      nap = RETRY;
    }
    if (this.#tenure !== tenure || this.#closing) return;
    this.#cancelTimer = this.#ports.clock.after(Math.min(nap, LONGEST_NAP), () => this.wake());
  }

  /** Does what is due; gives the milliseconds until something may be due again. */
  async #advance(tenure: Tenure): Promise<number> {
    if (this.#frontier === undefined && !await this.#load(tenure)) return LONGEST_NAP;
    await this.#collect(tenure);
    const wait = await this.#drain(tenure);
    const now = this.#ports.clock.now();
    const next = this.#ticks.next(this.#frontier!);
    return Math.min(wait, next === undefined ? LONGEST_NAP : msUntil(next, now));
  }

  async #load(tenure: Tenure): Promise<boolean> {
    const text = await this.#ports.store.getItem(this.#key);
    const now = this.#ports.clock.now();
    // A schedule that was never served has missed nothing; from now on it has a history.
    if (text === undefined && !await this.#remember(now, tenure)) return false;
    this.#since = now;
    this.#frontier = text === undefined ? now : BigInt(text);
    return true;
  }

  /** Moves what is due now into the line. */
  async #collect(tenure: Tenure): Promise<void> {
    const now = this.#ports.clock.now();
    // A clock that was put back has the ticks handled before it come again: they wait it out. A clock
    // that was a year ahead must not silence the schedule for a year; then the runs' keys alone guard.
    if (this.#frontier! > now + DAY) {
      if (!await this.#remember(now, tenure)) return;
      this.#log({ type: "clock_back", from: this.#frontier!, to: now });
      this.#frontier = now;
      this.#waiting = [];
    }
    if (this.#since > now) this.#since = now;
    if (this.#frontier! < this.#since) await this.#catchUp(this.#since, tenure);
    const due = this.#ticks.newest(this.#frontier!, now, LONGEST_QUEUE + 1);
    for (const tick of due) {
      this.#waiting.push({
        tick,
        notBefore: tick + this.#jitter(),
        patient: this.#schedule.overlap === "queue",
        missed: false,
        announced: false,
      });
      this.#frontier = tick;
    }
    let tooMany = this.#waiting.filter((one) => !one.missed).length - LONGEST_QUEUE;
    this.#waiting = this.#waiting.filter((one) => {
      if (one.missed || tooMany-- <= 0) return true;
      this.#log({ type: "coalesced", tick: one.tick });
      return false;
    });
  }

  async #catchUp(until: bigint, tenure: Tenure): Promise<void> {
    const from = this.#frontier!;
    const policy = this.#schedule.catchUp;
    const missed = this.#ticks.newest(from, until, LONGEST_CATCH_UP + 1);
    const wanted = policy === "all" ? LONGEST_CATCH_UP : policy === "latest" ? 1 : 0;
    const run = missed.slice(Math.max(0, missed.length - wanted));
    for (const tick of run) {
      // One after another for `all`: an overlap of skip or cancel would leave but one of them.
      const patient = policy === "all" || this.#schedule.overlap === "queue";
      this.#waiting.push({ tick, notBefore: tick, patient, missed: true, announced: false });
    }
    if (missed.length > 0) {
      this.#log({
        type: "missed",
        from: missed[0],
        until,
        caughtUp: run.length,
        ignored: Math.min(missed.length, LONGEST_CATCH_UP) - run.length,
        more: missed.length > LONGEST_CATCH_UP,
      });
    }
    if (this.#waiting.length === 0) await this.#remember(until, tenure);
    this.#frontier = until;
  }

  /** Starts what can start, in order; gives the milliseconds until the first that cannot may. */
  async #drain(tenure: Tenure): Promise<number> {
    for (let head = this.#waiting[0]; head !== undefined; head = this.#waiting[0]) {
      if (this.#closing || !this.#holds(tenure)) return LONGEST_NAP;
      const now = this.#ports.clock.now();
      if (head.notBefore > now) return msUntil(head.notBefore, now);
      const before = await this.#underWay();
      if (before.length > 0) {
        const wait = await this.#overlap(head, before, now, tenure);
        if (wait !== undefined) return wait;
      } else if (this.#closing || !this.#holds(tenure)) {
        return LONGEST_NAP; // asking took a while
      } else {
        await this.#start(head, tenure);
      }
    }
    return LONGEST_NAP;
  }

  /** Settles a tick that meets runs under way, or gives the milliseconds it must wait. */
  async #overlap(
    head: Waiting,
    before: readonly RunSummary[],
    now: bigint,
    tenure: Tenure,
  ): Promise<number | undefined> {
    const { tick } = head;
    const same = before.find((run) => run.trigger === this.#triggerKey(tick));
    if (same !== undefined) {
      await this.#settle(head, tenure);
      this.#log({ type: "duplicate", tick, runId: same.runId });
      return;
    }
    if (!head.patient && this.#schedule.overlap === "skip") {
      await this.#settle(head, tenure);
      this.#log({ type: "skipped", tick, runId: before[0].runId });
      return;
    }
    if (!head.patient && this.#schedule.overlap === "cancel") {
      const later = this.#waiting[1];
      if (later !== undefined && later.notBefore <= now) {
        await this.#settle(head, tenure);
        this.#log({ type: "superseded", tick });
        return;
      }
      for (const { runId } of before) {
        if (this.#cancelled.has(runId)) continue;
        await this.#ports.cancel(runId);
        this.#cancelled.add(runId);
        this.#log({ type: "cancelling", tick, runId });
      }
    } else if (!head.announced) {
      head.announced = true;
      this.#log({ type: "queued", tick, runId: before[0].runId });
    }
    // A run of this process says when it ends.
    return before.every((run) => this.#own.has(run.runId)) ? LONGEST_NAP : POLL;
  }

  async #start(head: Waiting, tenure: Tenure): Promise<void> {
    const { tick } = head;
    try {
      const key = this.#triggerKey(tick);
      const { runId, ended, duplicate } = await this.#ports.start(this.#workflow, { key, tick });
      if (!duplicate) this.#watch(runId, ended);
      this.#log({ type: duplicate ? "duplicate" : "started", tick, runId });
    } catch (thrown) {
      if (thrown instanceof StoreError) throw thrown;
      this.#log({ type: "failed", tick, message: messageOf(thrown) });
    }
    // Only now: a crash before this line starts the tick again, and its key makes that a duplicate.
    await this.#settle(head, tenure);
  }

  #watch(runId: string, ended: Promise<void>): void {
    const over = () => {
      this.#own.delete(runId);
      this.#cancelled.delete(runId);
      this.wake();
    };
    this.#own.set(runId, ended.then(over, over));
  }

  async #settle(head: Waiting, tenure: Tenure): Promise<void> {
    await this.#remember(head.tick, tenure);
    const at = this.#waiting.indexOf(head);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  /** Unfinished runs that this schedule started, also those of an earlier process; newest first. */
  async #underWay(): Promise<readonly RunSummary[]> {
    const runs = await this.#ports.store.runs({
      workflow: this.#workflow.name,
      statuses: ["queued", "running"],
      limit: 1_000,
    });
    const prefix = this.#triggerKey();
    return runs.filter((run) => run.trigger?.startsWith(prefix));
  }

  /** Ticks up to `tick` are handled; false when this process may no longer say so. */
  async #remember(tick: bigint, tenure: Tenure): Promise<boolean> {
    const kept = await this.#ports.store.setItem(this.#key, String(tick), tenure.lease);
    if (!kept && this.#tenure === tenure) this.#tenure = undefined;
    return kept;
  }

  #holds(tenure: Tenure): boolean {
    return this.#tenure === tenure && this.#ports.clock.now() < tenure.expiresAt;
  }

  #jitter(): bigint {
    const ms = this.#schedule.jitterMs;
    return ms > 0 ? BigInt(Math.round(this.#ports.random.next() * ms)) * NS_PER_MS : 0n;
  }

  get #key(): string {
    return `schedule/${this.#workflow.name}/${this.id}`;
  }

  #triggerKey(tick?: bigint): string {
    return `${this.#workflow.name}/schedule-${this.id}/` +
      (tick === undefined ? "" : Temporal.Instant.fromEpochNanoseconds(tick).toString());
  }

  #log(event: ScheduleEvent): void {
    this.#ports.log({ ...event, workflow: this.#workflow.name, cron: this.#schedule.cron });
  }
}

/** Eight hex digits that name a schedule within its workflow: its cron fields and its zone. */
export function scheduleId(schedule: Schedule): string {
  const identity = [
    schedule.cron.trim().toLowerCase().replace(/\s+/g, " "),
    schedule.timezone ?? null,
  ];
  return createHash("sha256").update(JSON.stringify(identity)).digest("hex").slice(0, 8);
}

function msUntil(time: bigint, now: bigint): number {
  return time <= now ? 0 : Number((time - now + NS_PER_MS - 1n) / NS_PER_MS);
}
