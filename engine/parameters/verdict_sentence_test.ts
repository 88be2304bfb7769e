import assert from "node:assert/strict";
import type { Verdict } from "../core/proposal.ts";
import { verdictSentence } from "./verdict.ts";

const CHANGES = [{ name: "batch_size", from: 160, to: 640 }];
const PER_ITEM = { direction: "minimize", of: "load", expression: "duration / items" } as const;
const KEPT: Verdict = {
  outcome: "improved",
  action: "kept",
  ended: "interval",
  effect: { ratio: 1.79, low: 1.61, high: 1.98 },
  confidence: 0.95,
  pairs: 14,
  guards: [{ metric: "error_rate", of: "load", value: 0.0011, breached: false }],
};
const BACK: Verdict = { ...KEPT, outcome: "regressed", action: "rolled_back" };

Deno.test("a verdict is told in one sentence", () => {
  assert.equal(
    verdictSentence(CHANGES, KEPT, PER_ITEM),
    "batch_size 160 \u2192 640: 1.8x faster per item (95 % 1.6 to 2.0, 14 pairs), errors 0.11 %, kept",
  );
});

Deno.test("what is worse is so many times slower, its interval turned the same way", () => {
  const effect = { ratio: 0.5, low: 0.4, high: 0.8 };
  assert.equal(
    verdictSentence(CHANGES, { ...BACK, effect, guards: [] }, PER_ITEM),
    "batch_size 160 \u2192 640: 2.0x slower per item (95 % 1.3 to 2.5, 14 pairs), rolled back",
  );
});

Deno.test("an end that is not 1 never looks like it", () => {
  const effect = { ratio: 1.31, low: 1.04, high: 1.6 };
  assert.match(verdictSentence(CHANGES, { ...KEPT, effect }, PER_ITEM), /1\.31x .* 1\.04 to 1\.60/);
  const close = { ratio: 1.02, low: 1.0004, high: 1.04 };
  assert.match(verdictSentence(CHANGES, { ...KEPT, effect: close }, PER_ITEM), /1\.000 to 1\.040/);
});

Deno.test("other objectives are named as the file says them", () => {
  const told = (direction: "minimize" | "maximize", expression: string) =>
    verdictSentence(CHANGES, { ...KEPT, guards: [] }, { direction, of: "load", expression });
  assert.match(told("minimize", "duration/items"), /1\.8x faster per item \(/);
  assert.match(told("maximize", "items / duration"), /1\.8x faster per item \(/);
  assert.match(told("minimize", "duration"), /1\.8x faster \(/);
  assert.match(told("minimize", "failed / items"), /1\.8x better by failed \/ items \(/);
  assert.match(told("maximize", "duration"), /1\.8x better by duration \(/);
});

Deno.test("a guard is told with its step, where it is another, and that it was broken", () => {
  const guards = [
    { metric: "error_rate", of: "load", value: 0.098, breached: true },
    { metric: "queue_time", of: "fetch", value: 12.34, breached: false },
    { metric: "attempts", of: "load", breached: false },
  ];
  assert.equal(
    verdictSentence(CHANGES, { ...BACK, ended: "guard", guards }, PER_ITEM),
    "batch_size 160 \u2192 640: 1.8x faster per item (95 % 1.6 to 2.0, 14 pairs), " +
      "errors 9.8 %, which breaks the guard, queue_time of fetch 12 s, rolled back",
  );
});

Deno.test("each end is told, and an interval without ends is not", () => {
  const told = (verdict: Partial<Verdict>) =>
    verdictSentence(CHANGES, { ...BACK, guards: [], ...verdict }, PER_ITEM).split(": ")[1];
  const noEnds = { ratio: 0.1, low: 0.001, high: 1000 };
  assert.equal(
    told({ ended: "harm", effect: noEnds, pairs: 1 }),
    "10.0x slower per item (1 pair, too few for an interval), too much worse to go on, rolled back",
  );
  const around = { ratio: 1.02, low: 0.95, high: 1.1 };
  assert.equal(
    told({ ended: "futile", effect: around }),
    "1.02x faster per item (95 % 0.95 to 1.10, 14 pairs), no gain worth having in sight, rolled back",
  );
  assert.match(told({ ended: "budget", effect: around }), /, undecided after all its work, rolled/);
  assert.match(told({ ended: "budget" }), /, not clear of its guards after all its work, rolled/);
  assert.match(told({ ended: "withdrawn" }), /, the values were changed meanwhile, rolled back$/);
  assert.equal(
    told({ ended: "withdrawn", effect: undefined }),
    "nothing compared, the values were changed meanwhile, rolled back",
  );
});

Deno.test("all changes are told; where there was no value there is nothing", () => {
  const changes = [{ name: "codec", from: null, to: "zstd" }, { name: "batch", from: 8, to: 16 }];
  assert.match(
    verdictSentence(changes, KEPT, PER_ITEM),
    /^codec nothing \u2192 zstd, batch 8 \u2192 16: 1\.8x/,
  );
});
