import assert from "node:assert/strict";
import type { Arm, LedgerEntry } from "../core/proposal.ts";
import type { AttemptHistory } from "../core/report.ts";
import { armAttributes } from "../telemetry/attributes.ts";
import { experimentsOf, trialsOf } from "./trial_history.ts";

type Attempt = AttemptHistory & { readonly stepId: string };

const CHANGE = { number: 3, decision: { values: { size: 8 } } } as unknown as LedgerEntry;
const CHANGES = new Map([["x", CHANGE]]);

function attempt(from: number, to: number, arm?: Arm, slice?: readonly [number, number]): Attempt {
  return {
    stepId: "load",
    key: `load[${from},${to})`,
    attempt: 1,
    range: { from, to },
    span: {
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      name: "load",
      kind: "internal",
      startTime: 0n,
      attributes: {
        "spanloop.parameter.size": arm === "candidate" ? 8 : 2,
        "spanloop.parameter.other": 1,
        ...arm === undefined ? {} : armAttributes({
          experiment: "x",
          arm,
          pair: 0,
          ...slice && { slice: { from: slice[0], to: slice[1] } },
        }),
      },
    },
  };
}

Deno.test("each arm's share of a step is its items, each once, and its slices (A6, S5)", () => {
  const attempts = [
    attempt(0, 2),
    attempt(2, 4, "incumbent", [2, 6]),
    attempt(4, 6, "incumbent", [2, 6]),
    attempt(6, 14, "candidate", [6, 14]),
    { ...attempt(6, 14, "candidate", [6, 14]), attempt: 2 },
    attempt(14, 22, "candidate", [14, 22]),
    attempt(22, 24),
  ];
  const summary = { trial: { experiment: "x", index: 0 }, params: { size: 2 } };
  assert.deepEqual(experimentsOf(summary, attempts), ["x"]);
  assert.deepEqual(trialsOf(summary, attempts, CHANGES), [{
    experiment: "x",
    change: CHANGE,
    arms: [
      { arm: "incumbent", step: "load", values: { size: 2 }, items: 4, of: 24, slices: 1 },
      { arm: "candidate", step: "load", values: { size: 8 }, items: 16, of: 24, slices: 2 },
    ],
  }]);
});

Deno.test("an arm that rules a whole step has no slices", () => {
  const [{ arms }] = trialsOf(
    { trial: { experiment: "x", index: 0 }, params: {} },
    [attempt(0, 3, "candidate")],
    CHANGES,
  );
  assert.deepEqual(arms, [
    { arm: "candidate", step: "load", values: { size: 8 }, items: 3, of: 3 },
  ]);
});

Deno.test("an arm of a whole run rules all of it, or what was begun before the trial's end", () => {
  const trial = { experiment: "x", index: 4, arm: "candidate", pair: 1 } as const;
  const summary = { trial, params: { size: 8, other: 1 } };
  const whole = [attempt(0, 8, "candidate"), attempt(8, 16, "candidate")];
  const arm = { arm: "candidate", values: { size: 8 } };
  assert.deepEqual(trialsOf(summary, whole, CHANGES)[0].arms, [arm]);
  assert.deepEqual(
    trialsOf(summary, [...whole, attempt(16, 18)], CHANGES)[0].arms,
    [{ ...arm, partly: true }],
  );
});

Deno.test("a run without a part in an experiment has no trial; one whose work has not begun no arms", () => {
  assert.deepEqual(experimentsOf({}, [attempt(0, 2)]), []);
  const summary = { trial: { experiment: "x", index: 0 }, params: {} };
  assert.deepEqual(trialsOf(summary, [], new Map([["x", undefined]])), [
    { experiment: "x", arms: [] },
  ]);
});
