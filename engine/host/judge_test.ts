import assert from "node:assert/strict";
import { seeded } from "../core/seeded_test.ts";
import type { Grant } from "../core/plugin_use.ts";
import { effectiveGrant } from "./grant.ts";
import {
  DEEPEST_REACTION,
  emittedSpanId,
  emittedTraceId,
  Judge,
  type Judged,
  type Occasion,
} from "./judge.ts";
import { MOST_ACTIONS } from "./protocol.ts";
import { bucketText } from "./record.ts";

const ALL = ["emit", "propose", "command"];
const EMIT = { type: "emit", name: "x" };
const PROPOSE = { type: "propose", changes: { batch: 1 }, reason: "r" };
const COMMAND = { type: "command", name: "lean.define" };
const MINUTE = 60_000_000_000n;

function judge(grant: Partial<Grant> = {}, declared = ALL) {
  const own = effectiveGrant({ grant }, true, { actions: ALL });
  return new Judge({ id: "p@test", workflow: "test", declared, grant: own });
}

function at(time: bigint, more: Partial<Occasion> = {}): Occasion {
  return { key: "7", at: time, depth: 0, workflow: "test", ...more };
}

const whys = (judged: readonly Judged[]) => judged.map(({ refused }) => refused?.why);

Deno.test("each action has an id of its plugin, event and index (T3)", () => {
  const judged = judge().judge(at(0n), [EMIT, null, PROPOSE]);
  assert.deepEqual(judged.map(({ id }) => id), ["p@test/7/0", "p@test/7/1", "p@test/7/2"]);
  assert.deepEqual(whys(judged), [undefined, "invalid", undefined]);
});

Deno.test("only the engine's own plugin ends experiments and begins them", () => {
  const own = [{ type: "conclude", experiment: "e" }, { type: "begin" }];
  assert.deepEqual(whys(judge({}, [...ALL, "conclude", "begin"]).judge(at(0n), own)), [
    "invalid",
    "invalid",
  ]);
  const grant = effectiveGrant({}, true, { actions: ["emit"] });
  const engine = new Judge({
    id: "p@test",
    workflow: "test",
    declared: ["emit"],
    grant,
    engine: true,
  });
  assert.deepEqual(whys(engine.judge(at(0n), [...own, PROPOSE])), [
    undefined,
    undefined,
    "undeclared",
  ]);
});

Deno.test("what is not listed, or not granted, is refused", () => {
  assert.deepEqual(whys(judge({}, ["emit"]).judge(at(0n), [EMIT, PROPOSE, COMMAND])), [
    undefined,
    "undeclared",
    "undeclared",
  ]);
  const narrow = judge({ actions: ["emit"], command: ["lean.*"], propose: [] });
  assert.deepEqual(
    whys(narrow.judge(at(0n), [EMIT, PROPOSE, COMMAND, { type: "command", name: "rm" }])),
    [undefined, "grant", undefined, "grant"],
  );
});

Deno.test("a plugin proposes for the workflow that uses it, or for any if all do", () => {
  const other = { ...PROPOSE, workflow: "other" };
  assert.deepEqual(whys(judge().judge(at(0n, { workflow: "other" }), [PROPOSE])), ["grant"]);
  const reaching = judge({ workflows: ["oth*"] });
  assert.deepEqual(whys(reaching.judge(at(0n, { workflow: "other" }), [PROPOSE])), [undefined]);
  assert.deepEqual(whys(judge().judge(at(0n), [other, { ...PROPOSE, workflow: "test" }])), [
    "grant",
    undefined,
  ]);
  const all = new Judge({
    id: "p",
    declared: ALL,
    grant: effectiveGrant({}, true, { actions: ALL }),
  });
  assert.deepEqual(whys(all.judge(at(0n), [other])), [undefined]);
  assert.deepEqual(whys(all.judge(at(0n, { workflow: undefined }), [PROPOSE])), ["invalid"]);
});

Deno.test("a chain of emits and commands ends; proposals are no part of it (H2, I3)", () => {
  const depth = DEEPEST_REACTION;
  assert.deepEqual(whys(judge().judge(at(0n, { depth: depth - 1 }), [EMIT, COMMAND])), [
    undefined,
    undefined,
  ]);
  assert.deepEqual(whys(judge().judge(at(0n, { depth }), [EMIT, COMMAND, PROPOSE])), [
    "depth",
    "depth",
    undefined,
  ]);
});

Deno.test("of more actions than one event may have the rest is one refusal that counts them", () => {
  const judged = judge({ rate: 100_000 }).judge(at(0n), Array(MOST_ACTIONS + 5).fill(EMIT));
  assert.equal(judged.length, MOST_ACTIONS + 1);
  assert.equal(judged[MOST_ACTIONS].refused?.why, "size");
  assert.match(judged[MOST_ACTIONS].refused!.message, /^5 actions beyond/);
  assert.deepEqual(new Set(whys(judged.slice(0, -1))), new Set([undefined]));
});

Deno.test("the rate goes by the events' time, and what is refused costs nothing (T4)", () => {
  const one = judge({ rate: 6 });
  assert.deepEqual(whys(one.judge(at(MINUTE), [...Array(6).fill(EMIT), EMIT, null])), [
    ...Array(6).fill(undefined),
    "rate",
    "invalid",
  ]);
  // A tenth of a minute is less than a token; a sixth is one.
  assert.deepEqual(whys(one.judge(at(MINUTE + MINUTE / 10n), [EMIT])), ["rate"]);
  assert.deepEqual(whys(one.judge(at(MINUTE + MINUTE / 5n), [EMIT, EMIT])), [undefined, "rate"]);
  // Earlier events of another process bring no time back.
  assert.deepEqual(whys(one.judge(at(0n), [EMIT])), ["rate"]);
  assert.deepEqual(whys(one.judge(at(100n * MINUTE), Array(7).fill(EMIT))), [
    ...Array(6).fill(undefined),
    "rate",
  ]);
});

Deno.test("whoever goes on with a judge's bucket judges as it would have (T3)", () => {
  const random = seeded("judge");
  console.log(`seed ${random.seed}`);
  for (let round = 0; round < 50; round++) {
    const rate = 1 + random.below(20);
    const occasions = Array.from({ length: 40 }, (_, key): [Occasion, unknown[]] => [
      at(BigInt(random.below(300)) * 1_000_000_007n, { key: String(key) }),
      Array(random.below(5)).fill(EMIT),
    ]);
    const whole = judge({ rate });
    const expected = occasions.map(([occasion, actions]) => whole.judge(occasion, actions));
    let one = judge({ rate });
    const found = occasions.map(([occasion, actions]) => {
      if (random.below(3) === 0) {
        const { bucket } = one;
        one = judge({ rate });
        one.bucket = bucket;
        assert.equal(bucketText(one.bucket), bucketText(bucket));
      }
      return one.judge(occasion, actions);
    });
    assert.deepEqual(found, expected);
  }
  const narrowed = judge({ rate: 2 });
  narrowed.bucket = { tokens: 100, filled: 0n };
  assert.deepEqual(whys(narrowed.judge(at(0n), [EMIT, EMIT, EMIT])), [
    undefined,
    undefined,
    "rate",
  ]);
});

Deno.test("derived ids have OpenTelemetry's form, and are the same again (T3)", () => {
  assert.match(emittedSpanId("p/1/0"), /^[0-9a-f]{16}$/);
  assert.match(emittedTraceId("p/1/0"), /^[0-9a-f]{32}$/);
  assert.equal(emittedSpanId("p/1/0"), emittedSpanId("p/1/0"));
  assert.notEqual(emittedSpanId("p/1/0"), emittedSpanId("p/1/1"));
});
