import { type Arguments, commandOf, parseArguments, UsageError } from "./arguments.ts";
import { type Caller, OutputClosed, processCaller } from "./caller.ts";

/**
 * Does what the command line says; the exit code: 0 succeeded, 1 failed, 2 misused, 130 cancelled. `onJsonLogs` gets
 * the caller that is spoken to in JSON, when that was asked for.
 */
export async function main(
  args: readonly string[],
  given: Caller,
  onJsonLogs: (caller: Caller) => void = () => {},
): Promise<number> {
  let caller = given;
  try {
    const [name, ...rest] = args;
    if (name === undefined) {
      const { overview } = await import("./help.ts");
      caller.err(overview(caller.errStyle).join("\n") + "\n");
      return 2;
    }
    if (name === "--version") return await (await import("./commands/version.ts")).execute(caller);
    const parsed = name === "--help" || name === "-h"
      ? parseArguments(commandOf("help"), rest)
      : parseArguments(commandOf(name), rest);
    if (parsed.flag("help") && parsed.command.name !== "help") {
      const { page } = await import("./help.ts");
      caller.out(page(parsed.command, caller.outStyle, caller.size().columns).join("\n") + "\n");
      return 0;
    }
    if (asksForLogFormat(parsed, caller)) {
      const { wantsJsonLogs, withJsonLogs } = await import("./log_output.ts");
      if (wantsJsonLogs(parsed, caller)) onJsonLogs(caller = withJsonLogs(caller));
    }
    return await execute(parsed, caller);
  } catch (error) {
    if (error instanceof OutputClosed) return 0;
    return await complain(error, caller);
  }
}

// Tells what was thrown; the exit code.
async function complain(thrown: unknown, caller: Caller, before = ""): Promise<number> {
  const { tell } = await import("./failure.ts");
  const told = tell(
    thrown,
    caller.errStyle,
    caller.env("SPANLOOP_DEBUG") === "1",
    caller.animated ? caller.size().columns : Infinity,
  );
  const text = told.lines.join("\n");
  if (caller.log === undefined) caller.err(`${before}${text}\n`);
  else (await import("./log_output.ts")).say(caller.log, "error", text.replace(/^error: /, ""));
  return told.exitCode;
}

// Most command lines do not: what knows of formats is not loaded then.
function asksForLogFormat(args: Arguments, caller: Caller): boolean {
  return args.value("log-format") !== undefined || caller.env("SPANLOOP_LOG_FORMAT") !== undefined;
}

// Each command is a module of its own, loaded only when it is asked for: start-up is what a person waits for.
async function execute(args: Arguments, caller: Caller): Promise<number> {
  switch (args.command.name) {
    case "run":
      return await (await import("./commands/run.ts")).execute(args, caller);
    case "validate":
      return await (await import("./commands/validate.ts")).execute(args, caller);
    case "plan":
      return await (await import("./commands/plan.ts")).execute(args, caller);
    case "runs":
      return await (await import("./commands/runs.ts")).execute(args, caller);
    case "show":
      return await (await import("./commands/show.ts")).execute(args, caller);
    case "diff":
      return await (await import("./commands/diff.ts")).execute(args, caller);
    case "resume":
      return await (await import("./commands/resume.ts")).execute(args, caller);
    case "rerun":
      return await (await import("./commands/rerun.ts")).execute(args, caller);
    case "cancel":
      return await (await import("./commands/cancel.ts")).execute(args, caller);
    case "prune":
      return await (await import("./commands/prune.ts")).execute(args, caller);
    case "serve":
      return await (await import("./commands/serve.ts")).execute(args, caller);
    case "otel":
      return await (await import("./commands/otel.ts")).execute(args, caller);
    case "analyze":
      return await (await import("./commands/analyze.ts")).execute(args, caller);
    case "improve":
      return await (await import("./commands/improve.ts")).execute(args, caller);
    case "report":
      return await (await import("./commands/report.ts")).execute(args, caller);
    case "params":
      return await (await import("./commands/params.ts")).execute(args, caller);
    case "plugins":
      return await (await import("./commands/plugins.ts")).execute(args, caller);
    case "semconv":
      return await (await import("./commands/semconv.ts")).execute(args, caller);
    case "receive":
      return await (await import("./commands/receive.ts")).execute(args, caller);
    case "tail":
      return await (await import("./commands/tail.ts")).execute(args, caller);
    case "schema":
      return await (await import("./commands/schema.ts")).execute(args, caller);
    case "completion":
      return await (await import("./commands/completion.ts")).execute(args, caller);
    case "help":
      return await (await import("./commands/help.ts")).execute(args, caller);
  }
  throw new UsageError(`There is no command \`${args.command.name}\``);
}

if (import.meta.main) {
  let caller = processCaller();
  const onStray = (thrown: unknown) => {
    // Whoever drew a live screen cannot give the cursor back any more.
    void complain(thrown, caller, caller.animated ? "\u001b[?25h" : "").then(Deno.exit);
  };
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    onStray(event.reason);
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    onStray(event.error);
  });
  const code = await main(Deno.args, caller, (json) => caller = json);
  // Not left to the event loop: a timer that somebody forgot must not keep the terminal.
  Deno.exit(code);
}
