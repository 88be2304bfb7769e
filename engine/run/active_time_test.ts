import assert from "node:assert/strict";
import { ActiveTime } from "./active_time.ts";

const S = 1_000_000_000n;

Deno.test("downtime is left out of the time a run is under way, crash after crash (R2)", () => {
  const active = new ActiveTime();
  assert.equal(active.at(5n * S), 0, "before it began");
  active.begin(100n * S, 0);
  assert.equal(active.at(100n * S), 0);
  assert.equal(active.at(110n * S), 10_000);
  active.begin(500n * S, 10_000); // down from 110 to 500
  assert.equal(active.at(500n * S), 10_000);
  assert.equal(active.at(505n * S), 15_000);
  active.begin(900n * S, 15_000); // down from 505 to 900
  assert.equal(active.at(901n * S), 16_000);
  assert.equal(active.at(102n * S), 2_000, "times of an earlier process keep theirs");
  assert.equal(active.at(901n * S) - active.at(104n * S), 12_000, "as for an attempt that goes on");
});
