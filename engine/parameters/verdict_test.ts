import assert from "node:assert/strict";
import { type GuardEvidence, judge, RULES, type Rules, withdrawn } from "./verdict.ts";

const BETTER = [0.6, 0.55, 0.7, 0.5, 0.62];
const SAME = [0.02, -0.03, 0.01, -0.04, 0.02, -0.02, 0.03, -0.03, 0, -0.01, 0.02, -0.02];

function errors(items: number, failed: number): GuardEvidence {
  return {
    metric: "error_rate",
    of: "load",
    below: 0.02,
    counts: { candidate: [{ items, failed }], incumbent: [{ items: 3000, failed: 6 }] },
  };
}

function endOf(pairs: readonly number[], guards: readonly GuardEvidence[] = [], rules?: Rules) {
  const verdict = judge({ pairs, guards }, rules);
  return verdict && [verdict.outcome, verdict.action, verdict.ended];
}

Deno.test("a candidate that is clearly better is kept, with an interval on what was applied (P4)", () => {
  const verdict = judge({ pairs: BETTER, guards: [errors(1000, 1)] });
  assert.ok(verdict?.effect !== undefined);
  const { ratio, low, high } = verdict.effect;
  assert.ok(1 < low && low < ratio && ratio < high);
  assert.ok(Math.abs(Math.log(ratio) - 0.594) < 0.001);
  assert.deepEqual({ ...verdict, effect: undefined }, {
    outcome: "improved",
    action: "kept",
    ended: "interval",
    effect: undefined,
    confidence: 0.95,
    pairs: 5,
    guards: [{ metric: "error_rate", of: "load", value: 0.001, breached: false }],
  });
});

Deno.test("a candidate that is clearly worse is rolled back", () => {
  assert.deepEqual(endOf(BETTER.map((log) => -log)), ["regressed", "rolled_back", "interval"]);
});

Deno.test("one or two pairs are no verdict, unless they are a harm", () => {
  assert.equal(endOf([]), undefined);
  assert.equal(endOf([5]), undefined);
  assert.equal(endOf([5, 5]), undefined);
  assert.equal(endOf([-0.5]), undefined);
  assert.deepEqual(endOf([-2.5]), ["regressed", "rolled_back", "harm"]);
  assert.deepEqual(endOf([-1.2, -1.1]), ["regressed", "rolled_back", "harm"]);
});

Deno.test("a guard comes first: however much better a candidate is, a breach takes it back", () => {
  const verdict = judge({ pairs: BETTER, guards: [errors(100, 20)] });
  assert.deepEqual([verdict?.outcome, verdict?.action, verdict?.ended], [
    "regressed",
    "rolled_back",
    "guard",
  ]);
  assert.equal(verdict?.guards[0].breached, true);
  assert.deepEqual(endOf([], [errors(100, 20)]), ["regressed", "rolled_back", "guard"]);
});

Deno.test("a better candidate waits for its guards, and goes when its budget ends first", () => {
  const doubtful = errors(100, 2);
  assert.equal(endOf(BETTER, [doubtful]), undefined);
  assert.deepEqual(endOf(BETTER, [doubtful], { ...RULES, mostPairs: 5 }), [
    "inconclusive",
    "rolled_back",
    "budget",
  ]);
  assert.deepEqual(endOf(BETTER, [doubtful, errors(100, 20)])?.[2], "guard", "any of them");
});

Deno.test("what cannot come to a gain worth having ends early; what may still does not", () => {
  assert.equal(endOf(SAME.slice(0, 5)), undefined);
  assert.deepEqual(endOf(SAME), ["inconclusive", "rolled_back", "futile"]);
  const little = SAME.map((log) => 6 * log + 0.05);
  assert.equal(endOf(little), undefined, "it may be a tenth better");
});

Deno.test("a certain gain is kept though it is small; an interval that ends below what it is worth is futile", () => {
  const calm = (log: number) => Array.from({ length: 55 }, (_, i) => log + (i % 2 ? 1e-3 : -1e-3));
  assert.deepEqual(endOf(calm(0.03)), ["improved", "kept", "interval"]);
  const late = { ...RULES, mostPairs: 1000 };
  assert.deepEqual(endOf(calm(0.005), [], late), ["inconclusive", "rolled_back", "futile"]);
});

Deno.test("an experiment ends with its budget", () => {
  const slow = Array.from({ length: RULES.mostPairs }, (_, i) => 0.078 + (i % 2 ? 0.2 : -0.2));
  assert.equal(endOf(slow.slice(0, -1)), undefined);
  assert.deepEqual(endOf(slow), ["inconclusive", "rolled_back", "budget"]);
});

Deno.test("what somebody ended says what was known by then", () => {
  const { outcome, ended, effect, pairs } = withdrawn({ pairs: [0.2, 0.1, 0.3], guards: [] });
  assert.deepEqual([outcome, ended, pairs], ["inconclusive", "withdrawn", 3]);
  assert.ok(effect !== undefined && effect.low < 1 && effect.high > 1);
  const nothing = withdrawn({ pairs: [], guards: [errors(10, 0)] });
  assert.equal("effect" in nothing, false);
  assert.equal(nothing.guards.length, 1);
});

Deno.test("a verdict is the same after JSON, also when its interval has no ends", () => {
  for (const evidence of [{ pairs: [-3], guards: [] }, { pairs: BETTER, guards: [errors(9, 0)] }]) {
    const verdict = judge(evidence);
    assert.deepEqual(JSON.parse(JSON.stringify(verdict)), verdict);
  }
});
