import type { ImproveEvent, ImproveReport, Measurement } from "../core/improve.ts";
import type { JsonObject } from "../core/json.ts";
import { entryJson } from "./params_lines.ts";

/** An event as one line of JSON; undefined for what goes on within a run. */
export function eventJson(event: ImproveEvent): JsonObject | undefined {
  switch (event.type) {
    case "run":
      return undefined;
    case "started":
      return { event: "started", run: event.index };
    case "ended": {
      const { run_id, status, duration_ms, error } = event.report;
      return { event: "ended", run: event.index, run_id, status, duration_ms, error };
    }
    case "measured":
      return { event: "measured", run: event.index, ...measurementJson(event.measurement) };
    case "decided":
      return { event: "decided", run: event.index, ...entryJson(event.entry) };
  }
}

/** What came of it as one line of JSON, the last one. */
export function reportJson(report: ImproveReport): JsonObject {
  const { workflow, runs, failed, before, after, verdicts, rollBacks, open, stopped } = report;
  return {
    event: "report",
    workflow,
    runs,
    failed,
    before,
    after,
    verdicts: verdicts.map(entryJson),
    roll_backs: rollBacks.map(entryJson),
    open: open === undefined ? null : entryJson(open),
    stopped: stopped ?? null,
  };
}

function measurementJson({ runId, experiment, arms }: Measurement): JsonObject {
  return {
    run_id: runId,
    experiment: experiment ?? null,
    arms: arms.map(({ arm, values, objective, duration, items, failed }) => ({
      arm,
      values,
      objective,
      duration_s: duration,
      items,
      failed,
    })),
  };
}
