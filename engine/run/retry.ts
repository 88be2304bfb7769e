import type { Random } from "../core/clock.ts";
import type { Failure } from "../core/span.ts";
import type { Retry } from "../core/workflow.ts";

/**
 * The delay before try `attempt + 1`, in milliseconds; undefined when `attempt` was the last or the failure's
 * class is not tried again. Growth: constant, linear (n × initial) or exponential (2^(n-1) × initial), cut at
 * `max`. Jitter `full` draws from [0, delay], `equal` from [delay / 2, delay] (Brooker, "Exponential Backoff
 * And Jitter", 2015).
 */
export function retryDelay(
  retry: Retry | undefined,
  attempt: number,
  failure: Failure,
  random: Random,
): number | undefined {
  if (retry === undefined || attempt >= retry.attempts) return undefined;
  if (!retry.on.includes(failure.errorClass)) return undefined;
  const growth = retry.backoff === "constant"
    ? 1
    : retry.backoff === "linear"
    ? attempt
    : 2 ** Math.min(attempt - 1, 52);
  const delay = Math.min(retry.maxMs, retry.initialMs * growth);
  if (retry.jitter === "none") return delay;
  return retry.jitter === "full" ? delay * random.next() : delay / 2 + delay / 2 * random.next();
}
