import assert from "node:assert/strict";
import { seeded } from "../core/seeded_test.ts";
import {
  added,
  broken,
  countOf,
  type EndedAttempt,
  isWhole,
  NOTHING,
  observe,
  type Piece,
  settledCountOf,
  type StepTally,
  type Work,
} from "./measure.ts";

const INCUMBENT: Work = { experiment: "e", arm: "incumbent", pair: 0 };

function batch(from: number, to: number, more: Partial<EndedAttempt> = {}): EndedAttempt {
  return {
    start: 100 + from,
    end: 100 + to,
    outcome: "succeeded",
    attempt: 1,
    range: { from, to },
    items: to - from,
    failed: 0,
    values: { size: 10 },
    ...more,
  };
}

function slice(arm: Work["arm"], pair: number, from: number, to: number): Partial<EndedAttempt> {
  return {
    values: { size: arm === "candidate" ? 20 : 10 },
    work: { experiment: "e", arm, pair, slice: { from, to } },
  };
}

function heard(
  attempts: readonly EndedAttempt[],
  tries = 1,
): { readonly tally: StepTally; readonly finished: readonly Piece[] } {
  const finished: Piece[] = [];
  let tally = NOTHING;
  for (const attempt of attempts) {
    const now = observe(tally, attempt, tries);
    // It is kept as JSON between two spans.
    tally = JSON.parse(JSON.stringify(now.tally));
    if (now.finished !== undefined) finished.push(now.finished);
  }
  return { tally, finished };
}

Deno.test("a whole step lasts from its first hand-out to its last end, whatever their order", () => {
  const { tally, finished } = heard([batch(10, 20), batch(0, 10), batch(20, 25)]);
  assert.deepEqual(finished, []);
  assert.ok(isWhole(tally.piece!));
  assert.deepEqual(added(undefined, tally.piece!), {
    values: { size: 10 },
    duration: 25,
    items: 25,
    failed: 0,
    attempts: 3,
    count: { items: 25, failed: 0 },
  });
});

Deno.test("items count once, by their last attempt, and tries each (S5)", () => {
  const failing = batch(0, 10, { outcome: "failed", failed: 10 });
  const again = { ...failing, attempt: 2 };
  const last = { ...failing, attempt: 3, outcome: "succeeded" as const, failed: 2 };
  const tries = (number: number) => heard([failing, again, last].slice(0, number), 3).tally.piece!;
  const all = { items: 10, failed: 10, together: 100 };
  assert.deepEqual(countOf(tries(2)), all);
  assert.deepEqual(settledCountOf(tries(2)), { items: 0, failed: 0 }, "it may be tried again");
  assert.deepEqual(settledCountOf(tries(3)), { items: 10, failed: 2 });
  assert.equal(tries(3).attempts, 3);
  assert.ok(isWhole(tries(3)));
  const gaveUp = heard([failing], 1).tally.piece!;
  assert.deepEqual(settledCountOf(gaveUp), all);
});

Deno.test("a step that counts no items is one item, which its last attempt decides", () => {
  const plain = (attempt: number, outcome: EndedAttempt["outcome"]) =>
    ({ ...batch(0, 0), range: undefined, attempt, outcome }) as EndedAttempt;
  const failed = heard([plain(1, "failed")], 2).tally.piece!;
  assert.deepEqual([countOf(failed), settledCountOf(failed)], [
    { items: 1, failed: 1 },
    { items: 0, failed: 0 },
  ]);
  const at = heard([plain(1, "failed"), plain(2, "succeeded")], 2).tally.piece!;
  assert.deepEqual(settledCountOf(at), { items: 1, failed: 0 });
});

Deno.test("a slice is over when something else begins, and whole when its batches cover it (A6)", () => {
  const first = slice("candidate", 0, 20, 40);
  const second = slice("incumbent", 0, 40, 50);
  const { tally, finished } = heard([
    batch(0, 20),
    batch(20, 30, first),
    batch(30, 40, first),
    batch(40, 45, second),
    batch(45, 50, second),
    batch(50, 60),
    batch(60, 70),
  ]);
  assert.deepEqual(finished.map(({ work, items }) => [work?.arm, items]), [
    ["candidate", 20],
    ["incumbent", 10],
  ]);
  assert.ok(finished.every(isWhole));
  assert.deepEqual(finished[0].values, { size: 20 });
  assert.equal(added(undefined, finished[0]).duration, 20);
  assert.deepEqual(tally, { sliced: true, covered: 70 }, "what lies between slices is in none");
});

Deno.test("a slice that is not covered, or that was cut short, is not whole", () => {
  const own = slice("candidate", 0, 0, 20);
  const after = batch(20, 30);
  const short = heard([batch(0, 10, own), after]).finished[0];
  assert.ok(!isWhole(short));
  const cut = { ...own, outcome: "interrupted" as const };
  const resumed = heard([batch(0, 20, cut), batch(0, 20, own), after]).finished[0];
  assert.ok(!isWhole(resumed));
  assert.deepEqual(countOf(resumed), { items: 20, failed: 0 }, "what is done again counts once");
  const again = heard([batch(0, 20, cut), batch(0, 20, own)]).tally;
  assert.equal(again.covered, 20, "the step has no more items for a crash (R5)");
  const gone = broken(heard([batch(0, 20, own)]).tally);
  assert.ok(!isWhole(observe(gone, after, 1).finished!));
});

Deno.test("a step under several values, or of which a part was an arm's, is not whole (P4)", () => {
  const others: Partial<EndedAttempt>[] = [
    { values: { size: 11 } },
    { work: INCUMBENT },
    { work: { ...INCUMBENT, arm: "candidate" } },
  ];
  for (const other of others) {
    assert.ok(!isWhole(heard([batch(0, 10), batch(10, 20, other)]).tally.piece!));
  }
  const arm = heard([batch(0, 10, { work: INCUMBENT }), batch(10, 20, { work: INCUMBENT })]);
  assert.ok(isWhole(arm.tally.piece!));
  assert.deepEqual(arm.tally.piece!.work, INCUMBENT);
});

Deno.test("the totals are those of the slices' items, whatever fails and is tried again", () => {
  const random = seeded("measure");
  for (let round = 0; round < 50; round++) {
    const attempts: EndedAttempt[] = [];
    const failed: number[] = [];
    let at = random.below(30);
    for (let pair = 0; pair < 6; pair++) {
      const [from, to] = [at, at + 1 + random.below(60)];
      let all = 0;
      while (at < to) {
        const end = Math.min(to, at + 1 + random.below(20));
        const size = end - at;
        for (let attempt = 1; attempt <= 3; attempt++) {
          const bad = random.below(3) === 0;
          const count = bad ? size : random.below(size + 1);
          attempts.push(batch(at, end, {
            ...slice(pair % 2 === 0 ? "candidate" : "incumbent", pair, from, to),
            attempt,
            outcome: bad ? "failed" : "succeeded",
            failed: count,
          }));
          if (!bad || attempt === 3) {
            all += count;
            break;
          }
        }
        at = end;
      }
      failed.push(all);
    }
    attempts.push(batch(at, at + 1));
    const { finished } = heard(attempts, 3);
    assert.deepEqual(finished.map((piece) => countOf(piece).failed), failed, `SEED=${random.seed}`);
    assert.ok(finished.every(isWhole), `SEED=${random.seed}`);
  }
});

Deno.test("what is kept of a step stays small, however many batches fail", () => {
  const failing = Array.from(
    { length: 5_000 },
    (_, i) => batch(i, i + 1, { outcome: "failed", failed: 1 }),
  );
  const { tally } = heard(failing, 2);
  assert.ok(JSON.stringify(tally).length < 8_000);
  assert.deepEqual(countOf(tally.piece!), { items: 5_000, failed: 5_000 });
});
