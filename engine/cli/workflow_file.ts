import { nearest } from "../core/diagnostic.ts";
import { type Arguments, UsageError } from "./arguments.ts";
import { absolute, type Caller } from "./caller.ts";

/**
 * The absolute path of the workflow file that a command works on. Throws UsageError where a slip is plain: a
 * folder, a name without its ending or misspelt, a run in place of a file. Other faults are left to who reads it.
 */
export function workflowFile(
  args: Arguments,
  caller: Pick<Caller, "cwd">,
  shown = args.operands[0],
): string {
  const file = absolute(caller, shown);
  const slip = slipOf(file, shown, args.command.name);
  if (slip !== undefined) throw new UsageError(slip, args.command.name);
  return file;
}

function slipOf(file: string, shown: string, command: string): string | undefined {
  try {
    if (!Deno.statSync(file).isDirectory) return undefined;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return undefined;
    const meant = command === "run" && isRun(shown) ? `rerun ${shown}` : nearbyFile(file, shown);
    return meant && `There is no file \`${shown}\`; did you mean \`${meant}\`?`;
  }
  const [first] = workflowsIn(file);
  const such = first === undefined ? "" : `, such as \`${shown.replace(/\/+$/, "")}/${first}\``;
  return `\`${shown}\` is a folder; \`${command}\` takes one workflow file${such}`;
}

function isRun(shown: string): boolean {
  return shown === "last" || /^[\da-f]{8}$|^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(shown);
}

function nearbyFile(file: string, shown: string): string | undefined {
  const at = file.lastIndexOf("/");
  const name = file.slice(at + 1);
  const names = workflowsIn(file.slice(0, at) || "/");
  const found = names.find((known) => known.replace(/\.ya?ml$/, "") === name) ??
    nearest(name, names);
  return found && shown.slice(0, shown.length - name.length) + found;
}

function workflowsIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].filter((entry) =>
      !entry.isDirectory && /\.ya?ml$/.test(entry.name)
    ).map(({ name }) => name).sort();
  } catch {
    return []; // only to help: that the file is not there is told anyway
  }
}
