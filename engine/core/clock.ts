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

/**
 * Resolves once the wall clock has reached `until`, nanoseconds since the Unix epoch, and never before it: a timer may fire
 * a part of a millisecond early, and the clock may be set back meanwhile (R2). Rejects as `sleep`.
 */
export async function sleepUntil(clock: Clock, until: bigint, signal?: AbortSignal): Promise<void> {
  for (;;) {
    const ms = Math.ceil(Number(until - clock.now()) / 1e6);
    if (ms <= 0) return;
    await sleep(clock, ms, signal);
  }
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
