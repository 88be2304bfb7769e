import type { Json } from "../core/json.ts";
import type { Scope } from "../core/scope.ts";
import type { ParameterType } from "../core/parameter.ts";
import type { Environment } from "./environment.ts";

// What the tests of this folder share: one environment and a scope that fits it.

/** An environment with a parameter of each kind, two steps upstream and one that is not. */
export function environment(changes: Partial<Environment> = {}): Environment {
  const params = new Map<string, ParameterType>([
    ["name", "string"],
    ["batch_size", "integer"],
    ["ratio", "number"],
    ["flag", "boolean"],
    ["window", "duration"],
    ["mode", "enum"],
    ["list", "list"],
    ["object", "object"],
    ["token", "secret"],
    ["batch-size", "integer"],
  ]);
  return {
    params,
    env: new Set(["HOME"]),
    steps: new Set(["count", "load-orders"]),
    otherSteps: new Set(["later"]),
    batch: "none",
    conditions: false,
    ...changes,
  };
}

/** A scope that fits `environment()`. */
export function scope(changes: Partial<Scope> = {}, params: Record<string, Json> = {}): Scope {
  return {
    params: {
      name: "orders",
      batch_size: 7,
      ratio: 0.5,
      flag: true,
      window: "90m",
      mode: "fast",
      list: [1, 2, 3],
      object: { a: { b: 1 } },
      token: "s3cret!",
      "batch-size": 3,
      ...params,
    },
    env: { HOME: "/home/me" },
    steps: {
      count: { status: "succeeded", outputs: { stdout: "12" }, error: null },
      "load-orders": { status: "skipped", outputs: null, error: null },
    },
    run: { id: "r1", name: "import", status: "running", error: null },
    ...changes,
  };
}

/** A generator of pseudo-random numbers below `bound` (mulberry32), so that a seed repeats a failure. */
export function random(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % bound;
  };
}
