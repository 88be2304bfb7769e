import type { Json } from "../core/json.ts";
import { type Count, independent, plus } from "./count.ts";
import { evidenceAgainst } from "./guards.ts";

/** What the values that rule without an experiment have brought lately at one guard. Plain JSON, of bounded size. */
export interface Standing {
  /** The values. */
  readonly values: Readonly<Record<string, Json>>;
  /** Items by and by, oldest first, as a trial's; the last count grows until it is a block. */
  readonly counts: readonly Count[];
}

// So many items are judged as one, and not before there are as many: what makes some of them fail they may share.
const BLOCK = 50;
// What is older says nothing of now.
const MOST_BLOCKS = 20;
// A rate that stands right at the guard is taken for one that breaks it once in so many blocks at most; in simulations
// it was 3 times in 400,000 at most, with over-dispersed errors as with batches that fail as a whole.
const ALARM = 10_000;

/** Takes note of items under these values; others than before begin anew. */
export function stood(
  before: Standing | undefined,
  values: Standing["values"],
  count: Count,
): Standing {
  const same = before !== undefined && JSON.stringify(before.values) === JSON.stringify(values);
  const counts = same ? before.counts : [];
  const last = counts.at(-1);
  const next = last !== undefined && last.items < BLOCK
    ? [...counts.slice(0, -1), plus(last, count)]
    : [...counts, count];
  return { values, counts: next.slice(-MOST_BLOCKS) };
}

/** Whether the error rate has come to break a guard; then the items since it began to, and how many of them failed. */
export function breach({ counts }: Standing, below: number): Count | undefined {
  const last = counts.at(-1);
  if (last === undefined || last.items < BLOCK) return undefined;
  const since = changed(independent(counts), (late) => evidenceAgainst(late, below), ALARM);
  return since === undefined ? undefined : counts.slice(since).reduce(plus);
}

/**
 * Since which of `all` something has changed, likeliest; undefined: there is no saying that it has. It may have changed at
 * any time, so the evidence for each time is added up: the statistic of A. N. Shiryaev (1963) and S. W. Roberts (1966),
 * whose mean time to a false alarm is its threshold, `alarm`.
 */
export function changed<One>(
  all: readonly One[],
  evidence: (late: readonly One[]) => number,
  alarm: number,
): number | undefined {
  const each = all.map((_, from) => evidence(all.slice(from)));
  const sum = each.reduce((before, one) => before + one, 0);
  return sum >= alarm ? each.indexOf(Math.max(...each)) : undefined;
}
