import { interval } from "../../engine/parameters/sequential.ts";
import { RULES } from "../../engine/parameters/verdict.ts";
import { random } from "../../plugins/optimizer/random.ts";
import { logRatio, type Truth } from "./experiment.ts";

/** The share of experiments in which the interval misses the true ratio at any of its looks, though none ends early. */
export function missed(truth: Truth, experiments: number, seed: number): number {
  const { mostPairs, confidence } = RULES;
  let misses = 0;
  for (let index = 0; index < experiments; index++) {
    const chance = random(seed, index);
    const pairs: number[] = [];
    while (pairs.length < mostPairs) {
      pairs.push(logRatio(truth, chance));
      const { low, high } = interval(pairs, confidence);
      if (low <= Math.log(truth.ratio) && Math.log(truth.ratio) <= high) continue;
      misses += 1;
      break;
    }
  }
  return misses / experiments;
}
