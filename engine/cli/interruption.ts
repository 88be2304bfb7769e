/** Signals that end a run: the first one gently, the second one at once. */
export interface Interruption {
  /** Aborts at the first Ctrl-C, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal;
  /** Aborts at the second. */
  readonly force: AbortSignal;
  /** Stops listening. */
  dispose(): void;
}

// `deno task` forwards a Ctrl-C that the terminal has sent to the whole process group already: the same key
// arrives twice, a millisecond apart. What comes sooner than this after the one before is the same key.
const ECHO_MS = 200;

/**
 * Listens for Ctrl-C and its like; `onNotice` is told what happens, in the words of `doing`. A third one
 * ends the process with 130 after `onExit`, for when even stopping at once does not end.
 */
export function interruption(
  onNotice: (message: string) => void,
  onExit: () => void = () => {},
  doing = "cancelling",
): Interruption {
  const gentle = new AbortController();
  const force = new AbortController();
  let last = -Infinity;
  const listener = () => {
    const now = performance.now();
    if (now - last < ECHO_MS) return;
    last = now;
    if (!gentle.signal.aborted) {
      onNotice(`${doing}; Ctrl-C again stops at once`);
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
