import type { Clock, Random } from "../core/clock.ts";
import type { Holder, Lease, Store } from "../core/store.ts";
import type { Workflow } from "../core/workflow.ts";

/** What a start gave: the run, and when it is over. */
export interface StartedRun {
  /** The run; with `duplicate`, the one that has the key already, or empty if that is not known. */
  readonly runId: string;
  /** Settles when the run has ended, however it ended; not looked at with `duplicate`. */
  readonly ended: Promise<void>;
  /** True when the store had a run with this key already: nothing was started (R9). */
  readonly duplicate: boolean;
}

/** What the scheduler needs from outside. */
export interface SchedulerPorts {
  /** The time. */
  readonly clock: Clock;
  /** For jitter. */
  readonly random: Random;
  /** The machine's IANA time zone, for schedules that name none. */
  readonly timezone: string;
  /** Where leases, handled ticks and runs are; nothing of it but those is used. */
  readonly store: Pick<Store, "acquire" | "renew" | "release" | "getItem" | "setItem" | "runs">;
  /** This process. */
  readonly holder: Holder;
  /** Whether a process is certainly gone, so that its lease need not lapse (R7). */
  isDead(holder: Holder): boolean;
  /**
   * Starts a run for a tick (nanoseconds since the epoch) and resolves once it is durable. `key` is
   * the run header's `trigger` and unique in the store (R9).
   *
   * Errors: a StoreError is taken as passing and tried again; any other gives the tick up.
   */
  start(
    workflow: Workflow,
    trigger: { readonly key: string; readonly tick: bigint },
  ): Promise<StartedRun>;
  /** Asks a run to end; it need not have ended when this resolves. */
  cancel(runId: string): Promise<void>;
  /** Told of everything that a person may want to know. It must not throw. */
  log(event: SchedulerEvent): void;
}

/** What happened in the scheduler, for one line each. Times are nanoseconds since the epoch. */
export type SchedulerEvent =
  /** This process now serves the store's schedules. */
  | { readonly type: "serving" }
  /** Another process serves them; this one waits to take over. */
  | { readonly type: "standby"; readonly holder?: Holder }
  /** Another process took over while this one was not heard of. */
  | { readonly type: "lost" }
  /** Something failed that may pass, such as a busy store; it is tried again. */
  | { readonly type: "retrying"; readonly message: string }
  | ScheduleEvent & ScheduleIdentity;

/** Which schedule an event is about. */
export interface ScheduleIdentity {
  /** The workflow's name. */
  readonly workflow: string;
  /** The schedule's cron fields. */
  readonly cron: string;
}

/** What happened to one schedule or one of its ticks. */
export type ScheduleEvent =
  /** The schedule cannot run; the others go on. */
  | { readonly type: "invalid"; readonly message: string }
  /** A run was started for the tick. */
  | { readonly type: "started"; readonly tick: bigint; readonly runId: string }
  /** The tick had a run already (R9). */
  | { readonly type: "duplicate"; readonly tick: bigint; readonly runId: string }
  /** Overlap skip: the run before has not ended. */
  | { readonly type: "skipped"; readonly tick: bigint; readonly runId: string }
  /** The tick waits until the run before has ended. */
  | { readonly type: "queued"; readonly tick: bigint; readonly runId: string }
  /** Overlap cancel: the run before was asked to end. */
  | { readonly type: "cancelling"; readonly tick: bigint; readonly runId: string }
  /** Overlap cancel: a later tick is due, so this one starts nothing. */
  | { readonly type: "superseded"; readonly tick: bigint }
  /**
   * Ticks were missed. `caughtUp` of them run now; `ignored` are given up, which counts no further
   * than `LONGEST_CATCH_UP` (then there were `more`).
   */
  | {
    readonly type: "missed";
    readonly from: bigint;
    readonly until: bigint;
    readonly caughtUp: number;
    readonly ignored: number;
    readonly more: boolean;
  }
  /** More than `LONGEST_QUEUE` ticks wait: this, the oldest, is given up for those after it. */
  | { readonly type: "coalesced"; readonly tick: bigint }
  /** The start failed; the tick is given up. */
  | { readonly type: "failed"; readonly tick: bigint; readonly message: string }
  /** The last handled tick lay more than a day ahead of the clock, and was set back to it. */
  | { readonly type: "clock_back"; readonly from: bigint; readonly to: bigint };

/** A schedule as a list shows it. */
export interface Upcoming extends ScheduleIdentity {
  /** The IANA zone whose wall clock rules. */
  readonly zone: string;
  /** Its next tick, nanoseconds since the epoch; absent when there is none. */
  readonly next?: bigint;
}

/** The time during which this process alone acts on the store's schedules. */
export interface Tenure {
  /** Writes under it fail once another process has taken over. */
  readonly lease: Lease;
  /** Nothing may be done at or after this time, nanoseconds since the epoch, unless it was renewed. */
  expiresAt: bigint;
}

/** Ticks of one schedule that wait because of overlap queue, at most. */
export const LONGEST_QUEUE = 100;
/** Missed ticks of one schedule that catch_up all runs, the newest ones, at most. */
export const LONGEST_CATCH_UP = 1_000;
