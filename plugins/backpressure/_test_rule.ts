/** What holds of every change that the plugin makes with its default configuration, however fast the machine is. */
import assert from "node:assert/strict";

/** A change of concurrency, with its reason. */
export interface Change {
  /** Why. */
  readonly reason: string;
  /** The value that it asks for. */
  readonly value: number;
}

const REASON =
  /^Of (\d+) attempts at call with concurrency (\d+), ([\d.e-]+) % failed \(at most 1 %\)(?:, and half took up to [\d.e+-]+ ms, ([\d.]+) times the best \(at most 2\.5\))?: (more|less), (\d+)$/;

/**
 * Holds changes, in order and from a concurrency of 1 on, against the rule: one more while the numbers of the reason
 * allow it, a quarter less where they do not, each from the value before it and within 1 and `most`. Gives how many of
 * them were less.
 */
export function checkChanges(changes: readonly Change[], most: number): number {
  let before = 1;
  let less = 0;
  for (const { reason, value } of changes) {
    const parts = REASON.exec(reason);
    assert.ok(parts !== null, reason);
    const [count, from, failed, slower = 1] = parts.slice(1, 5).map((part) =>
      part === undefined ? undefined : Number(part)
    );
    assert.ok(count! >= Math.max(20, 2 * before), reason);
    assert.deepEqual([from, Number(parts[6])], [before, value], reason);
    if (parts[5] === "more") {
      assert.ok(failed! <= 1 && slower <= 2.5 && value === before + 1, reason);
    } else {
      less++;
      assert.ok(failed! > 1 || slower >= 2.5, reason);
      assert.equal(value, Math.max(1, Math.min(before - 1, Math.floor(before * 0.75))), reason);
    }
    assert.ok(value >= 1 && value <= most, reason);
    before = value;
  }
  return less;
}
