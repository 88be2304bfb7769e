/**
 * When the 95th percentile of a step's times has left its own history. How many of the next n times exceed the r-th of N
 * earlier ones does not depend on how times are distributed: the count is beta-binomial, with n, N - r + 1 and r
 * (E. J. Gumbel and H. von Schelling, "The distribution of the number of exceedances", Annals of Mathematical Statistics
 * 21, 1950). With r at the 95th percentile a step has become slow when so many of its recent times exceed it that a
 * step which is as it was has as many with a probability of at most `CHANCE`.
 */

/** One attempt: its seconds, and where its span is. */
export type Attempt = readonly [seconds: number, traceId: string, spanId: string];

/** An attempt that is kept; only of one that is slower than the history's 95th percentile where its span is. */
export type Time = Attempt | readonly [seconds: number];

/** What is kept of a step. */
export interface History {
  /** Earlier times in seconds, oldest first; none of those since it has become slow. */
  readonly before: readonly number[];
  /** The last ones, oldest first. */
  readonly recent: readonly Time[];
  /** How many attempts there have been. */
  readonly count: number;
  /** At which of them it has become slow; absent while it is not. */
  readonly slowSince?: number;
}

/** What is said of a step that has become slow. */
export interface Departure {
  /** The 95th percentile of the recent times, seconds. */
  readonly now: number;
  /** That of the history. */
  readonly before: number;
  /** How many recent attempts there are. */
  readonly attempts: number;
  /** The recent attempts that are slower than the history's 95th percentile. */
  readonly slow: readonly Attempt[];
}

/** No attempts. */
export const NOTHING: History = { before: [], recent: [], count: 0 };

const QUANTILE = 0.95;
const BEFORE = 300;
const RECENT = 40;
const FEWEST_BEFORE = 100;
const CHANCE = 0.001;
// Once the history is full, one time of so many enters it: one that takes in each would follow a slowdown that comes
// about slowly, or is just below what is noticed.
const THINNING = 8;

/** Adds an attempt; `left`: with it the step has become slow. */
export function observe(
  history: History,
  attempt: Attempt,
): { readonly history: History; readonly left?: Departure } {
  const count = history.count + 1;
  const limit = quantile(history.before);
  const time: Time = attempt[0] > limit ? attempt : [attempt[0]];
  const recent = [...history.recent, time].slice(-RECENT);
  const slow = recent.filter(([seconds]) => seconds > limit);
  if (history.slowSince !== undefined) {
    return { history: whileSlow({ ...history, recent, count }, slow.length) };
  }
  const { length } = history.before;
  if (recent.length === RECENT && length >= FEWEST_BEFORE && slow.length >= tooMany(length)) {
    const now = quantile(recent.map(([seconds]) => seconds));
    return {
      history: { ...history, recent, count, slowSince: count },
      left: {
        now,
        before: limit,
        attempts: RECENT,
        slow: slow.filter((time) => time.length === 3),
      },
    };
  }
  const [oldest] = history.recent;
  const enters = history.recent.length === RECENT && (length < BEFORE || count % THINNING === 0);
  const before = enters ? [...history.before, oldest[0]].slice(-BEFORE) : history.before;
  return { history: { before, recent, count } };
}

// It has come back once no more of its times exceed the percentile than one expects to. What has been slow for as many
// attempts as the history holds is the history.
function whileSlow(history: History, exceeding: number): History {
  const { before, recent, count, slowSince = count } = history;
  if (exceeding <= RECENT * (1 - QUANTILE)) return { before, recent, count };
  if (count - slowSince < BEFORE) return history;
  return { before: recent.map(([seconds]) => seconds), recent: [], count };
}

/** The 95th percentile: the smallest of the times that 95 % do not exceed. NaN of none. */
export function quantile(times: readonly number[]): number {
  return Float64Array.from(times).sort()[rankOf(times.length) - 1] ?? NaN;
}

function rankOf(count: number): number {
  return Math.ceil(QUANTILE * count);
}

const found = new Map<number, number>();

/** The fewest exceedances among the recent times that are too many to be by chance, with so many earlier times. */
export function tooMany(before: number): number {
  const known = found.get(before);
  if (known !== undefined) return known;
  const rank = rankOf(before);
  let chance = 0;
  let fewest = RECENT + 1;
  while (chance + probability(fewest - 1, before - rank + 1, rank) <= CHANCE) {
    chance += probability(--fewest, before - rank + 1, rank);
  }
  found.set(before, fewest);
  return fewest;
}

// Of the beta-binomial distribution: C(n, k) B(k + a, n - k + b) / B(a, b), all of whole numbers.
function probability(k: number, a: number, b: number): number {
  const choose = logFactorial(RECENT) - logFactorial(k) - logFactorial(RECENT - k);
  return Math.exp(choose + logBeta(k + a, RECENT - k + b) - logBeta(a, b));
}

function logBeta(a: number, b: number): number {
  return logFactorial(a - 1) + logFactorial(b - 1) - logFactorial(a + b - 1);
}

const logFactorials = [0];

function logFactorial(n: number): number {
  for (let i = logFactorials.length; i <= n; i++) {
    logFactorials.push(logFactorials[i - 1] + Math.log(i));
  }
  return logFactorials[n];
}
