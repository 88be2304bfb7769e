import { EVENT_SPANLOOP_PARAMETERS_CHANGE } from "../../../semconv/events.ts";
import type { ImproveReport } from "../../engine.ts";
import { type Arguments, UsageError } from "../arguments.ts";
import { type Caller, display, OutputClosed } from "../caller.ts";
import { wallTime } from "../follower.ts";
import { givenValues } from "../given.ts";
import { commandLine } from "../hints.ts";
import { type ImproveFollower, LiveImprovement, PlainImprovement } from "../improve_follower.ts";
import { eventJson, reportJson } from "../improve_json.ts";
import { improvedLines, nextSteps } from "../improve_summary.ts";
import { Improvement } from "../improvement.ts";
import { interruption } from "../interruption.ts";
import { say } from "../log_output.ts";
import { withEngine } from "../open_engine.ts";
import { workflowFile } from "../workflow_file.ts";

const RUNS = 20;
// A person who wants more starts it again; what was learned is kept.
const MOST_RUNS = 10_000;

/** `improve FILE`: runs a workflow many times and shows what that finds. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  const shown = args.operands[0];
  const runs = runsOf(args);
  const file = workflowFile(args, caller);
  const given = await givenValues(args, caller);
  return await withEngine(args, caller, file, async (engine, warnings) => {
    const { workflow } = await engine.validate(file, shown);
    // A file that does not hold is refused with all its mistakes, here as by `run`.
    const state = new Improvement(workflow ?? { name: shown }, runs);
    const follower = followerOf(args, caller, state);
    const { show } = warnings;
    warnings.show = (text, record) => {
      // What was decided is told by the events.
      if (record?.eventName !== EVENT_SPANLOOP_PARAMETERS_CHANGE) follower.line(text);
    };
    const stop = interruption(
      (message) => follower.notice(message),
      () => follower.close(),
      "cancelling this run; what was learned is kept",
    );
    const begun = performance.now();
    let told = false;
    let report: ImproveReport;
    try {
      report = await engine.improve(file, {
        runs,
        given,
        display: shown,
        signal: stop.signal,
        force: stop.force,
        onEvent: (event) => {
          if (!told) {
            follower.line(`store ${display(caller, engine.location.replace(/^sqlite:/, ""))}`);
          }
          told = true;
          state.apply(event, wallTime());
          follower.event(event);
        },
      });
    } finally {
      warnings.show = show;
      follower.close();
      stop.dispose();
    }
    // Nobody finds a store in memory again.
    const kept = engine.location !== "memory:";
    const text = args.flag("json")
      ? JSON.stringify(reportJson(report))
      : improvedLines(report, state, {
        hints: kept
          ? nextSteps(report, shown, commandLine(args, caller, engine.location), state.last)
          : [],
        kept,
        columns: caller.size().columns,
        duration: performance.now() - begun,
        cancelled: stop.signal.aborted,
      }, caller.outStyle).join("\n");
    try {
      caller.out(`${text}\n`);
    } catch (error) {
      // That nobody reads it does not change what it came to.
      if (!(error instanceof OutputClosed)) throw error;
    }
    if (stop.signal.aborted) return 130;
    return report.stopped === undefined ? 0 : 1;
  });
}

function runsOf(args: Arguments): number {
  const text = args.value("runs");
  const runs = text === undefined ? RUNS : Number(text);
  if (Number.isInteger(runs) && runs >= 1 && runs <= MOST_RUNS) return runs;
  throw new UsageError(`--runs takes a number from 1 to ${MOST_RUNS}, not \`${text}\``, "improve");
}

function followerOf(args: Arguments, caller: Caller, state: Improvement): ImproveFollower {
  if (args.flag("json")) {
    let closed = false;
    return {
      event: (event) => {
        const json = eventJson(event);
        if (json === undefined || closed) return;
        try {
          caller.out(`${JSON.stringify(json)}\n`);
        } catch (error) {
          if (!(error instanceof OutputClosed)) throw error;
          closed = true; // what was begun goes on all the same
        }
      },
      line: (text) => caller.err(`${text}\n`),
      notice: (text) => caller.err(`${text}\n`),
      close: () => {},
    };
  }
  if (caller.animated && !args.flag("quiet")) return new LiveImprovement(state, caller);
  const print = (line: string) =>
    caller.log === undefined ? caller.err(`${line}\n`) : say(caller.log, "info", line);
  const plain = new PlainImprovement(state, print);
  if (!args.flag("quiet")) return plain;
  return { event: () => {}, line: print, notice: print, close: () => {} };
}
