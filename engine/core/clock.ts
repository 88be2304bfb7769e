/** Time as the engine reads it; injected, so that tests and replay can hold it (T4). */
export interface Clock {
  /** Wall time in nanoseconds since the Unix epoch; for timestamps and absolute deadlines (R2). */
  now(): bigint;
  /** A monotonic reading in milliseconds; for durations (R2). */
  monotonic(): number;
  /** Calls `fire` once after `ms` milliseconds; the returned function cancels it. */
  after(ms: number, fire: () => void): () => void;
}

/** Randomness as the engine reads it; injected, so that a test can seed it. */
export interface Random {
  /** Fills `bytes` with random values. */
  fill(bytes: Uint8Array): void;
  /** A number in [0, 1). */
  next(): number;
}

/** Resolves after `ms` milliseconds, or rejects with the signal's reason as soon as it aborts. */
export function sleep(
  clock: Clock,
  ms: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = later(clock, ms, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

// A timer of more than 2^31 - 1 ms fires at once, so a long wait is cut into legs.
const LONGEST = 2 ** 31 - 1;

/** `Clock.after` for any time, however long: calls `fire` once after `ms` milliseconds. */
export function later(clock: Clock, ms: number, fire: () => void): () => void {
  if (ms <= LONGEST) return clock.after(ms, fire);
  let cancel = clock.after(LONGEST, () => {
    cancel = later(clock, ms - LONGEST, fire);
  });
  return () => cancel();
}
