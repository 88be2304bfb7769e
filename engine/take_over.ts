import type { Clock } from "./core/clock.ts";
import { SpanloopError } from "./core/errors.ts";
import type { RunOptions } from "./core/run_options.ts";
import type { Logger } from "./core/log.ts";
import type { RunSummary, Store } from "./core/store.ts";
import { LEASE_NS } from "./run/keeper.ts";
import { isDead, thisHolder } from "./system.ts";

const POLL_MS = 250;

/**
 * Acquires a run's lease for this process; its fence (R7). A dead holder's lease is taken at once; a live one's
 * after it has lapsed, if that one does not renew it. Throws SpanloopError `run.held`, at once with `wait` false.
 */
export async function takeOver(
  { store, clock, log }: {
    readonly store: Pick<Store, "acquire">;
    readonly clock: Clock;
    readonly log: Logger;
  },
  summary: Pick<RunSummary, "runId" | "workflow">,
  options: Pick<RunOptions, "onEvent"> & { readonly wait?: boolean },
): Promise<number> {
  const holder = thisHolder();
  let first: bigint | undefined;
  for (;;) {
    const now = clock.now();
    const result = await store.acquire(`run:${summary.runId}`, {
      holder,
      now,
      expiresAt: now + LEASE_NS,
      isDead,
    });
    if ("acquired" in result) return result.acquired.fence;
    const { expiresAt } = result.held;
    const by = result.held.holder;
    const who = by === undefined ? "another process" : `process ${by.pid} on ${by.host}`;
    if (first === undefined && options.wait !== false) {
      first = expiresAt;
      const { runId, workflow } = summary;
      const message = `${who} holds run ${runId}; waiting for its lease to lapse (10 s at most)`;
      options.onEvent?.({ type: "notice", message });
      log.log({ severity: "info", body: message, workflow, runId });
    } else if (first === undefined || expiresAt > first) {
      throw new SpanloopError(
        "run.held",
        `Run ${summary.runId} is under way in ${who}; cancel it first, or let it end`,
        { exitCode: 2 },
      );
    }
    await new Promise<void>((resolve) => clock.after(POLL_MS, resolve));
  }
}
