import { formatDuration } from "../core/duration.ts";
import type { JsonObject } from "../core/json.ts";
import type { RunSummary } from "../core/store.ts";
import { ago, milliseconds, shortId } from "./figures.ts";
import { byStatus, sign, type Style, words } from "./style.ts";
import { clean, fit, hanging, isCramped, pad, width } from "./text.ts";

/**
 * Runs as a table, newest first as they come, or where a terminal is too narrow for that a paragraph each; where there
 * are none, the sentence `none`.
 */
export function runsTable(
  runs: readonly RunSummary[],
  view: { readonly now: bigint; readonly columns: number; readonly none: string },
  style: Style,
): string[] {
  if (runs.length === 0) return [view.none];
  const rows = runs.map((run) => ({
    run,
    workflow: fit(clean(run.workflow), 40),
    status: words(run.status),
    took: run.startedAt === undefined
      ? ""
      : formatDuration(milliseconds(run.startedAt, run.endedAt ?? view.now)),
    when: ago(run.createdAt, view.now),
    more: origin(run),
  }));
  const longest = (pick: (row: typeof rows[number]) => string, title: string) =>
    Math.max(title.length, ...rows.map((row) => width(pick(row))));
  const workflow = longest((row) => row.workflow, "workflow");
  const status = longest((row) => row.status, "status") + 2;
  const took = longest((row) => row.took, "took");
  const when = longest((row) => row.when, "started");
  const head = [
    pad("run", 8),
    pad("workflow", workflow),
    pad("status", status),
    pad("took", took, "start"),
    pad("started", when),
  ].join("  ");
  const table = [
    style.dim(head.trimEnd()),
    ...rows.map((row) =>
      [
        style.bold(shortId(row.run.runId)),
        pad(row.workflow, workflow),
        `${sign(row.run.status, style)} ${
          byStatus(row.run.status, pad(row.status, status - 2), style)
        }`,
        pad(row.took, took, "start"),
        style.dim(pad(row.when, when)),
        style.dim(row.more),
      ].join("  ").trimEnd()
    ),
  ];
  if (!isCramped(table, view.columns)) return table.map((line) => fit(line, view.columns));
  return rows.flatMap(({ run: { runId, status }, workflow, took, when, more }) => {
    const facts = [took, when, more].filter((fact) => fact !== "");
    const told = facts.map((fact, index) => index === facts.length - 1 ? fact : `${fact},`);
    return hanging([
      style.bold(shortId(runId)),
      workflow,
      `${sign(status, style)} ${byStatus(status, words(status), style)},`,
      ...told.map(style.dim),
    ], view.columns);
  });
}

function origin(run: RunSummary): string {
  if (run.rerun !== undefined) return `rerun of ${shortId(run.rerun.runId)}`;
  if (run.parent !== undefined) return `part of ${shortId(run.parent.runId)}`;
  if (run.trigger === undefined) return "";
  return run.trigger.startsWith(`${run.workflow}/command/`) ? "commanded" : "scheduled";
}

/** A run as `--json` prints it. */
export function summaryJson(run: RunSummary): JsonObject {
  return {
    run_id: run.runId,
    trace_id: run.traceId,
    workflow: run.workflow,
    file: run.file,
    status: run.status,
    created_at: iso(run.createdAt),
    started_at: run.startedAt === undefined ? null : iso(run.startedAt),
    ended_at: run.endedAt === undefined ? null : iso(run.endedAt),
    duration_ms: run.startedAt === undefined || run.endedAt === undefined
      ? null
      : milliseconds(run.startedAt, run.endedAt),
    parameters: run.params,
    sources: run.sources,
    snapshot: run.snapshot ?? 0,
    priority: run.priority,
    group: run.group ?? null,
    parent: run.parent === undefined ? null : { run_id: run.parent.runId, key: run.parent.key },
    rerun_of: run.rerun?.runId ?? null,
    trigger: run.trigger ?? null,
  };
}

/** Nanoseconds since the epoch in ISO 8601, to the microsecond. */
export function iso(at: bigint): string {
  const micros = String(at / 1_000n % 1_000n).padStart(3, "0");
  return new Date(Number(at / 1_000_000n)).toISOString().replace("Z", `${micros}Z`);
}
