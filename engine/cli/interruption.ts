/** Signals that end a run: the first one gently, the second one at once. */
export interface Interruption {
  /** Aborts at the first Ctrl-C, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  /** Aborts at the second. */
  readonly force: AbortSignal;
  /** Stops listening. */
  dispose(): void;
}

/**
 * Listens for Ctrl-C and its like; `onNotice` is told what happens. A third one ends the process with 130 after
 * `onExit`, for when even stopping at once does not end.
 */
export function interruption(
  onNotice: (message: string) => void,
  onExit: () => void = () => {},
): Interruption {
  const gentle = new AbortController();
  const force = new AbortController();
  const listener = () => {
    if (!gentle.signal.aborted) {
      onNotice("cancelling; Ctrl-C again stops at once");
      gentle.abort();
    } else if (!force.signal.aborted) {
      onNotice("stopping at once");
      force.abort();
    } else {
      onExit();
      Deno.exit(130);
    }
  };
  const signals: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const name of signals) Deno.addSignalListener(name, listener);
  return {
    signal: gentle.signal,
    force: force.signal,
    dispose: () => {
      for (const name of signals) Deno.removeSignalListener(name, listener);
    },
  };
}
