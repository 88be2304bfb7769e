/**
 * How long a run has been under way in the processes that ran it one after the other: downtime between them
 * is left out, as timeouts leave it out (R2).
 */
export class ActiveTime {
  // A stretch each process: when it took the run up, and how long the run had been under way by then.
  readonly #stretches: { readonly since: bigint; readonly beforeMs: number }[] = [];

  /** A process began at `since` (nanoseconds since the epoch), after `beforeMs` milliseconds under way. */
  begin(since: bigint, beforeMs: number): void {
    this.#stretches.push({ since, beforeMs });
  }

  /** How long the run was under way at `time` (nanoseconds since the epoch), in milliseconds. */
  at(time: bigint): number {
    const stretch = this.#stretches.findLast(({ since }) => since <= time);
    if (stretch === undefined) return 0;
    return stretch.beforeMs + Number(time - stretch.since) / 1e6;
  }
}
