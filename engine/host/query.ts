import { SpanloopError } from "../core/errors.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { PluginSpan, SpanQuery } from "../core/plugin.ts";
import type { EndRecord, StartEntry, Status } from "../core/span.ts";
import type { RunSummary, Store } from "../core/store.ts";
import type { Heard } from "./heard.ts";
import { seconds, toSpanEvent } from "./plugin_span.ts";
import { type Sees, type Sight, sightOf } from "./sees.ts";
import { SPAN_ROLES } from "./subscription.ts";

/** A query that does not hold, or that asks for what the plugin may not see. Code `plugin.query`. */
export class QueryError extends SpanloopError {
  /** Says what is wrong with it, a sentence. */
  constructor(message: string) {
    super("plugin.query", message);
  }
}

/** For whom spans are looked for. */
export interface Asker {
  /** What the plugin may see. */
  readonly sees: Sees;
  /** The workflow of the event that it handles, else its own; absent for neither. */
  readonly workflow?: string;
  /**
   * The time of that event, nanoseconds since the Unix epoch: runs that ended later are not there yet (T4). To a
   * microsecond, since a plugin's time is a number of seconds.
   */
  readonly at: bigint;
}

const DEFAULT_SPANS = 100;
const MOST_SPANS = 1_000;
const MOST_EMITTED = 1_000;
const MOST_RUNS = 200;
const MOST_RECORDS = 200_000;
const LONGEST_TEXT = 256;
const MICROSECOND = 1_000n;
const ENDED: readonly Status[] = ["succeeded", "failed", "cancelled", "skipped", "timed_out"];

/**
 * The spans of ended runs of one workflow that fit a query, the last to end first, or those that a plugin emitted. The
 * query comes from a plugin and may be anything. What lies beyond the newest 200 runs or 200,000 records, or 1,000
 * emitted spans, is not looked at.
 *
 * Errors: QueryError, and the store's StoreError.
 */
export async function querySpans(
  store: Pick<Store, "runs" | "read" | "emitted">,
  query: unknown,
  asker: Asker,
): Promise<readonly PluginSpan[]> {
  const wanted = checked(query);
  const sight = sightOf(asker.sees);
  const workflow = wanted.workflow ?? asker.workflow;
  if (workflow === undefined) {
    throw new QueryError("Cannot query spans without a workflow here: give the query a `workflow`");
  }
  if (!sight.workflow(workflow)) {
    throw new QueryError(
      `Cannot query spans of ${workflow}: the plugin was not granted to see that workflow`,
    );
  }
  const limit = wanted.limit ?? DEFAULT_SPANS;
  if (wanted.plugin !== undefined) {
    const found = await emittedSpans(store, workflow, wanted, sight, asker.at);
    return found.slice(0, limit).map((span) => toSpanEvent(span).span);
  }
  let found: Ended[] = [];
  let left = MOST_RECORDS;
  for (const run of await endedRuns(store, workflow, asker.at)) {
    if (left <= 0 || run.endedAt < (found[limit - 1]?.at ?? 0n)) break;
    if (wanted.since !== undefined && seconds(run.endedAt) < wanted.since) break;
    left = await readRun(store, run, left, (span) => {
      if (isWanted(span, wanted, sight)) found.push(span);
    });
    found = found.sort(lastFirst).slice(0, limit);
  }
  return found.map((span) => toSpanEvent(span).span);
}

// Newest first, as they come.
async function emittedSpans(
  store: Pick<Store, "emitted">,
  workflow: string,
  { plugin, name, stepId, since }: SpanQuery,
  sight: Sight,
  at: bigint,
): Promise<readonly Heard[]> {
  const records = await store.emitted({ plugin, name, workflow, limit: MOST_EMITTED });
  return records
    .map(({ span, position }): Heard => ({
      kind: "emitted",
      event: "ended",
      position,
      at: span.time,
      span,
    }))
    .filter((heard) =>
      heard.kind === "emitted" && heard.at <= at + MICROSECOND &&
      (stepId === undefined || heard.span.stepId === stepId) &&
      (since === undefined || seconds(heard.at) >= since) &&
      sight.name(heard.span.name) && sight.span(heard)
    );
}

type Ended = Heard & { readonly kind: "journal"; readonly end: EndRecord };
type EndedRun = RunSummary & { readonly endedAt: bigint };

async function endedRuns(
  store: Pick<Store, "runs">,
  workflow: string,
  at: bigint,
): Promise<readonly EndedRun[]> {
  const until = at + MICROSECOND;
  const runs = await store.runs({ workflow, statuses: ENDED, before: until, limit: MOST_RUNS });
  return runs
    .filter((run): run is EndedRun => run.endedAt !== undefined && run.endedAt <= until)
    .sort((a, b) => compare(b.endedAt, a.endedAt));
}

// Tells of a run's spans, and gives how many records may still be read.
async function readRun(
  store: Pick<Store, "read">,
  run: EndedRun,
  most: number,
  onEnded: (span: Ended) => void,
): Promise<number> {
  const starts = new Map<string, StartEntry>();
  let left = most;
  for await (const record of store.read(run.runId)) {
    if (left-- <= 0) break;
    if (record.type === "start") {
      starts.set(record.span.spanId, record);
      continue;
    }
    const start = starts.get(record.spanId);
    if (start === undefined) continue;
    starts.delete(record.spanId);
    const { position, end: { endTime: at } } = record;
    const { workflow } = run;
    onEnded({
      kind: "journal",
      event: "ended",
      position,
      at,
      workflow,
      depth: 0,
      start,
      end: record,
    });
  }
  return left;
}

function isWanted({ start, end }: Ended, wanted: SpanQuery, sight: Sight): boolean {
  const { name } = start.span;
  return (wanted.name === undefined || name === wanted.name) &&
    (wanted.stepId === undefined || start.stepId === wanted.stepId) &&
    (wanted.role === undefined || start.role === wanted.role) &&
    (wanted.since === undefined || seconds(end.end.endTime) >= wanted.since) &&
    sight.name(name);
}

function lastFirst(a: Ended, b: Ended): number {
  return compare(b.at, a.at) || b.position - a.position;
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function checked(query: unknown): SpanQuery {
  if (!isObject(query)) throw new QueryError("Cannot query spans: the query must be an object");
  const names = ["workflow", "stepId", "name", "role", "plugin", "since", "limit"];
  const other = Object.keys(query).find((name) => !names.includes(name));
  if (other !== undefined) {
    throw new QueryError(
      `Cannot query spans by \`${other.slice(0, 60)}\`: there is ${names.join(", ")}`,
    );
  }
  const { limit } = query;
  if (
    limit !== undefined &&
    !(typeof limit === "number" && Number.isInteger(limit) && limit >= 1 && limit <= MOST_SPANS)
  ) {
    throw new QueryError(
      `Cannot query spans: \`limit\` must be a whole number from 1 to ${MOST_SPANS}`,
    );
  }
  const { since, role } = query;
  if (since !== undefined && !(typeof since === "number" && Number.isFinite(since))) {
    throw new QueryError("Cannot query spans: `since` must be seconds since the Unix epoch");
  }
  const known = SPAN_ROLES.find((one) => one === role);
  if (role !== undefined && known === undefined) {
    throw new QueryError(`Cannot query spans: \`role\` must be one of ${SPAN_ROLES.join(", ")}`);
  }
  const plugin = textOf(query, "plugin");
  if (plugin !== undefined && role !== undefined) {
    throw new QueryError("Cannot query spans: what a `plugin` emitted has no `role`");
  }
  return {
    workflow: textOf(query, "workflow"),
    stepId: textOf(query, "stepId"),
    name: textOf(query, "name"),
    role: known,
    plugin,
    since,
    limit,
  };
}

function textOf(query: JsonObject, field: string): string | undefined {
  const value: Json | undefined = query[field];
  if (value === undefined) return undefined;
  if (typeof value === "string" && value.length <= LONGEST_TEXT) return value;
  throw new QueryError(
    `Cannot query spans: \`${field}\` must be a text of at most ${LONGEST_TEXT} characters`,
  );
}
