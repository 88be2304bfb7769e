/** Items, processed and failed, and how many of them failed. Plain JSON. */
export interface Count {
  /** How many there were. */
  readonly items: number;
  /** How many of them failed. */
  readonly failed: number;
  /** The sum over those that failed of how many failed by the same cause; absent where each failed on its own. */
  readonly together?: number;
}

/** No items. */
export const NONE: Count = { items: 0, failed: 0 };

/**
 * A batch's items. Where more than half of them fail, such as by a lock or a row that its transaction stumbles on, one
 * cause is likelier than as many as there are items.
 */
export function batchOf(items: number, failed: number): Count {
  return counted(items, failed, failed * 2 > items ? failed * failed : failed);
}

/** The items of both. */
export function plus(one: Count, other: Count): Count {
  return counted(
    one.items + other.items,
    one.failed + other.failed,
    togetherOf(one) + togetherOf(other),
  );
}

/** The items of `one` without those of `other`, which are among them. */
export function minus(one: Count, other: Count): Count {
  return counted(
    one.items - other.items,
    one.failed - other.failed,
    togetherOf(one) - togetherOf(other),
  );
}

/**
 * The same in units of what fails together, on average: the variance of a compound Poisson count is that many times its
 * mean, as that of a sample of clusters (the design effect; L. Kish, "Survey Sampling", 1965). Rates stay what they are.
 */
export function independent(counts: readonly Count[]): readonly Count[] {
  const { failed, together } = counts.reduce(plus, NONE);
  if (together === undefined) return counts;
  const size = together / failed;
  return counts.map((count) => ({ items: count.items / size, failed: count.failed / size }));
}

function togetherOf({ failed, together = failed }: Count): number {
  return together;
}

function counted(items: number, failed: number, together: number): Count {
  return together === failed ? { items, failed } : { items, failed, together };
}
