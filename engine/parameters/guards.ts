import { type Count, independent, NONE, plus } from "./count.ts";
import { interval, isFarAboveZero, median } from "./sequential.ts";

/** What is known of one guard's metric while a change is under measurement. */
export interface GuardEvidence {
  /** The metric, as the file names it. */
  readonly metric: string;
  /** Its step. */
  readonly of: string;
  /** The guard is kept below this. */
  readonly below?: number;
  /** The guard is kept above this; never of error_rate. */
  readonly above?: number;
  /**
   * Of error_rate: one count for each slice of an arm, or each run where whole runs are its own, in order; the last one
   * grows while its slice lasts. What makes items of a slice fail they may share, so that its batches are one count,
   * however many they are. The incumbent's begin with what it brought before the experiment.
   */
  readonly counts?: { readonly candidate: readonly Count[]; readonly incumbent: readonly Count[] };
  /**
   * Of any other metric: one value for each run, in order, of the whole of the step, which is what the limit is of; none is
   * below 0. Where both arms had a share of the run each has its own, of what the step comes to at the rate of its share.
   */
  readonly values?: {
    readonly candidate: readonly number[];
    readonly incumbent: readonly number[];
  };
  /** It is known once the step is over: while there are no values, it is not kept. */
  readonly awaited?: boolean;
}

/** What the evidence says of a guard. */
export interface GuardFinding {
  /** The metric. */
  readonly metric: string;
  /** Its step. */
  readonly of: string;
  /** The candidate's estimate; absent where nothing was measured. */
  readonly value?: number;
  /** The candidate breaks it, and does worse than an incumbent that breaks it too. */
  readonly breached: boolean;
  /** The candidate is believed to keep it, or was no worse than the incumbent so far. */
  readonly kept: boolean;
  /** The candidate is believed to break it, though it may be bad luck. */
  readonly doubtful: boolean;
}

/** The variance of the factor by which a slice's error rate may differ from another's: that of noisy pipelines, and some. */
const DISPERSION = 0.35;

// By how much a rate may be off its limit; each is an alternative of the same weight. The last makes two batches that fail
// as a whole enough.
const FACTORS = [2, 5, 20];

/** Judges a guard; `chance` bounds how often a guard that is kept is called breached, however often one looks. */
export function judgeGuard(evidence: GuardEvidence, chance: number): GuardFinding {
  const { metric, of, counts, values } = evidence;
  if (counts !== undefined) return { metric, of, ...judgeCounts(evidence, counts, chance) };
  if (values !== undefined) return { metric, of, ...judgeValues(evidence, values, chance) };
  return { metric, of, ...UNKNOWN };
}

type Judged = Omit<GuardFinding, "metric" | "of">;

const UNKNOWN: Judged = { breached: false, kept: true, doubtful: false };

function judgeCounts(
  { below = 1 }: GuardEvidence,
  counts: NonNullable<GuardEvidence["counts"]>,
  chance: number,
): Judged {
  const [candidate, incumbent] = [independent(counts.candidate), independent(counts.incumbent)];
  const [mine, theirs] = [candidate, incumbent].map((all) => all.reduce(plus, NONE));
  if (mine.items === 0) return UNKNOWN;
  const rate = mine.failed / mine.items;
  const most = below < 1 ? limitBelow(below, theirs, incumbent.length) : Infinity;
  return {
    value: rate,
    breached: most < Infinity && evidenceAgainst(candidate, most) >= 1 / chance,
    kept: most === Infinity || isNoWorse(mine, theirs) ||
      worst(mine, candidate.length) <= below,
    doubtful: most === below && mildest(mine, candidate.length) > below,
  };
}

// An incumbent that breaks the guard itself moves the limit to what its rate may be at worst: what they share is not the
// candidate's doing. Two pseudo-failures' worth of items keep a first failure among few from moving it.
function limitBelow(below: number, { items, failed }: Count, runs: number): number {
  const rate = (failed + 1) / (items + 2 / below);
  return rate > below ? Math.min(1, rate * Math.exp(1.5 * spreadOf(failed, runs))) : below;
}

// A rate that the true one is below with a chance of five in six.
function worst({ items, failed }: Count, runs: number): number {
  return (failed + 1) / items * Math.exp(spreadOf(failed, runs));
}

// A rate that the true one is above with a chance of 97 in 100.
function mildest({ items, failed }: Count, runs: number): number {
  return failed / items * Math.exp(-2 * spreadOf(failed, runs));
}

// The standard deviation of a rate's logarithm.
function spreadOf(failed: number, runs: number): number {
  return Math.sqrt(1 / (failed + 1) + DISPERSION / Math.max(1, runs));
}

function isNoWorse(mine: Count, theirs: Count): boolean {
  return theirs.items > 0 && mine.failed * theirs.items <= theirs.failed * mine.items;
}

/**
 * How strongly the counts speak against a rate: the mean likelihood ratio of rates that are higher by the factors. Under the
 * rate it is a martingale, so that Ville's inequality holds (J. Ville, "Étude critique de la notion de collectif",
 * 1939). A slice's count is negative binomial, a Poisson one whose rate has a gamma factor (M. Greenwood and G. U. Yule,
 * 1920): a plain binomial takes one bad slice for a bad candidate.
 */
export function evidenceAgainst(counts: readonly Count[], rate: number): number {
  const shape = 1 / DISPERSION;
  let sum = 0;
  for (const factor of FACTORS) {
    let log = 0;
    for (const { items, failed } of counts) {
      const ratio = Math.log((shape + items * rate) / (shape + items * rate * factor));
      log += shape * ratio + failed * (Math.log(factor) + ratio);
    }
    sum += Math.exp(log);
  }
  return sum / FACTORS.length;
}

function judgeValues(
  guard: GuardEvidence,
  { candidate, incumbent }: NonNullable<GuardEvidence["values"]>,
  chance: number,
): Judged {
  if (candidate.length === 0) return { ...UNKNOWN, kept: guard.awaited !== true };
  const value = median(candidate);
  const limits = limitsOf(guard, incumbent);
  const isOver = (excess: readonly number[]) =>
    isFarAboveZero(excess) || interval(excess, 1 - chance).low > 0;
  return {
    value,
    breached: excesses(candidate, limits).some(isOver),
    kept: value <= limits.most && value >= limits.least,
    doubtful: false,
  };
}

/** What a metric may be. */
export interface Limits {
  /** At most; Infinity for no limit. */
  readonly most: number;
  /** At least; -Infinity for none. */
  readonly least: number;
}

/** A guard's limits where an incumbent had these values: as with counts, one that breaks the guard moves its limit. */
export function limitsOf(
  { below, above }: Pick<GuardEvidence, "below" | "above">,
  incumbent: readonly number[],
): Limits {
  const theirs = incumbent.length === 0 ? undefined : median(incumbent);
  return {
    most: below === undefined ? Infinity : Math.max(below, theirs ?? below),
    least: above === undefined ? -Infinity : Math.min(above, theirs ?? above),
  };
}

/** How far values are beyond each limit that there is: logs, above 0 where they are beyond it. */
export function excesses(
  values: readonly number[],
  { most, least }: Limits,
): readonly (readonly number[])[] {
  return [
    ...most === Infinity ? [] : [logRatios(values, most)],
    ...least === -Infinity ? [] : [logRatios(values, least).map((log) => -log)],
  ];
}

// On a log scale, where their noise has the same size whatever they are; a tenth of the limit lets them be 0.
function logRatios(values: readonly number[], limit: number): number[] {
  const floor = limit > 0 ? limit / 10 : 1;
  return values.map((value) => Math.log((value + floor) / (limit + floor)));
}
