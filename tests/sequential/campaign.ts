import { RULES, type Rules } from "../../engine/parameters/verdict.ts";
import { experiment, type Truth } from "./experiment.ts";

/** What many experiments with the same truth came to. */
export interface Rates {
  /** How many there were. */
  readonly experiments: number;
  /** The share that was called improved. */
  readonly improved: number;
  /** The share that was rolled back as regressed: by the interval, a harm or a guard. */
  readonly regressed: number;
  /** The share that a guard ended. */
  readonly guard: number;
  /** The share that was not worth going on with. */
  readonly futile: number;
  /** The share whose budget was used up. */
  readonly budget: number;
  /** The share of verdicts whose interval covers the true ratio. */
  readonly covered: number;
  /** The median number of pairs until a verdict. */
  readonly pairs: number;
  /** The median number of pairs until `improved` over all experiments; infinite when fewer than half came to it. */
  readonly pairsToImproved: number;
  /** The median number of the candidate's items until a guard ended it; infinite likewise. */
  readonly itemsToGuard: number;
}

/** Runs experiments with the same truth and counts what came of them. */
export function campaign(
  truth: Truth,
  experiments: number,
  seed: number,
  rules: Rules = RULES,
): Rates {
  const outcomes = Array.from(
    { length: experiments },
    (_, index) => experiment(truth, seed, index, rules),
  );
  const share = (is: (outcome: typeof outcomes[number]) => boolean) =>
    outcomes.filter(is).length / experiments;
  const middle = (values: readonly number[]) =>
    values.toSorted((a, b) => a - b)[(experiments - 1) >> 1];
  return {
    experiments,
    improved: share(({ verdict }) => verdict.outcome === "improved"),
    regressed: share(({ verdict }) => verdict.outcome === "regressed"),
    guard: share(({ verdict: { ended, outcome } }) => ended === "guard" && outcome === "regressed"),
    futile: share(({ verdict }) => verdict.ended === "futile"),
    budget: share(({ verdict }) => verdict.ended === "budget"),
    covered: share(({ verdict: { effect } }) =>
      effect === undefined || effect.low <= truth.ratio && truth.ratio <= effect.high
    ),
    pairs: middle(outcomes.map(({ verdict }) => verdict.pairs)),
    pairsToImproved: middle(
      outcomes.map(({ verdict }) => verdict.outcome === "improved" ? verdict.pairs : Infinity),
    ),
    itemsToGuard: middle(
      outcomes.map(({ verdict, items }) => verdict.ended === "guard" ? items : Infinity),
    ),
  };
}
