import assert from "node:assert/strict";
import type { Parameter, Tune } from "../core/parameter.ts";
import { liveParameters, liveValues } from "./live.ts";

const TUNE: Tune = { min: 1, max: 100, scale: "log", apply: "live", mode: "auto" };
const SIZE: Parameter = { name: "size", type: "integer", default: 20, tune: TUNE };
const MODE: Parameter = {
  name: "mode",
  type: "enum",
  values: ["fast", "safe", "odd"],
  default: "safe",
  tune: { ...TUNE, min: undefined, max: undefined, choices: ["fast", "safe"] },
};

Deno.test("what was given for a run is fixed in it, live or not (V3); next_run is never live (P3)", () => {
  const next: Parameter = { ...SIZE, name: "next", tune: { ...TUNE, apply: "next_run" } };
  const plain: Parameter = { name: "plain", type: "integer", default: 1 };
  const params = new Map([SIZE, next, plain].map((parameter) => [parameter.name, parameter]));
  const live = (source: Parameters<typeof liveParameters>[1][string]) =>
    liveParameters({ params }, { size: source, next: source, plain: source }).map((p) => p.name);
  assert.deepEqual(live("default"), ["size"]);
  assert.deepEqual(live("tuned"), ["size"]);
  for (const source of ["command line", "params file", "environment", "caller"] as const) {
    assert.deepEqual(live(source), [], source);
  }
});

Deno.test("a live value is the tuned one, or the default when it was taken back", () => {
  const pinned = { size: 40, mode: "safe", other: 7 };
  assert.deepEqual(liveValues([SIZE, MODE], pinned, { size: 80, mode: "fast", other: 9 }), {
    size: 80,
    mode: "fast",
  });
  assert.deepEqual(liveValues([SIZE, MODE], pinned, {}), { size: 20, mode: "safe" });
});

Deno.test("a value that does not hold by the run's own contract leaves the pinned one (P1, R4)", () => {
  const pinned = { size: 40, mode: "safe" };
  for (const size of [0, 101, 1.5, "5", null, [5], NaN]) {
    assert.deepEqual(liveValues([SIZE], pinned, { size }), { size: 40 }, String(size));
  }
  for (const mode of ["odd", "none", 1]) {
    assert.deepEqual(liveValues([MODE], pinned, { mode }), { mode: "safe" }, String(mode));
  }
  const { default: _, ...without } = SIZE;
  assert.deepEqual(liveValues([without], pinned, {}), { size: 40 }, "no default to go back to");
});
