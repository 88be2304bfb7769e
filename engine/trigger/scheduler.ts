import { messageOf } from "../core/errors.ts";
import type { Schedule, Workflow } from "../core/workflow.ts";
import { CronSchedule } from "../core/cron_schedule.ts";
import type { SchedulerPorts, Tenure, Upcoming } from "./ports.ts";
import { scheduleId, ScheduleLine } from "./schedule_line.ts";

const NS_PER_MS = 1_000_000n;
/** The lease's name: one process at a time acts on the schedules of a store (R8). */
const LEASE = "schedules";
/** How long the lease holds without renewal, nanoseconds (R7). */
const TTL = 10_000n * NS_PER_MS;
/** How often it is renewed, milliseconds. */
const RENEW = 3_000;
/** How often another process's lease is looked at, milliseconds. */
const STANDBY = 1_000;

interface Watched {
  line: ScheduleLine;
  workflow: Workflow;
  schedule: Schedule;
  readonly ticks: CronSchedule;
}

/**
 * Runs workflows on their schedules, behind `spanloop serve`.
 *
 * Invariants:
 * - R8: of all processes on a store one acts, the one that holds the lease `schedules`. It acts only
 *   while its lease has not lapsed by its own clock; the others wait and take over.
 * - R9: one run a tick, whoever acts (see ScheduleLine).
 *
 * Time during which the lease had lapsed is time that nobody served: a machine that slept, a wall clock
 * that jumped ahead and a restart all end in `catch_up`.
 */
export class Scheduler {
  readonly #ports: SchedulerPorts;
  #watched = new Map<string, Watched>();
  // The message told, so that a file saved often does not repeat it.
  #refused = new Map<string, string>();
  readonly #leaving = new Set<Promise<void>>();
  #tenure: Tenure | undefined;
  #running = false;
  #onStandby = false;
  #cancelTimer: (() => void) | undefined;
  #beat: Promise<void> | undefined;

  /** Makes a scheduler that does nothing until `start()`. */
  constructor(ports: SchedulerPorts) {
    this.#ports = ports;
  }

  /** Whether this process is the one that acts on the store's schedules. */
  get serving(): boolean {
    return this.#tenure !== undefined;
  }

  /**
   * Replaces the watched workflows, before or after `start()`. A schedule whose cron fields and zone are the
   * same goes on undisturbed, with the workflow's new text; one that does not hold is logged as
   * `invalid` and left out. Runs under way are not touched.
   */
  set(workflows: readonly Workflow[]): void {
    const watched = new Map<string, Watched>();
    const refused = new Map<string, string>();
    for (const workflow of workflows) {
      for (const schedule of workflow.schedules) {
        const key = `${workflow.name}/${scheduleId(schedule)}`;
        if (watched.has(key)) continue; // the same ticks twice are one tick each (R9)
        const known = this.#watched.get(key);
        if (known !== undefined) {
          known.line.update(workflow, schedule);
          watched.set(key, Object.assign(known, { workflow, schedule }));
          continue;
        }
        try {
          const ticks = new CronSchedule(schedule, this.#ports.timezone);
          const line = new ScheduleLine(this.#ports, workflow, schedule, ticks);
          watched.set(key, { line, workflow, schedule, ticks });
        } catch (thrown) {
          const message = messageOf(thrown);
          refused.set(key, message);
          if (this.#refused.get(key) === message) continue;
          const { cron } = schedule;
          this.#ports.log({ type: "invalid", workflow: workflow.name, cron, message });
        }
      }
    }
    const before = this.#watched;
    this.#watched = watched;
    this.#refused = refused;
    for (const [key, { line }] of before) if (!watched.has(key)) this.#leave(line);
    if (this.#tenure === undefined) return;
    for (const [key, { line }] of watched) if (!before.has(key)) line.open(this.#tenure);
  }

  /** The watched schedules, with the next tick of each after now; soonest first. */
  upcoming(): readonly Upcoming[] {
    const now = this.#ports.clock.now();
    return [...this.#watched.values()]
      .map(({ ticks, workflow, schedule }) => ({
        workflow: workflow.name,
        cron: schedule.cron,
        zone: ticks.zone,
        next: ticks.next(now),
      }))
      .sort((a, b) => a.next === b.next ? 0 : (a.next ?? Infinity) < (b.next ?? Infinity) ? -1 : 1);
  }

  /** Begins to take the lease, and to act once it has it. Never throws; trouble is logged. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#next();
  }

  /**
   * Stops gently: no tick starts a run any more, a start under way is recorded, the lease is given back.
   * Runs under way go on; they are the caller's.
   */
  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    this.#cancelTimer?.();
    await this.#beat;
    const tenure = this.#tenure;
    this.#tenure = undefined;
    this.#onStandby = false;
    await Promise.all([...this.#watched.values()].map(({ line }) => line.close()));
    await Promise.all(this.#leaving);
    if (tenure === undefined) return;
    try {
      await this.#ports.store.release([tenure.lease]);
    } catch (thrown) {
      // It lapses by itself.
      this.#ports.log({ type: "retrying", message: messageOf(thrown) });
    }
  }

  #leave(line: ScheduleLine): void {
    const left = line.close().finally(() => this.#leaving.delete(left));
    this.#leaving.add(left);
  }

  #next(): void {
    this.#beat = this.#tend().finally(() => {
      this.#beat = undefined;
      if (!this.#running) return;
      const ms = this.#tenure === undefined ? STANDBY : RENEW;
      this.#cancelTimer = this.#ports.clock.after(ms, () => this.#next());
    });
  }

  async #tend(): Promise<void> {
    try {
      if (this.#tenure !== undefined) await this.#renew(this.#tenure);
      if (this.#tenure === undefined) await this.#acquire();
    } catch (thrown) {
      this.#ports.log({ type: "retrying", message: messageOf(thrown) });
    }
  }

  async #renew(tenure: Tenure): Promise<void> {
    const now = this.#ports.clock.now();
    const lost = await this.#ports.store.renew([tenure.lease], now + TTL);
    if (lost.length > 0) {
      this.#tenure = undefined;
      this.#ports.log({ type: "lost" });
      // New lines rather than a wait: a start that hangs must not keep this process from serving again.
      for (const one of this.#watched.values()) {
        this.#leave(one.line);
        one.line = new ScheduleLine(this.#ports, one.workflow, one.schedule, one.ticks);
      }
      return;
    }
    const lapsed = now >= tenure.expiresAt;
    tenure.expiresAt = now + TTL;
    if (!lapsed) return;
    for (const { line } of this.#watched.values()) {
      line.missedUntil(now);
      line.wake();
    }
  }

  async #acquire(): Promise<void> {
    const now = this.#ports.clock.now();
    const expiresAt = now + TTL;
    const { holder } = this.#ports;
    const isDead = (other: typeof holder) => this.#ports.isDead(other);
    const answer = await this.#ports.store.acquire(LEASE, { holder, now, expiresAt, isDead });
    if ("held" in answer) {
      if (!this.#onStandby) this.#ports.log({ type: "standby", holder: answer.held.holder });
      this.#onStandby = true;
      return;
    }
    this.#onStandby = false;
    this.#tenure = { lease: answer.acquired, expiresAt };
    this.#ports.log({ type: "serving" });
    for (const { line } of this.#watched.values()) line.open(this.#tenure);
  }
}
