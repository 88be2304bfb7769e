import type { RunReport } from "../core/report.ts";
import type { Arguments } from "./arguments.ts";
import { absolute, type Caller, display } from "./caller.ts";
import { shortId } from "./figures.ts";

/** Command lines that go on from a run that did not succeed, each with what it does. */
export type Hint = readonly [command: string, what: string];

/** What a person can do next, as it would be typed in the caller's folder. */
export function hints(
  args: Arguments,
  caller: Pick<Caller, "cwd" | "env">,
  location: string,
  report: RunReport,
): Hint[] {
  if (report.status === "succeeded" || report.status === "skipped" || location === "memory:") {
    return [];
  }
  const typed = commandLine(args, caller, location);
  const line = (command: string, ...more: string[]) =>
    typed(command, shortId(report.run_id), ...more);
  const failed = report.steps.find(({ status }) => status === "failed" || status === "timed_out");
  return [
    [line("show"), "what happened, step by step"],
    ...failed === undefined ? [] : [
      [
        line("show", "--step", failed.id),
        `the inputs and output of ${failed.id}`,
      ] as const,
    ],
    [line("rerun", "--failed"), "again, without what succeeded"],
  ];
}

/** Makes a command line as it would be typed in the caller's folder for the same store. */
export function commandLine(
  args: Arguments,
  caller: Pick<Caller, "cwd" | "env">,
  location: string,
): (...words: readonly string[]) => string {
  // INIT_CWD is set by `deno task` alone: then there may be no command `spanloop`.
  const program = caller.env("INIT_CWD") === undefined ? "spanloop" : "deno task spanloop";
  const store = storeFlag(args, caller, location);
  return (...words) => [program, ...words.map(word), ...store].join(" ");
}

// The store has to be named unless commands in the caller's folder find it by themselves (R3).
function storeFlag(
  args: Arguments,
  caller: Pick<Caller, "cwd" | "env">,
  location: string,
): string[] {
  if (caller.env("SPANLOOP_STORE") !== undefined && args.value("store") === undefined) return [];
  const file = location.replace(/^sqlite:/, "");
  const standard = "/.spanloop/store.db";
  if (args.value("store") === undefined && file.endsWith(standard)) {
    const folder = absolute(caller, file.slice(0, -standard.length));
    const here = absolute(caller, caller.cwd);
    if (here === folder || here.startsWith(folder === "/" ? "/" : `${folder}/`)) return [];
  }
  return ["--store", word(`sqlite:${display(caller, file)}`)];
}

function word(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
