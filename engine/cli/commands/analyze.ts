import { statSync } from "node:fs";
import type { AnalysisReport } from "../../core/analysis.ts";
import { analysisLines } from "../analysis_lines.ts";
import type { Arguments } from "../arguments.ts";
import { absolute, type Caller } from "../caller.ts";
import { counted } from "../figures.ts";
import { wallTime } from "../follower.ts";
import { interruption } from "../interruption.ts";
import { withEngine } from "../open_engine.ts";
import { wrap } from "../text.ts";

/** `analyze [WORKFLOW]`: how the steps of the store's workflows do. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  const [given] = args.operands;
  const file = given === undefined ? undefined : fileOf(caller, given);
  const which = file !== undefined ? { file, display: given } : { workflow: given };
  return await withEngine(args, caller, file ?? caller.cwd, async (engine) => {
    const shown = { open: false };
    const redraw = (text: string) => {
      if (!caller.animated) return;
      caller.err(`\r\u001b[K${text}`);
      shown.open = text !== "";
    };
    const stop = interruption(
      (message) => {
        if (shown.open) redraw("");
        caller.err(`${message}\n`);
      },
      () => {},
      "stopping; what was read is kept",
    );
    let report: AnalysisReport;
    try {
      report = await engine.plugins.analyze({
        ...which,
        signal: stop.signal,
        onProgress: (share) => redraw(`reading what is new: ${Math.floor(100 * share)} %`),
      });
    } finally {
      if (shown.open) redraw("");
      stop.dispose();
    }
    if (args.flag("json")) caller.out(`${JSON.stringify(report)}\n`);
    else show(report, given, caller, stop.signal.aborted);
    return stop.signal.aborted ? 130 : 0;
  });
}

function show(
  report: AnalysisReport,
  given: string | undefined,
  caller: Caller,
  stopped: boolean,
): void {
  const { workflows, behind, host } = report;
  const columns = caller.outTerminal ? caller.size().columns : Infinity;
  if (workflows.length > 0) {
    const lines = analysisLines(report, { columns, now: wallTime() }, caller.outStyle);
    caller.out(lines.join("\n") + "\n");
  } else if (!stopped) {
    const of = given === undefined ? "" : ` of ${given}`;
    const text = `No run${of} has ended yet: run a workflow, then \`analyze\` again.`;
    caller.out(wrap(text, columns).join("\n") + "\n");
  }
  const note = host !== undefined
    ? `As far as process ${host} has heard, which hosts this store's plugins.`
    : behind > 0
    ? `${counted(behind, "event")} of the store were not read yet.`
    : undefined;
  if (note !== undefined) caller.err(wrap(note, columns).join("\n") + "\n");
}

// A workflow is named by its name or its file.
function fileOf(caller: Caller, given: string): string | undefined {
  const path = absolute(caller, given);
  if (/\.ya?ml$/.test(given)) return path;
  return given.includes("/") && statSync(path, { throwIfNoEntry: false })?.isFile()
    ? path
    : undefined;
}
