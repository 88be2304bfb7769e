import assert from "node:assert/strict";
import { childRunId, derivedSpanId, Ids } from "./ids.ts";
import { seeded } from "./seeded_test.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function ids(now: () => bigint): Ids {
  const random = seeded("ids");
  return new Ids({ now, monotonic: () => 0, after: () => () => {} }, random);
}

Deno.test("run ids are UUIDv7 and sort by their millisecond (R2)", () => {
  let now = 1_700_000_000_000_000_000n;
  const made = Array.from({ length: 2_000 }, () => {
    now += 1_000_000n;
    return ids(() => now).runId();
  });
  for (const id of made) assert.match(id, UUID_V7);
  assert.deepEqual([...made].sort(), made);
  assert.equal(parseInt(made[0].replaceAll("-", "").slice(0, 12), 16), 1_700_000_000_001);
});

Deno.test("ids drawn from one pool are all different, and none is zero", () => {
  const source = ids(() => 1n);
  const made = Array.from({ length: 5_000 }, (_, i) => i % 2 ? source.spanId() : source.traceId());
  assert.equal(new Set(made).size, made.length);
  assert.ok(made.every((id) => /^[0-9a-f]+$/.test(id) && !/^0+$/.test(id)));
});

Deno.test("randomness of zeros is drawn again for a trace or span id", () => {
  let call = 0;
  const source = new Ids({ now: () => 1n, monotonic: () => 0, after: () => () => {} }, {
    fill: (bytes) => bytes.fill(call++ === 0 ? 0 : 7),
    next: () => 0,
  });
  assert.equal(source.spanId(), "07".repeat(8));
});

Deno.test("derived ids are the same for the same, different for others, and never zero (T3)", () => {
  const random = seeded("derived");
  const seen = new Set<string>();
  for (let i = 0; i < 3_000; i++) {
    const spanId = Array.from({ length: 16 }, () => random.below(16).toString(16)).join("");
    for (const index of [0, 1, -2]) {
      const id = derivedSpanId(spanId, index);
      assert.equal(derivedSpanId(spanId, index), id);
      assert.match(id, /^[0-9a-f]{16}$/);
      assert.notEqual(id, "0".repeat(16));
      seen.add(id);
    }
    assert.match(childRunId(spanId, 1_700_000_000_000_000_000n), UUID_V7);
  }
  assert.equal(seen.size, 9_000, `ids collide (seed ${random.seed})`);
});

Deno.test("the run that an attempt starts is found again after a crash, another attempt's is another (S6)", () => {
  const id = childRunId("b7ad6b7169203331", 1_700_000_000_123_456_789n);
  assert.equal(id, childRunId("b7ad6b7169203331", 1_700_000_000_123_456_789n));
  assert.notEqual(id, childRunId("b7ad6b7169203332", 1_700_000_000_123_456_789n));
  assert.equal(parseInt(id.replaceAll("-", "").slice(0, 12), 16), 1_700_000_000_123);
});
