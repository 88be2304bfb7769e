import assert from "node:assert/strict";
import type { Json } from "../core/json.ts";
import { LastCounts } from "./last_counts.ts";

function counts(): { readonly last: LastCounts; readonly state: Map<string, Json> } {
  const state = new Map<string, Json>();
  const last = new LastCounts({
    get: (key) => state.get(key),
    set: (key, value) => void state.set(key, value),
  });
  return { last, state };
}

Deno.test("the last two counts under some values are told, of each step its own", () => {
  const { last } = counts();
  for (const failed of [1, 2, 3]) {
    last.note("load", { size: 10, workers: 2 }, { items: 40, failed });
    last.note("load", { size: 20, workers: 2 }, { items: 40, failed: 30 });
    last.note("check", { size: 10, workers: 2 }, { items: 1, failed: 1 });
  }
  const two = [{ items: 40, failed: 2 }, { items: 40, failed: 3 }];
  assert.deepEqual(last.under("load", { size: 10 }), two);
  assert.deepEqual(last.under("load", { size: 10, workers: 2 }), two);
  assert.deepEqual(last.under("load", { size: 10, workers: 3 }), []);
  assert.deepEqual(last.under("load", { size: 10, other: null }), two, "there is no value");
  assert.deepEqual(last.under("store", { size: 10 }), []);
});

Deno.test("what is kept stays small, and nothing is kept of no items", () => {
  const { last, state } = counts();
  for (let i = 0; i < 1_000; i++) {
    last.note("load", { size: 10 }, { items: 40, failed: 1 });
    last.note("load", { size: 10 }, { items: 0, failed: 0 });
  }
  assert.ok(JSON.stringify(state.get("brought/load")).length < 1_000);
  assert.equal(last.under("load", { size: 10 }).length, 2);
});
