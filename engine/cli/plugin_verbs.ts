import { SpanloopError } from "../core/errors.ts";
import { type Arguments, UsageError } from "./arguments.ts";
import { absolute, type Caller } from "./caller.ts";
import { withEngine } from "./open_engine.ts";
import { outcomeLine, pluginLines } from "./plugin_lines.ts";
import { workflowFile } from "./workflow_file.ts";

/** `plugins list [FILE]`: those of a workflow, or all that the store and spanloop.yaml know of. */
export async function list(args: Arguments, caller: Caller): Promise<number> {
  const [, shown, more] = args.operands;
  if (more !== undefined) throw new UsageError(`list takes one FILE, not also ${more}`, "plugins");
  const file = shown === undefined ? undefined : workflowFile(args, caller, shown);
  return await withEngine(args, caller, file ?? absolute(caller, "."), async (engine) => {
    const reports = await engine.plugins.list(file, shown);
    const columns = caller.outTerminal ? caller.size().columns : Infinity;
    caller.out(
      (args.flag("json")
        ? JSON.stringify(reports)
        : pluginLines(reports, columns, caller.outStyle).join("\n")) + "\n",
    );
    return 0;
  });
}

/** `plugins retry NAME`: lets one that was set aside try again. */
export async function retry(args: Arguments, caller: Caller): Promise<number> {
  const [, name, more] = args.operands;
  if (name === undefined || more !== undefined) {
    throw new UsageError("retry takes one NAME, as `plugins list` shows it", "plugins");
  }
  return await withEngine(args, caller, absolute(caller, "."), async (engine) => {
    const count = await engine.plugins.retry(name);
    if (count === 0) {
      throw new SpanloopError(
        "plugin.unknown",
        `No plugin ${name} is set aside; \`plugins list\` shows which are`,
        { exitCode: 2 },
      );
    }
    caller.err(`${name} is tried again by whoever hosts it next, from where it was set aside\n`);
    return 0;
  });
}

/** `plugins replay NAME --from RUN|FILE`: what it would have done. */
export async function replay(args: Arguments, caller: Caller): Promise<number> {
  const [, plugin, shown, more] = args.operands;
  const from = args.value("from");
  if (plugin === undefined || from === undefined || more !== undefined) {
    throw new UsageError("replay takes one NAME, perhaps a FILE, and --from RUN|FILE", "plugins");
  }
  const workflow = shown === undefined ? undefined : workflowFile(args, caller, shown);
  const near = workflow ?? absolute(caller, ".");
  return await withEngine(args, caller, near, async (engine) => {
    const spans = absolute(caller, from);
    const isFile = exists(spans);
    const source = isFile ? { file: spans } : { runId: (await engine.find(from)).runId };
    let count = 0;
    const options = { plugin, from: source, ...workflow === undefined ? {} : { workflow } };
    for await (const outcome of engine.plugins.replay(options)) {
      count++;
      const line = args.flag("json")
        ? JSON.stringify(outcome)
        : outcomeLine(outcome, caller.outStyle);
      caller.out(`${line}\n`);
    }
    if (count === 0) caller.err(`${plugin} would have done nothing\n`);
    return 0;
  });
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false; // then it is a run's id
  }
}
