import type { RunReport } from "../core/report.ts";
import type { Engine, RunOptions } from "../engine.ts";
import type { Arguments } from "./arguments.ts";
import { type Caller, display, OutputClosed } from "./caller.ts";
import { hints } from "./hints.ts";
import { type Interruption, interruption } from "./interruption.ts";
import { type Follower, wallTime } from "./follower.ts";
import type { Warnings } from "./open_engine.ts";
import { Progress } from "./progress.ts";
import { exitCode, outputLines, summaryLines } from "./summary.ts";

/**
 * Runs what `start` starts, shows it on stderr as the caller's terminal allows, and reports it at the end; the
 * exit code. `onReport` gets the report once the summary is on stderr.
 */
export async function follow(
  args: Arguments,
  caller: Caller,
  { engine, warnings }: { readonly engine: Engine; readonly warnings: Warnings },
  start: (options: RunOptions) => Promise<RunReport>,
  onReport: (report: RunReport) => void = () => {},
): Promise<number> {
  const progress = new Progress();
  const follower = await chooseFollower(args, caller, progress);
  const { show } = warnings;
  warnings.show = (text) => follower.line(text);
  const stop: Interruption = interruption(
    (message) => follower.notice(message),
    () => follower.close(),
  );
  let report: RunReport;
  try {
    report = await start({
      signal: stop.signal,
      force: stop.force,
      onEvent: (event) => {
        // Every run says once where it is kept (R3).
        if (event.type === "run" && progress.runId === undefined) {
          const store = `store ${display(caller, engine.location.replace(/^sqlite:/, ""))}`;
          if (caller.log === undefined) follower.line(store);
          else caller.log({ time: wallTime(), severity: "info", body: store, runId: event.runId });
        }
        const now = wallTime();
        follower.event(event, progress.apply(event, now), now);
      },
    });
  } finally {
    warnings.show = show;
    follower.close();
    stop.dispose();
  }
  const code = exitCode(report.status);
  // In a log the run's end has said it.
  if (caller.log === undefined && (!args.flag("quiet") || code !== 0)) {
    const lines = summaryLines(report, progress, {
      hints: hints(args, caller, engine.location, report),
      columns: caller.size().columns,
    }, caller.errStyle);
    caller.err(lines.join("\n") + "\n");
  }
  try {
    onReport(report);
    if (!args.flag("json")) {
      caller.out(outputLines(report.outputs).map((line) => `${line}\n`).join(""));
    }
  } catch (error) {
    // That nobody reads the outputs does not change how the run ended.
    if (!(error instanceof OutputClosed)) throw error;
  }
  return code;
}

async function chooseFollower(
  args: Arguments,
  caller: Caller,
  progress: Progress,
): Promise<Follower> {
  if (caller.animated && !args.flag("quiet")) {
    const { LiveFollower } = await import("./live_follower.ts");
    return new LiveFollower(progress, caller);
  }
  const shown = {
    line: (text: string) => caller.err(`${caller.errStyle.dim(text)}\n`),
    notice: (message: string) => caller.err(`${message}\n`),
    close: () => {},
  };
  if (caller.log !== undefined) return { ...shown, event: () => {} };
  const { PlainLines } = await import("./plain_lines.ts");
  const plain = new PlainLines(progress);
  return {
    event: (event, step, now) => {
      if (args.flag("quiet") && event.type !== "notice") return;
      for (const line of plain.of(event, step, now)) caller.err(`${line}\n`);
    },
    ...shown,
  };
}
