import { dirname, join } from "node:path";
import { messageOf, SpanloopError } from "../../core/errors.ts";
import type { TuningReport } from "../../engine.ts";
import { type Arguments, UsageError } from "../arguments.ts";
import { absolute, type Caller, display } from "../caller.ts";
import { wallTime } from "../follower.ts";
import { commandLine } from "../hints.ts";
import { withEngine } from "../open_engine.ts";
import { htmlPage } from "../report/page.ts";
import { markdownPage } from "../report/markdown.ts";
import { workflowFile } from "../workflow_file.ts";

/** `report [FILE]`: writes what tuning came to as Markdown and as one HTML page. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  const [shown] = args.operands;
  const file = shown === undefined ? undefined : workflowFile(args, caller);
  return await withEngine(args, caller, file ?? caller.cwd, async (engine) => {
    const folder = folderOf(args, caller, engine.location);
    const reports = await engine.report(file, shown);
    // Whoever says where to has a page on a file that nothing was done with yet, such as a loop before its first verdict.
    const isAsked = file !== undefined && args.value("out") !== undefined;
    if (!isAsked && reports.every(isEmpty)) {
      throw new SpanloopError(
        "report.empty",
        `Nothing has been measured or proposed ${
          shown === undefined ? "" : `of ${shown} `
        }in ${engine.location} yet; \`spanloop improve ${shown ?? "FILE"}\` does so`,
        { exitCode: 2 },
      );
    }
    const at = wallTime();
    // A page is read in other shells, and after a step that wrote it: what its environment says is said in the page.
    const reader = {
      cwd: caller.cwd,
      env: (name: string) => name === "SPANLOOP_STORE" ? undefined : caller.env(name),
    };
    const view = {
      fileOf: (report: TuningReport) => shown ?? display(caller, report.file),
      typed: commandLine(args, reader, engine.location),
    };
    const pages = [
      [join(folder, "report.md"), markdownPage(reports, at, view)],
      [join(folder, "report.html"), htmlPage(reports, at, view)],
    ] as const;
    for (const [path, text] of pages) {
      await write(path, text, display(caller, path));
      caller.out(`${display(caller, path)}\n`);
    }
    return 0;
  });
}

function isEmpty({ measurements, entries }: TuningReport): boolean {
  return measurements.length === 0 && entries.length === 0;
}

// Beside the store, which is where the project keeps what is no source.
function folderOf(args: Arguments, caller: Caller, location: string): string {
  const given = args.value("out");
  if (given !== undefined) return absolute(caller, given);
  if (location.startsWith("sqlite:")) {
    return join(dirname(location.slice("sqlite:".length)), "report");
  }
  throw new UsageError("A store in memory has no folder; say where with --out", "report");
}

async function write(path: string, text: string, shown: string): Promise<void> {
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeTextFile(path, text);
  } catch (cause) {
    throw new SpanloopError("file.unwritable", `Cannot write ${shown}: ${messageOf(cause)}`, {
      cause,
    });
  }
}
