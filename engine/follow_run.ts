import type { RunOptions } from "./core/run_options.ts";
import type { RunReport } from "./core/report.ts";
import type { RunHandle } from "./run/runner.ts";

/**
 * Follows a run to its end, cancelling it when the caller's signals say so. `leaveWord` keeps that in the store
 * as well: a run that is cancelled and then dies stays cancelled when it is resumed.
 */
export async function followRun(
  handle: RunHandle,
  options: Pick<RunOptions, "signal" | "force">,
  leaveWord: () => Promise<unknown>,
): Promise<RunReport> {
  const cancel = () => {
    handle.cancel(false);
    leaveWord().catch(() => {}); // the run meets the same fault, and says so
  };
  const force = () => handle.cancel(true);
  if (options.signal?.aborted) cancel();
  if (options.force?.aborted) force();
  options.signal?.addEventListener("abort", cancel);
  options.force?.addEventListener("abort", force);
  try {
    return await handle.report;
  } finally {
    options.signal?.removeEventListener("abort", cancel);
    options.force?.removeEventListener("abort", force);
  }
}
