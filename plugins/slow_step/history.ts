/**
 * When the 95th percentile of a step's times has left its own history. How many of the next n times exceed the r-th of N
 * earlier ones does not depend on how times are distributed: the count is beta-binomial, with n, N - r + 1 and r
 * (E. J. Gumbel and H. von Schelling, "The distribution of the number of exceedances", Annals of Mathematical Statistics
 * 21, 1950). With r at the 95th percentile a step has become slow when so many of its recent times exceed it that a
 * step which is as it was has as many with a probability of at most `CHANCE`.
 */

/** One attempt: its seconds, and where its span is. */
export type Attempt = readonly [seconds: number, traceId: string, spanId: string];

/** An attempt that is kept: its seconds, and of one slower than the history's 95th percentile where its span is. */
export type Time = number | Attempt;

/** What is kept of a step and read at each attempt; the history itself is kept apart, since it seldom changes. */
export interface Recent {
  /** The last times, oldest first. */
  readonly times: readonly Time[];
  /** How many attempts there have been. */
  readonly count: number;
  /** How many times the history has. */
  readonly known: number;
  /** Their 95th percentile, seconds; absent of none. */
  readonly limit?: number;
  /** At which attempt it has become slow; absent while it is not. Nothing enters the history as long as it is. */
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

/** What an attempt makes of what is kept. */
export interface Observed {
  /** To keep. */
  readonly recent: Recent;
  /** The history in seconds, oldest first, to keep as well; absent when it has not changed. */
  readonly history?: readonly number[];
  /** Present when the step has become slow with it. */
  readonly left?: Departure;
}

/** No attempts. */
export const NOTHING: Recent = { times: [], count: 0, known: 0 };

const QUANTILE = 0.95;
const HISTORY = 300;
const RECENT = 40;
const FEWEST = 100;
const CHANCE = 0.001;
// Once the history is full, one time of so many enters it: one that takes in each would follow a slowdown that comes
// about slowly, or is just below what is noticed.
const THINNING = 8;

/** Adds an attempt; `history` gives the history as it was kept last, and is asked when it changes. */
export function observe(
  before: Recent,
  attempt: Attempt,
  history: () => readonly number[],
): Observed {
  const { known, limit = Infinity, slowSince } = before;
  const count = before.count + 1;
  const isSlow = attempt[0] > limit;
  // What has been told of is not told of again.
  const time = isSlow && slowSince === undefined ? attempt : attempt[0];
  const times = [...before.times, time].slice(-RECENT);
  const recent = { ...before, times, count };
  const slow = times.filter((time) => secondsOf(time) > limit);
  if (slowSince !== undefined) return whileSlow(recent, slow.length);
  if (times.length === RECENT && known >= FEWEST && slow.length >= tooMany(known)) {
    const now = quantile(times.map(secondsOf));
    const links = slow.filter((time) => typeof time !== "number");
    return {
      recent: { ...recent, slowSince: count },
      left: { now, before: limit, attempts: RECENT, slow: links },
    };
  }
  const full = before.times.length === RECENT;
  if (!full || (known === HISTORY && count % THINNING !== 0)) return { recent };
  return withHistory(recent, [...history(), secondsOf(before.times[0])].slice(-HISTORY));
}

// It has come back once no more of its times exceed the percentile than one expects to. What has been slow for as many
// attempts as the history holds is the history.
function whileSlow({ slowSince = 0, ...recent }: Recent, exceeding: number): Observed {
  if (exceeding <= RECENT * (1 - QUANTILE)) return { recent };
  if (recent.count - slowSince < HISTORY) return { recent: { ...recent, slowSince } };
  return withHistory({ ...recent, times: [] }, recent.times.map(secondsOf));
}

function withHistory(recent: Recent, history: readonly number[]): Observed {
  return { recent: { ...recent, known: history.length, limit: quantile(history) }, history };
}

function secondsOf(time: Time): number {
  return typeof time === "number" ? time : time[0];
}

/** The 95th percentile: the smallest of the times that 95 % do not exceed. Of at least one. */
export function quantile(times: readonly number[]): number {
  return Float64Array.from(times).sort()[rankOf(times.length) - 1];
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
