import assert from "node:assert/strict";
import { Objective, SHAPE, type Shape } from "./objective.ts";
import type { Observation } from "./observation.ts";
import { random } from "./random.ts";

const SPACE = { choices: [0], origin: [0] };

const site = (point: number, hours = 0) => ({ point: [point], hours, epoch: 0 });

function told(point: number, log: number, run: number, hours = 0): Observation {
  return {
    values: {},
    key: String(point),
    point: [point],
    hours,
    epoch: 0,
    run,
    log,
    items: 500,
    failed: 0,
  };
}

function learned(observations: readonly Observation[], rounds = 8): Objective {
  let shape: Shape = SHAPE;
  let objective = Objective.learn(SPACE, observations, shape);
  for (let round = 0; round < rounds; round++) {
    shape = objective.learned.shape;
    objective = Objective.learn(SPACE, observations, shape);
  }
  return objective;
}

Deno.test("a difference within runs is known better than one between runs", () => {
  const gain = (apart: number) => {
    const arms = Array.from(
      { length: 12 },
      (_, run) => [told(0, 1, run), told(1, 0.8, run + apart)],
    ).flat();
    const fitted = new Objective(SPACE, arms, { shape: SHAPE, tails: arms.map(() => 1) });
    return fitted.difference(fitted.at(site(0)), fitted.at(site(1)));
  };
  assert.ok(gain(0).sd < 0.85 * gain(100).sd);
  assert.ok(Math.abs(gain(0).mean - 0.2) < 0.01);
});

Deno.test("one outlier moves the belief little", () => {
  const arms = Array.from(
    { length: 10 },
    (_, run) => told(0, run === 4 ? 1 : 0.02 * (run % 3), run),
  );
  assert.ok(Math.abs(learned(arms).at(site(0)).mean) < 0.06);
});

Deno.test("an abyss far away does not count in full", () => {
  const arms = [0, 1, 2, 3].map((run) => told(0, 0, run));
  const objective = learned([...arms, told(4, 14, 4)]);
  const { mean } = objective.at(site(4));
  assert.ok(mean > 0.4 && mean < 1.3, String(mean));
});

Deno.test("the hour matters where it explains what is seen, and not where nothing needs it", () => {
  const dice = random(5, 0);
  const runs = (swing: number) =>
    Array.from(
      { length: 48 },
      (_, run) =>
        told(run % 2, swing * Math.sin(2 * Math.PI * run / 24) + 0.1 * dice.normal(), run, run),
    );
  assert.equal(learned(runs(0)).learned.shape.hour, 0);
  const daily = learned(runs(0.4));
  assert.ok(daily.learned.shape.hour > 0);
  assert.ok(daily.at(site(0, 6)).mean > daily.at(site(0, 18)).mean + 0.4);
});

Deno.test("what was learned gives the same belief when it is fitted again", () => {
  const arms = [0, 1, 2, 3, 4, 5].map((run) => told(run / 2, Math.sin(run), run));
  const objective = learned(arms);
  const again = new Objective(SPACE, arms, objective.learned);
  assert.deepEqual(again.at(site(1.2)), objective.at(site(1.2)));
});
