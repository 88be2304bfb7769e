import assert from "node:assert/strict";
import type { Engine } from "../../engine/engine.ts";

/** What a run must have left in its store. */
export interface Expected {
  /** How many steps it has. */
  readonly steps: number;
  /** How many attempts those made, all together. */
  readonly attempts: number;
  /** In for_each: how many items they processed. */
  readonly items?: number;
}

/**
 * Holds a run that was measured to what the ordinary path leaves behind: `history` reads every step and
 * attempt from the journal, each ended once and well, and `resume` says that there is nothing to go on with.
 */
export async function assertEndedRun(
  engine: Engine,
  runId: string,
  expected: Expected,
): Promise<void> {
  const { summary, report, steps } = await engine.history(runId);
  assert.equal(summary.status, "succeeded");
  assert.equal(report.status, "succeeded");
  assert.equal(steps.length, expected.steps, "steps in the journal");
  const attempts = steps.flatMap((step) => step.attempts);
  assert.equal(attempts.length, expected.attempts, "attempts in the journal");
  assert.equal(new Set(attempts.map(({ span }) => span.spanId)).size, expected.attempts);
  assert.ok(attempts.every(({ outcome, endTime }) => outcome === "succeeded" && endTime));
  assert.ok(steps.every((step) => step.report.status === "succeeded"));
  if (expected.items !== undefined) assert.equal(steps[0].report.items, expected.items);
  await assert.rejects(engine.resume(runId), { code: "run.ended" });
}
