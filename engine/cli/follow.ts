import type { RunReport } from "../core/report.ts";
import type { Engine, RunOptions } from "../engine.ts";
import type { Arguments } from "./arguments.ts";
import { type Caller, display, OutputClosed } from "./caller.ts";
import { hints } from "./hints.ts";
import { type Interruption, interruption } from "./interruption.ts";
import { type Follower, wallTime } from "./follower.ts";
import { Progress } from "./progress.ts";
import { exitCode, outputLines, summaryLines } from "./summary.ts";

/**
 * Runs what `start` starts, shows it on stderr as the caller's terminal allows, and reports it at the end; the
 * exit code. `onReport` gets the report once the summary is on stderr.
 */
export async function follow(
  args: Arguments,
  caller: Caller,
  engine: Engine,
  start: (options: RunOptions) => Promise<RunReport>,
  onReport: (report: RunReport) => void = () => {},
): Promise<number> {
  const progress = new Progress();
  const follower = await chooseFollower(args, caller, progress);
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
          follower.line(`store ${display(caller, engine.location.replace(/^sqlite:/, ""))}`);
        }
        const now = wallTime();
        follower.event(event, progress.apply(event, now), now);
      },
    });
  } finally {
    follower.close();
    stop.dispose();
  }
  const code = exitCode(report.status);
  if (!args.flag("quiet") || code !== 0) {
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
  const { PlainLines } = await import("./plain_lines.ts");
  const plain = new PlainLines(progress);
  return {
    event: (event, step, now) => {
      if (args.flag("quiet") && event.type !== "notice") return;
      for (const line of plain.of(event, step, now)) caller.err(`${line}\n`);
    },
    line: (text) => caller.err(`${caller.errStyle.dim(text)}\n`),
    notice: (message) => caller.err(`${message}\n`),
    close: () => {},
  };
}
