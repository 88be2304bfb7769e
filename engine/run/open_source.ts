import { resolve } from "node:path";
import { SpanloopError } from "../core/errors.ts";
import { isObject, type Json } from "../core/json.ts";
import type { Scope } from "../core/scope.ts";
import type { ForEach } from "../core/workflow.ts";
import type { RunContext } from "./run_context.ts";
import type { ItemSource } from "./source/source.ts";
import { toText } from "./template_values.ts";

/**
 * Opens the items of a for_each step. `recorded` is what the journal has of them, when the step has begun before:
 * they are the same items then (F3). Throws SpanloopError `for_each.…`, and `resume.changed` for a file that is
 * another one by now.
 */
export async function openSource(
  run: RunContext,
  forEach: ForEach,
  scope: Scope,
  recorded: Json | undefined,
): Promise<ItemSource> {
  const { source } = forEach;
  const { folder } = run.plan.workflow;
  if (source.kind === "file") {
    const path = resolve(folder, toText(source.file.evaluate(scope)));
    const opened = await openFile(path, source.format);
    if (recorded !== undefined && recorded !== null) refuseChanged(path, recorded, opened.identity);
    return opened;
  }
  const { ListSource } = await import("./source/list.ts");
  if (Array.isArray(recorded)) {
    return new ListSource(withSecrets(run, forEach, scope, recorded));
  }
  if (source.kind === "glob") {
    const { matchGlob } = await import("./source/glob.ts");
    return new ListSource(await matchGlob(toText(source.glob.evaluate(scope)), folder));
  }
  const list = source.list.evaluate(scope);
  if (!Array.isArray(list)) {
    throw new SpanloopError(
      "for_each.list",
      `for_each needs a list, and this is ${JSON.stringify(list)?.slice(0, 80)}`,
    );
  }
  return new ListSource(list);
}

// The journal has the list without its secrets (J6): they are read again, if it is the same list otherwise.
function withSecrets(
  run: RunContext,
  { source }: ForEach,
  scope: Scope,
  recorded: readonly Json[],
): readonly Json[] {
  const { masker } = run.binding;
  if (masker.idle || source.kind !== "list") return recorded;
  const list = source.list.evaluate(scope);
  const same = JSON.stringify(masker.value(list)) === JSON.stringify(recorded);
  return same && Array.isArray(list) ? list : recorded;
}

async function openFile(path: string, format: "ndjson" | "csv" | undefined): Promise<ItemSource> {
  const { FileSource } = await import("./source/file.ts");
  if (format === "csv" || (format === undefined && path.endsWith(".csv"))) {
    const { csv } = await import("./source/csv.ts");
    return await FileSource.open(path, (file) => csv(file, path));
  }
  const { ndjson } = await import("./source/ndjson.ts");
  return await FileSource.open(path, ndjson);
}

function refuseChanged(path: string, recorded: Json, now: Json): void {
  if (!isObject(recorded) || !isObject(now)) return;
  if (recorded.size === now.size && recorded.changed === now.changed) return;
  throw new SpanloopError(
    "resume.changed",
    `${path} has changed since the run started (${recorded.size} bytes then, ${now.size} now), so its ` +
      "remaining items are not the ones the run began with; put the file back, or start a new run",
    { exitCode: 2 },
  );
}
