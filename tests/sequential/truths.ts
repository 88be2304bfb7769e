import { NULL, type Truth } from "./experiment.ts";
import { NOISE, WORST } from "./noise.ts";

const TENTH = { candidate: 40, incumbent: 360 };
const CALM = { ...NOISE, sigma: 0.1 };
const GAUSS = { ...NOISE, outliers: 0 };

// Items fail a batch at a time.
function clusters(batch: number, candidate: number, incumbent = candidate): Truth {
  return { ...NULL, errors: { candidate, incumbent }, batch, wholeBatches: true };
}

// Both arms break the guard, which is known of so many runs of the incumbent.
function over(errors: number, runs: number): Truth {
  return { ...NULL, errors: { candidate: errors, incumbent: errors }, before: { runs, errors } };
}

/** Candidates that are no better and no worse. */
export const NULLS: Readonly<Record<string, Truth>> = {
  "split": NULL,
  "split, normal noise": { ...NULL, noise: GAUSS },
  "split, sigma .10": { ...NULL, noise: CALM },
  "split, a tenth of the items": { ...NULL, items: TENTH, batch: 20 },
  "split, worst noise": { ...NULL, noise: WORST },
  "split, errors at half the guard": { ...NULL, errors: { candidate: 0.01, incumbent: 0.01 } },
  "split, incumbent with few errors": { ...NULL, errors: { candidate: 0.02, incumbent: 0.005 } },
  "split, shared environment": { ...NULL, sharedErrors: true },
  "split, drifting": { ...NULL, common: { trend: 0.01, deviation: 0.2, correlation: 0.9 } },
  "whole runs": { ...NULL, whole: true },
  "whole runs, worst noise": { ...NULL, whole: true, noise: WORST },
  "whole runs, twice the worst noise": {
    ...NULL,
    whole: true,
    noise: { ...WORST, sigma: 0.5 },
  },
  "no guard": { ...NULL, guard: undefined },
  "no guard, whole runs, worst noise": { ...NULL, whole: true, noise: WORST, guard: undefined },
  "both over the guard": over(0.05, 0),
  "both over the guard, known before": over(0.05, 2),
  "both over the guard, known before, few items": {
    ...over(0.05, 2),
    items: { candidate: 40, incumbent: 40 },
    batch: 20,
  },
  "both far over the guard, known before": over(0.1, 2),
  ...Object.fromEntries([5, 10, 20, 50].flatMap((size) => [
    [`whole batches of ${size}, at half the guard`, clusters(size, 0.01)],
    [`whole batches of ${size}, at the guard`, clusters(size, 0.02)],
  ])),
};

const well = { candidate: 0.01, incumbent: 0.01 };
const better = (ratio: number): Truth => ({ ...NULL, ratio, errors: well });
const failing = (candidate: number, size: number, batch: number): Truth => ({
  ...NULL,
  errors: { candidate, incumbent: 0.01 },
  items: { candidate: size, incumbent: size },
  batch,
});

/** Candidates that are better, or worse, or fail. */
export const POWERS: Readonly<Record<string, Truth>> = {
  "10 % better": better(1.1),
  "20 % better": better(1.2),
  "40 % better": better(1.4),
  "80 % better": better(1.8),
  "10 % better, normal noise": { ...better(1.1), noise: GAUSS },
  "20 % better, normal noise": { ...better(1.2), noise: GAUSS },
  "40 % better, normal noise": { ...better(1.4), noise: GAUSS },
  "10 % better, whole runs": { ...better(1.1), whole: true },
  "20 % better, whole runs": { ...better(1.2), whole: true },
  "40 % better, whole runs": { ...better(1.4), whole: true },
  "20 % better, worst noise": { ...better(1.2), noise: WORST },
  "5 % better": better(1.05),
  "20 % worse": better(1 / 1.2),
  "40 % worse": better(1 / 1.4),
  "10 % errors, batches of 20": failing(0.1, 200, 20),
  "10 % errors, batches of 50": failing(0.1, 200, 50),
  "10 % errors, batches of 100": failing(0.1, 200, 100),
  "5 % errors, batches of 50": failing(0.05, 200, 50),
  "50 % errors, batches of 20": failing(0.5, 200, 20),
  "40 % better, 3 % errors": { ...better(1.4), errors: { candidate: 0.03, incumbent: 0.01 } },
  "40 % better, 2.5 % errors": { ...better(1.4), errors: { candidate: 0.025, incumbent: 0.01 } },
  "40 % better, 1.5 % errors": { ...better(1.4), errors: { candidate: 0.015, incumbent: 0.01 } },
  "40 % better, 1.5 % errors in both": {
    ...better(1.4),
    errors: { candidate: 0.015, incumbent: 0.015 },
  },
  "40 % better, 2 % errors in both": {
    ...better(1.4),
    errors: { candidate: 0.02, incumbent: 0.02 },
  },
  "40 % better, 0.2 % errors, 40 items": {
    ...better(1.4),
    errors: { candidate: 0.002, incumbent: 0.002 },
    items: TENTH,
  },
  "10 % errors, incumbent 4 %": {
    ...failing(0.1, 200, 50),
    errors: { candidate: 0.1, incumbent: 0.04 },
  },
  ...Object.fromEntries([5, 10, 20, 50].flatMap((size) =>
    [0.1, 0.5, 1].map((rate) => [
      `${100 * rate} % errors, whole batches of ${size}`,
      clusters(size, rate, 0.005),
    ])
  )),
  "10 % errors, incumbent 10 % before": {
    ...failing(0.1, 200, 50),
    before: { runs: 2, errors: 0.1 },
  },
};
