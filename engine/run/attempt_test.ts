import assert from "node:assert/strict";
import type { Clock } from "../core/clock.ts";
import { Masker } from "../core/mask.ts";
import type { StepType } from "../core/step.ts";
import { type AttemptInput, runAttempt } from "./attempt.ts";
import { Cancellation, Stop } from "./cancellation.ts";

const SPAN = {
  span: { traceId: "1".repeat(32), spanId: "2".repeat(16) },
  startTime: 0n,
  resumed: false,
  elapsedMs: 0,
};

const DEAF: StepType = {
  name: "deaf",
  interruption: "retry",
  run: () => new Promise(() => {}),
};

/** A clock whose timers fire when the test says so. */
class HandClock implements Clock {
  readonly timers: { ms: number; fire: () => void }[] = [];
  now = () => 0n;
  monotonic = () => 0;
  after(ms: number, fire: () => void): () => void {
    const timer = { ms, fire };
    this.timers.push(timer);
    return () => void this.timers.splice(this.timers.indexOf(timer) >>> 0, 1);
  }
}

function attempt(timeoutMs?: number) {
  const clock = new HandClock();
  const cancellation = new Cancellation();
  const input: AttemptInput = {
    runId: "r",
    stepId: "s",
    key: "s",
    attempt: 1,
    folder: "/",
    file: "/w.yaml",
    traceState: undefined,
    traceFlags: undefined,
    baggage: undefined,
    context: undefined,
    with: {},
    params: {},
    batch: undefined,
    size: undefined,
    cwd: "/",
    env: {},
    timeoutMs,
  };
  const settled = runAttempt(DEAF, input, SPAN, {
    clock,
    masker: new Masker([]),
    cancellation,
    tempFolder: () => "/",
    removeFile: () => {},
    onLine: () => {},
    runWorkflow: () => Promise.resolve({}),
    sleep: () => Promise.resolve(),
  });
  return { clock, cancellation, settled };
}

Deno.test("a step type that ignores its signal is left behind after a grace, so that the run ends", async () => {
  const { clock, settled } = attempt(50);
  clock.timers[0].fire();
  assert.equal(clock.timers.length, 2); // the grace
  clock.timers[1].fire();
  const { outcome, failure } = await settled;
  assert.equal(outcome, "timed_out");
  assert.equal(failure?.errorClass, "timeout");
});

Deno.test("a second cancel shortens the grace", async () => {
  const { clock, cancellation, settled } = attempt();
  cancellation.cancel(new Stop("cancelled"));
  const gentle = clock.timers[0].ms;
  cancellation.cancel(new Stop("cancelled", true));
  assert.equal(clock.timers.length, 1);
  assert.ok(clock.timers[0].ms < gentle);
  clock.timers[0].fire();
  assert.equal((await settled).outcome, "cancelled");
});
