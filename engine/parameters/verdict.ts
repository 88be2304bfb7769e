import type { Verdict } from "../core/proposal.ts";
import { type GuardEvidence, type GuardFinding, judgeGuard } from "./guards.ts";
import { type Estimate, halfWidth, interval, isFarAboveZero } from "./sequential.ts";

export type { Count } from "./count.ts";
export type { GuardEvidence } from "./guards.ts";
export { type Change, type ObjectiveText, verdictSentence } from "./verdict_sentence.ts";

/** What an experiment has brought to light so far. */
export interface Evidence {
  /** Log ratios of the arms of each pair, in order, all finite; above 0 the candidate was better. */
  readonly pairs: readonly number[];
  /** What is known of the workflow's guards. */
  readonly guards: readonly GuardEvidence[];
}

/** When an experiment ends. */
export interface Rules {
  /** The coverage of the interval at every look, in (0, 1). */
  readonly confidence: number;
  /** So many pairs are its budget. */
  readonly mostPairs: number;
  /** How many times better the candidate must be to be worth having; above 1. */
  readonly worth: number;
}

/** The rules that hold where nothing else is said. */
export const RULES: Rules = { confidence: 0.95, mostPairs: 60, worth: 1.05 };

// Ends of an interval that are further away than this factor are not told: JSON knows no infinity.
const FURTHEST = 1000;

// Before so many pairs nothing is futile, and then only what it would take so many deviations of luck to save.
const FUTILE = { pairs: 6, deviations: 2 };

/** The verdict that the evidence allows; undefined: go on. The guards come first. */
export function judge(evidence: Evidence, rules: Rules = RULES): Verdict | undefined {
  const { pairs } = evidence;
  const guards = findings(evidence, rules);
  const estimate = interval(pairs, rules.confidence);
  const verdict = (outcome: Verdict["outcome"], ended: Verdict["ended"]) =>
    stated(outcome, ended, estimate, pairs.length, guards, rules);
  if (guards.some((guard) => guard.breached)) return verdict("regressed", "guard");
  if (estimate.high < 0) return verdict("regressed", "interval");
  if (isFarAboveZero(pairs.map((log) => -log))) return verdict("regressed", "harm");
  if (estimate.low > 0 && guards.every((guard) => guard.kept)) {
    return verdict("improved", "interval");
  }
  // Nothing that it may gain would let it be kept, and the more of it there is the more fails.
  if (pairs.length >= FUTILE.pairs && guards.some((guard) => guard.doubtful)) {
    return verdict("inconclusive", "guard");
  }
  if (pairs.length >= rules.mostPairs) return verdict("inconclusive", "budget");
  return isFutile(estimate, pairs.length, rules) ? verdict("inconclusive", "futile") : undefined;
}

/** The verdict on an experiment whose values somebody changed meanwhile: what is known by then. */
export function withdrawn(evidence: Evidence, rules: Rules = RULES): Verdict {
  const estimate = interval(evidence.pairs, rules.confidence);
  const { length } = evidence.pairs;
  return stated("inconclusive", "withdrawn", estimate, length, findings(evidence, rules), rules);
}

// The guards share the chance of a false alarm.
function findings({ guards }: Evidence, { confidence }: Rules): GuardFinding[] {
  return guards.map((guard) => judgeGuard(guard, (1 - confidence) / guards.length));
}

function stated(
  outcome: Verdict["outcome"],
  ended: Verdict["ended"],
  { centre, low, high }: Estimate,
  pairs: number,
  guards: readonly GuardFinding[],
  { confidence }: Rules,
): Verdict {
  const told = (log: number) => Math.min(FURTHEST, Math.max(1 / FURTHEST, Math.exp(log)));
  return {
    outcome,
    action: outcome === "improved" ? "kept" : "rolled_back",
    ended,
    ...(pairs === 0 ? {} : { effect: { ratio: told(centre), low: told(low), high: told(high) } }),
    confidence,
    pairs,
    guards: guards.map(({ kept: _kept, doubtful: _doubtful, ...guard }) => guard),
  };
}

// Whether it is worth too little for certain, or by the end of the budget will hardly be worth having and told from none.
function isFutile({ centre, high, deviation }: Estimate, n: number, rules: Rules): boolean {
  const worth = Math.log(rules.worth);
  if (high < worth) return true;
  if (n < FUTILE.pairs) return false;
  const luck = FUTILE.deviations * deviation * Math.sqrt(1 / n - 1 / rules.mostPairs);
  return centre + luck < Math.max(worth, halfWidth(rules.mostPairs, deviation, rules.confidence));
}
