import assert from "node:assert/strict";
import type { Tunable, Values } from "../../../plugins/optimizer/tuner.ts";
import { GUARD, type Surface } from "./surface.ts";
import { VISIBLE } from "./visible.ts";

// The stated best, and how much finer than its last digit the formulas must agree with it.
const STATED: Readonly<Record<string, { at: Values; best: number }>> = {
  S1: { at: { b: 110 }, best: 5.147 },
  S2: { at: { b: 132, c: 16 }, best: 0.299 },
  S3: { at: { b: 264, c: 13, codec: "zstd", order: "size" }, best: 0.35 },
  S4: { at: { poll: 928, fetch: 7 }, best: 2075 },
  S6: { at: { b: 113, c: 11 }, best: 0.414 },
};

function mean(surface: Surface, values: Values): number {
  const hours = surface.daily ? Array.from({ length: 24 }, (_, hour) => hour) : [0];
  return hours.reduce((sum, hour) => sum + surface.objective(values, hour), 0) / hours.length;
}

function allowed(surface: Surface, values: Values): boolean {
  return [0, 3, 6, 9, 12].every((hour) =>
    surface.errors(values, surface.daily ? hour : 0) <= GUARD + 1e-12
  );
}

// Every choice, and numbers on a grid that goes around the best one found so far.
function search(surface: Surface): number {
  let best: Values = Object.fromEntries(surface.tunables.map((t) => [t.name, t.default]));
  const score = (values: Values) => allowed(surface, values) ? mean(surface, values) : Infinity;
  const options = (tunable: Tunable, from: number | string, width: number) => {
    if (tunable.kind === "choice") return tunable.choices!;
    const found = new Set<number>();
    for (let i = -8; i <= 8; i++) {
      const value = tunable.scale === "log"
        ? Math.round((from as number) * Math.exp(width * i / 8))
        : (from as number) + i;
      found.add(Math.max(tunable.min!, Math.min(tunable.max!, value)));
    }
    return [...found];
  };
  for (const width of [3, 2, 1, 0.5, 0.5, 0.2, 0.1, 0.05, 0.02]) {
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < surface.tunables.length; i++) {
        for (let j = i; j < surface.tunables.length; j++) {
          const [a, b] = [surface.tunables[i], surface.tunables[j]];
          for (const x of options(a, best[a.name], width)) {
            for (const y of options(b, best[b.name], width)) {
              const values = { ...best, [b.name]: y, [a.name]: x };
              if (score(values) < score(best)) best = values;
            }
          }
        }
      }
    }
  }
  return score(best);
}

for (const surface of VISIBLE) {
  if (surface.name === "S7") continue;
  Deno.test(`${surface.name} has the optimum that it is said to have`, () => {
    const stated = STATED[surface.name];
    if (stated !== undefined) {
      assert.ok(allowed(surface, stated.at));
      assert.ok(Math.abs(mean(surface, stated.at) / stated.best - 1) < 0.004);
    }
    const found = search(surface);
    assert.ok(Math.abs(found / surface.best(0) - 1) < 0.006, `${found} is not ${surface.best(0)}`);
  });
}

Deno.test("S7 is S1 until its step, and has its own optimum after it", () => {
  const step = VISIBLE.find(({ name }) => name === "S7")!;
  assert.ok(Math.abs(step.objective({ b: 110 }, 59) / step.best(59) - 1) < 0.001);
  const after = Array.from({ length: 512 }, (_, i) => ({ b: i + 1 }))
    .filter((values) => step.errors(values, 60) <= GUARD)
    .map((values) => step.objective(values, 60));
  assert.ok(Math.abs(Math.min(...after) / step.best(60) - 1) < 0.001);
});
