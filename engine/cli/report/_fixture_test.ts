// Hand-written reports for the tests of what is made of them.
import type { MeasuredArm, Measurement } from "../../core/improve.ts";
import type { Json } from "../../core/json.ts";
import type { Parameter } from "../../core/parameter.ts";
import type { LedgerEntry, Verdict } from "../../core/proposal.ts";
import type { ParameterState } from "../../core/tuning.ts";
import type { TuningReport } from "../../core/tuning_report.ts";

/** When the fixtures' first run is measured: 2026-11-21 09:00:00 UTC. */
export const START = 1_795_251_600_000_000_000n;

/** Of run `run`, an hour apart. */
export const at = (run: number): bigint => START + BigInt(Math.round(run * 3_600)) * 1_000_000_000n;

/** One arm of a measurement. */
export function arm(
  values: Readonly<Record<string, Json>>,
  objective: number,
  more: Partial<MeasuredArm> = {},
): MeasuredArm {
  return { arm: "incumbent", values, objective, duration: 2, items: 1_000, failed: 1, ...more };
}

/** What run `run` came to. */
export function measurement(
  run: number,
  arms: readonly MeasuredArm[],
  experiment?: string,
): Measurement {
  return {
    runId: `run-${run}`,
    at: at(run),
    goal: "minimize duration / items of load",
    arms,
    ...experiment === undefined ? {} : { experiment },
  };
}

/** An entry of the ledger, decided just after run `run`. */
export function entry(
  number: number,
  run: number,
  decision: Partial<LedgerEntry["decision"]>,
  more: Partial<LedgerEntry> & { readonly id?: string; readonly reason?: string } = {},
): LedgerEntry {
  const { id = `p${number}`, reason = "it should be faster", ...rest } = more;
  return {
    number,
    proposal: {
      id,
      workflow: "quickstart",
      author: { kind: "plugin", name: "optimizer" },
      changes: decision.values ?? {},
      reason,
      evidence: [],
      version: 0,
      at: at(run + 0.1),
    },
    decision: {
      outcome: "testing",
      rule: "experiment",
      message: "",
      values: {},
      clamped: [],
      ...decision,
    },
    before: {},
    ...rest,
  };
}

/** A verdict with an interval. */
export function verdict(
  action: Verdict["action"],
  effect: Verdict["effect"],
  ended: Verdict["ended"] = "interval",
): Verdict {
  const outcome = action === "kept" ? "improved" : "regressed";
  return { outcome, action, ended, effect, confidence: 0.95, pairs: 8, guards: [] };
}

/** A tunable parameter as it is now. */
export function parameter(
  name: string,
  value: Json,
  more: Partial<Parameter> = {},
  state: Partial<ParameterState> = {},
): ParameterState {
  return {
    parameter: {
      name,
      type: "integer",
      default: 20,
      tune: {
        min: 1,
        max: 5_000,
        scale: "log",
        maxStep: { factor: 4 },
        apply: "live",
        mode: "auto",
      },
      ...more,
    },
    value,
    source: "tuned",
    frozen: false,
    ...state,
  };
}

/** A report on a loop that has kept one change, rolled one back and has one open. */
export function eventful(): TuningReport {
  const size = (batch_size: number, codec = "none") => ({ batch_size, codec });
  const candidate = { arm: "candidate" } as const;
  const entries = [
    entry(1, 2, {
      message: "batch_size 20 → 80: tried on 25 % of the work",
      values: { batch_size: 80 },
    }),
    entry(2, 5, {
      outcome: "applied",
      rule: "verdict",
      message:
        "batch_size 20 → 80: 3.1x faster per item (95 % 2.6 to 3.9, 8 pairs), errors 0.1 %, kept",
      values: { batch_size: 80 },
    }, { answers: 1, verdict: verdict("kept", { ratio: 3.1, low: 2.6, high: 3.9 }) }),
    entry(3, 6, {
      message: "batch_size 80 → 320: tried on 10 % of the work",
      values: { batch_size: 320 },
    }),
    entry(4, 8, {
      outcome: "ended",
      rule: "verdict",
      message: "batch_size 80 → 320: 1.9x slower per item (95 % 1.3 to 2.8, 2 pairs), " +
        "errors 4 % break the guard of 2 %, rolled back",
      values: { batch_size: 320 },
    }, {
      answers: 3,
      verdict: verdict("rolled_back", { ratio: 0.52, low: 0.36, high: 0.77 }, "guard"),
    }),
    entry(5, 9, {
      message: "codec none → zstd: tried on 25 % of the work",
      values: { codec: "zstd" },
    }),
  ];
  const measurements = [
    measurement(1, [arm(size(20), 512e-6)]),
    measurement(2, [arm(size(20), 498e-6, { failed: 0 })]),
    measurement(3, [arm(size(20), 505e-6), arm(size(80), 171e-6, candidate)], "p1"),
    measurement(4, [arm(size(20), 541e-6), arm(size(80), 160e-6, candidate)], "p1"),
    measurement(5, [arm(size(20), 490e-6), arm(size(80), 166e-6, candidate)], "p1"),
    measurement(6, [arm(size(80), 165e-6)]),
    measurement(
      7,
      [arm(size(80), 170e-6), arm(size(320), 290e-6, { ...candidate, failed: 12 })],
      "p3",
    ),
    measurement(
      8,
      [arm(size(80), 161e-6), arm(size(320), 330e-6, { ...candidate, failed: 40 })],
      "p3",
    ),
    measurement(9, [arm(size(80), 162e-6)]),
    measurement(10, [arm(size(80), 158e-6), arm(size(80, "zstd"), 151e-6, candidate)], "p5"),
  ];
  return {
    file: "/home/me/workflows/quickstart.yaml",
    at: at(11),
    objective: { direction: "minimize", expression: "duration / items", of: "load" },
    guards: [
      { metric: "error_rate", of: "load", below: 0.02 },
      { metric: "duration", of: "report", below: 30 },
    ],
    tuned: {
      workflow: "quickstart",
      version: 5,
      parameters: [
        parameter("batch_size", 80, {}, { change: entries[1] }),
        parameter("codec", "none", {
          type: "enum",
          values: ["none", "zstd"],
          default: "none",
          tune: { scale: "linear", apply: "next_run", mode: "recommend" },
        }, { source: "default" }),
      ],
      held: [],
      tested: entries[4],
    },
    measurements,
    entries,
    more: false,
  };
}
