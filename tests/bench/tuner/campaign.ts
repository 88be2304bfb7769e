/** One tuner on one surface with one seed: what it ran, and how far its recommendations were from the best. */
import { createTuner, type Outcome, Tuner, type Values } from "../../../plugins/optimizer/tuner.ts";
import { type Random, random } from "../../../plugins/optimizer/random.ts";
import { GUARD, type Surface } from "./surface.ts";

/** After how many runs the recommendation is judged. */
export const CHECKPOINTS: readonly number[] = [10, 25, 50];

/** What one campaign came to. */
export interface Campaign {
  /** Regret of the recommendation at each checkpoint, a share of the best; infinite when it breaks the guard. */
  readonly regrets: readonly number[];
  /** Regret after the last run. */
  readonly last: number;
  /** Whether the last recommendation breaks the guard at some hour. */
  readonly infeasible: boolean;
  /** Items that ran at a true error rate over the guard. */
  readonly harmed: number;
  /** All items. */
  readonly items: number;
  /** Runs whose true objective was over 1.25 times that of the defaults. */
  readonly slow: number;
  /** All runs. */
  readonly runs: number;
}

/** What a campaign shows of each run, for those who look into it. */
export type Watch = (run: number, line: string, tuner: Tuner) => void;

/** Drives a tuner for some runs, one hour each. */
export function campaign(surface: Surface, seed: number, runs: number, watch?: Watch): Campaign {
  const dice = random(seed, 7919);
  const defaults: Values = Object.fromEntries(surface.tunables.map((t) => [t.name, t.default]));
  let tuner = createTuner({ tunables: surface.tunables, guard: { below: GUARD }, seed });
  const regrets: number[] = [];
  let harmed = 0;
  let items = 0;
  let slow = 0;
  for (let run = 0; run < runs; run++) {
    const hours = run;
    const { id, values, incumbent, exposure, purpose, reason } = tuner.ask({ hours });
    const tried = exposure >= 1
      ? surface.items
      : Math.max(1, Math.min(surface.items - 1, Math.round(exposure * surface.items)));
    const parts = [{ values, items: tried }, { values: incumbent, items: surface.items - tried }]
      .filter((part) => part.items > 0);
    const arms = observe(surface, parts, hours, dice);
    let truth = 0;
    for (const part of parts) {
      items += part.items;
      if (surface.errors(part.values, hours) > GUARD) harmed += part.items;
      truth += part.items / surface.items * surface.objective(part.values, hours);
    }
    const slower = truth > 1.25 * surface.objective(defaults, hours);
    if (slower) slow++;
    tuner.tell({ suggestion: id, hours, arms });
    // Once in the middle it is put away and taken up again: that must change nothing.
    if (run === 20) tuner = Tuner.fromJSON(JSON.parse(JSON.stringify(tuner)));
    const rec = judge(surface, tuner, hours);
    if (watch !== undefined) {
      const e = surface.errors(values, hours);
      watch(
        run,
        `${slower ? "SLOW " : ""}${purpose} f=${exposure.toFixed(3)} E=${e.toFixed(4)}${
          e > GUARD ? "!" : ""
        } J/J*=${(surface.objective(values, hours) / surface.best(hours)).toFixed(2)} ${
          JSON.stringify(values)
        } | rec ${(100 * rec.regret).toFixed(0)}% ${
          rec.infeasible ? "INFEASIBLE" : ""
        } | ${reason}`,
        tuner,
      );
    }
    if (CHECKPOINTS.includes(run + 1)) regrets.push(rec.infeasible ? Infinity : rec.regret);
  }
  const end = judge(surface, tuner, runs - 1);
  return { regrets, last: end.regret, infeasible: end.infeasible, harmed, items, slow, runs };
}

function judge(
  surface: Surface,
  tuner: Tuner,
  now: number,
): { regret: number; infeasible: boolean } {
  const hours = surface.daily ? Array.from({ length: 24 }, (_, h) => now + 1 + h) : [now];
  const found = hours.map((hour) => {
    const values = tuner.recommend({ hours: hour });
    return { objective: surface.objective(values, hour), errors: surface.errors(values, hour) };
  });
  const mean = found.reduce((sum, { objective }) => sum + objective, 0) / found.length;
  return {
    regret: mean / surface.best(now) - 1,
    infeasible: found.some(({ errors }) => errors > GUARD),
  };
}

// Both arms of a run share one error; each adds its own.
function observe(
  surface: Surface,
  parts: readonly { values: Values; items: number }[],
  hours: number,
  dice: Random,
): Outcome["arms"] {
  const { sigma, outliers, tail, scale, dispersion } = surface.noise;
  const split = parts.length > 1;
  const shared = split ? Math.sqrt(0.5) * sigma * dice.normal() : 0;
  return parts.map(({ values, items }) => {
    const own = split ? Math.sqrt(sigma * sigma / 2 + 0.5 / items) : sigma;
    let objective = surface.objective(values, hours) * Math.exp(shared + own * dice.normal());
    if (dice.next() < outliers) {
      objective *= 1 + scale * (1 - dice.next()) ** (-1 / tail);
    }
    const rate = surface.errors(values, hours) * gamma(1 / dispersion, dice) * dispersion;
    return { values, objective, items, failed: binomial(items, Math.min(0.95, rate), dice) };
  });
}

// G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", 2000; for shapes from 1.
function gamma(shape: number, dice: Random): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = dice.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - dice.next()) < x * x / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}

function binomial(items: number, rate: number, dice: Random): number {
  let count = 0;
  for (let i = 0; i < items; i++) if (dice.next() < rate) count++;
  return count;
}
