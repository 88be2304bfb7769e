import assert from "node:assert/strict";
import { seeded } from "../core/seeded_test.ts";
import type { Failure } from "../core/span.ts";
import type { Retry } from "../core/workflow.ts";
import { retryDelay } from "./retry.ts";

const FAILURE: Failure = { code: "shell.exit", message: "x", errorClass: "transient" };
const RETRY: Retry = {
  attempts: 5,
  backoff: "exponential",
  initialMs: 100,
  maxMs: 1_000,
  jitter: "none",
  on: ["transient"],
};
const NEVER = { fill: () => {}, next: () => assert.fail("no randomness without jitter") };

Deno.test("delays grow as the backoff says, up to max (F1)", () => {
  const delays = (backoff: Retry["backoff"]) =>
    [1, 2, 3, 4, 5].map((n) => retryDelay({ ...RETRY, backoff, maxMs: 350 }, n, FAILURE, NEVER));
  assert.deepEqual(delays("constant"), [100, 100, 100, 100, undefined]);
  assert.deepEqual(delays("linear"), [100, 200, 300, 350, undefined]);
  assert.deepEqual(delays("exponential"), [100, 200, 350, 350, undefined]);
});

Deno.test("only classes in `on` are tried again, and nothing without a policy (F1)", () => {
  for (const errorClass of ["transient", "timeout", "error"] as const) {
    const delay = retryDelay(RETRY, 1, { ...FAILURE, errorClass }, NEVER);
    assert.equal(delay !== undefined, errorClass === "transient");
  }
  assert.equal(retryDelay(undefined, 1, FAILURE, NEVER), undefined);
});

Deno.test("jitter stays within its bounds, whatever the policy (F1)", () => {
  const random = seeded("delays");
  for (let i = 0; i < 5_000; i++) {
    const retry: Retry = {
      attempts: 1 + random.below(100),
      backoff: random.pick(["constant", "linear", "exponential"]),
      initialMs: random.next() * 10 ** random.below(8),
      maxMs: random.next() * 10 ** random.below(9),
      jitter: random.pick(["none", "full", "equal"]),
      on: ["transient"],
    };
    const attempt = 1 + random.below(100);
    const delay = retryDelay(retry, attempt, FAILURE, random);
    const plain = retryDelay({ ...retry, jitter: "none" }, attempt, FAILURE, random);
    const what = `${JSON.stringify(retry)} at ${attempt}: ${delay} (seed ${random.seed})`;
    assert.equal(delay === undefined, attempt >= retry.attempts, what);
    if (delay === undefined || plain === undefined) continue;
    const least = { none: plain, full: 0, equal: plain / 2 }[retry.jitter];
    assert.ok(delay >= least && delay <= plain, what);
    assert.ok(plain <= retry.maxMs && Number.isFinite(plain), what);
  }
});
