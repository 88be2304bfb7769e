// Hand-written runs for the tests of what draws them. Times are milliseconds after START.
import type {
  AttemptHistory,
  PlanReport,
  RunHistory,
  StepHistory,
  StepReport,
} from "../core/report.ts";
import type { JournalRecord, Outcome, SpanRole } from "../core/span.ts";
import type { RunSummary } from "../core/store.ts";

/** When the fixtures' runs start: 2026-11-21 09:00:00 UTC. */
export const START = 1_795_251_600_000_000_000n;

/** So many milliseconds after START. */
export const at = (ms: number): bigint => START + BigInt(Math.round(ms * 1e6));

/** An attempt that took from `from` to `to`. */
export function attempt(
  key: string,
  from: number,
  to: number,
  more: Partial<AttemptHistory> = {},
): AttemptHistory {
  return {
    key,
    attempt: 1,
    outcome: "succeeded",
    span: {
      traceId: "0af7651916cd43dd8448eb211c80319c",
      spanId: "b7ad6b7169203331",
      name: key,
      kind: "internal",
      startTime: at(from),
      attributes: {},
    },
    endTime: at(to),
    ...more,
  };
}

/** A step that took from `from` to `to`, with one attempt unless `more` says otherwise. */
export function step(
  id: string,
  from: number,
  to: number,
  more: Partial<Omit<StepHistory, "report">> = {},
  report: Partial<StepReport> = {},
): StepHistory {
  return {
    type: "shell",
    list: "steps",
    needs: [],
    critical: false,
    startTime: at(from),
    endTime: at(to),
    attempts: [attempt(id, from, to)],
    ...more,
    report: {
      id,
      status: "succeeded",
      attempts: 1,
      duration_ms: to - from,
      outputs: null,
      error: null,
      ...report,
    },
  };
}

/** A run of these steps that ended at `total`. */
export function history(
  steps: readonly StepHistory[],
  total: number,
  more: Partial<RunSummary> = {},
): RunHistory {
  const bad = steps.some(({ report }) => report.status === "failed");
  const status = bad ? "failed" : "succeeded";
  const summary: RunSummary = {
    runId: "019aa573-1f80-7000-8000-0000deadbeef",
    workflow: "import-orders",
    file: "/home/me/import.yaml",
    definition: "d1",
    modules: { "/home/me/load.ts": "h1" },
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "00f067aa0ba902b7",
    params: { batch_size: 20, token: { secret: "env TOKEN" } },
    sources: { batch_size: "command line", token: "environment" },
    priority: 5,
    createdAt: START,
    startedAt: START,
    endedAt: at(total),
    status,
    ...more,
  };
  return {
    summary,
    report: {
      run_id: summary.runId,
      trace_id: summary.traceId,
      workflow: summary.workflow,
      status: summary.status,
      duration_ms: total,
      parameters: summary.params,
      steps: steps.map(({ report }) => report),
      outputs: bad ? {} : { total: 800, top: "LHR 12\nCDG 9" },
      error: null,
    },
    steps,
    criticalPath: steps.filter(({ critical }) => critical).map(({ report }) => report.id),
    trials: [],
  };
}

/** A run with everything: a for_each with a failed batch, a retry, a failed step, a skipped and a finally step. */
export function eventful(): RunHistory {
  const batches = Array.from({ length: 40 }, (_, i) => {
    const [from, to] = [i * 20, i * 20 + 20];
    const start = 1_200 + i * 200;
    return attempt(`load[${from},${to})`, start, start + (i === 17 ? 900 : 190), {
      range: { from, to },
      ...i === 22
        ? {
          outcome: "failed",
          failure: { code: "script.error", message: "row 443 is bad", errorClass: "error" },
        }
        : {},
    });
  });
  const critical = true;
  const error = { code: "shell.exit", message: "The command ended with exit code 1" };
  return history([
    step("count", 0, 1_200, { critical }),
    step(
      "load",
      1_200,
      9_300,
      { critical, type: "script", needs: ["count"], attempts: batches },
      { attempts: 40, items: 800, failed: 20 },
    ),
    step("fetch", 0, 4_000, {
      type: "http",
      attempts: [
        attempt("fetch", 0, 1_000, {
          outcome: "failed",
          failure: {
            code: "http.status",
            message: "503 from api.example.com",
            errorClass: "transient",
          },
        }),
        attempt("fetch", 2_000, 4_000, { attempt: 2, outputs: { status: 200 } }),
      ],
    }, { attempts: 2 }),
    step("report", 9_300, 10_450, {
      critical,
      needs: ["load", "fetch"],
      attempts: [attempt("report", 9_300, 10_450, {
        outcome: "failed",
        inputs: { run: "sqlite3 orders.db < top.sql", env: { LANG: "C" } },
        tail: "Error: near line 1\nno such table: \u001b[31mflights\u001b[0m",
        failure: { ...error, errorClass: "error" },
      })],
    }, { status: "failed", error }),
    {
      ...step("publish", 0, 0, { needs: ["report"], attempts: [] }, {
        status: "skipped",
        reason: "upstream",
      }),
      startTime: undefined,
      endTime: undefined,
    },
    step("clean", 10_450, 10_460, { list: "finally" }),
  ], 10_470);
}

/** A plan with a fork, a join, a for_each, a condition, and steps for afterwards. */
export const PLAN: PlanReport = {
  workflow: "import-orders",
  file: "import.yaml",
  parameters: { batch_size: 20, input: "data/orders.ndjson" },
  sources: { batch_size: "default", input: "command line" },
  steps: [
    { id: "count", list: "steps", uses: "shell", needs: [], layer: 0 },
    { id: "probe", list: "steps", uses: "http", needs: [], layer: 0, description: "is it up?" },
    {
      id: "load",
      list: "steps",
      uses: "script",
      needs: ["count"],
      layer: 1,
      forEach: "file data/orders.ndjson",
      if: "params.batch_size > 0",
      with: { module: "./load.ts", options: { retries: 3 } },
    },
    { id: "stats", list: "steps", uses: "shell", needs: ["load"], layer: 2 },
    { id: "top", list: "steps", uses: "shell", needs: ["load", "probe"], layer: 2 },
    { id: "report", list: "steps", uses: "shell", needs: ["stats", "top"], layer: 3 },
    { id: "tell", list: "on_failure", uses: "http", needs: [], layer: 0 },
    { id: "clean", list: "finally", uses: "shell", needs: [], layer: 0 },
  ],
};

/** A journal record of a step's start. */
export function started(stepId: string, ms: number, role: SpanRole = "attempt"): JournalRecord {
  const { span } = attempt(stepId, ms, ms);
  return { type: "start", runId: "r", role, key: stepId, stepId, span, position: 1 };
}

/** A journal record of a step's end. */
export function ended(
  stepId: string,
  ms: number,
  outcome: Outcome,
  more: Partial<Extract<JournalRecord, { type: "end" }>> = {},
): JournalRecord {
  return {
    type: "end",
    runId: "r",
    role: "attempt",
    key: stepId,
    stepId,
    spanId: "b7ad6b7169203331",
    outcome,
    end: { endTime: at(ms), error: outcome === "failed", attributes: {} },
    position: 1,
    ...more,
  };
}
