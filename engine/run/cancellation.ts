/** Why attempts are told to stop. */
export type StopReason =
  /** A person, another process, or the run's group. */
  | "cancelled"
  /** The run's own timeout. */
  | "timed_out"
  /** This process lost the run's lease or its store. */
  | "lost";

const MESSAGES: Readonly<Record<StopReason | "timeout", string>> = {
  timeout: "The attempt's time is up",
  cancelled: "The run was cancelled",
  timed_out: "The run's time is up",
  lost: "The run is another process's now, or its store failed",
};

/** What an attempt's signal is aborted with. */
export class Stop extends Error {
  /** Whose doing it is; `timeout` is the attempt's own. */
  readonly why: StopReason | "timeout";
  /** Whether to kill at once instead of asking first; becomes true when it is asked for a second time. */
  force: boolean;

  /** Makes the reason of an abort. */
  constructor(why: StopReason | "timeout", force = false) {
    super(MESSAGES[why]);
    this.name = "Stop";
    this.why = why;
    this.force = force;
  }
}

/**
 * Tells the attempts of one phase of a run to stop: its steps, or its on_failure and finally steps. Cheaper
 * than an AbortSignal each attempt listens to: a chain of 10,000 steps registers and leaves 10,000 times.
 */
export class Cancellation {
  readonly #listeners = new Set<(stop: Stop) => void>();
  #stop: Stop | undefined;

  /** Why it stopped, if it did. */
  get stop(): Stop | undefined {
    return this.#stop;
  }

  /** Stops; again with `force` makes it harder, otherwise the first reason stays. */
  cancel(stop: Stop): void {
    if (this.#stop !== undefined && (this.#stop.force || !stop.force)) return;
    // The same object: whoever waits on a signal with this reason reads `force` again.
    if (this.#stop === undefined) this.#stop = stop;
    else this.#stop.force = true;
    for (const listener of [...this.#listeners]) listener(this.#stop);
  }

  /** Hears of every stop, the one that was already included. The returned function leaves. */
  listen(listener: (stop: Stop) => void): () => void {
    if (this.#stop !== undefined) listener(this.#stop);
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
