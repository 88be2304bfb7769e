import type { Diagnostic } from "../../core/diagnostic.ts";
import { messageOf, SpanloopError } from "../../core/errors.ts";
import type { Engine } from "../../engine.ts";
import type { Arguments } from "../arguments.ts";
import { absolute, type Caller } from "../caller.ts";
import { diagnosticLines } from "../failure.ts";
import { counted } from "../figures.ts";
import { createEngine } from "../../engine.ts";
import { clean } from "../text.ts";

interface Checked {
  readonly file: string;
  readonly workflow: string | null;
  readonly diagnostics: readonly Diagnostic[];
  readonly raw: readonly string[];
}

/** `validate FILE|FOLDER...`: exit code 2 when a file has an error. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  const files: string[] = [];
  for (const operand of args.operands) {
    files.push(...await filesOf(absolute(caller, operand), operand));
  }
  // Checking writes nothing, so it needs no store of its own.
  const engine = await createEngine({ near: caller.cwd, store: "memory:" });
  const checked: Checked[] = [];
  try {
    for (const file of files) checked.push(await check(engine, absolute(caller, file), file));
  } finally {
    await engine.close();
  }
  const diagnostics = checked.flatMap((file) => file.diagnostics);
  const bad = diagnostics.some(({ severity }) => severity === "error");
  if (args.flag("json")) {
    caller.out(JSON.stringify({ valid: !bad, files: checked }) + "\n");
    return bad ? 2 : 0;
  }
  const style = caller.outStyle;
  for (const { file, workflow, raw, diagnostics } of checked) {
    if (!diagnostics.some(({ severity }) => severity === "error")) {
      caller.out(
        `${style.green("✓")} ${clean(file)}${
          workflow === null ? "" : style.dim(`  ${clean(workflow)}`)
        }\n`,
      );
    }
    for (const place of raw) {
      caller.out(
        `  ${style.yellow("raw()")} lets a value into the shell unquoted at ${clean(place)}\n`,
      );
    }
  }
  if (diagnostics.length > 0) {
    caller.err(diagnosticLines(diagnostics, caller.errStyle).join("\n") + "\n");
  }
  if (files.length === 0) caller.err("There is no workflow file in there.\n");
  else if (files.length > 1) {
    const wrong = checked.filter((file) =>
      file.diagnostics.some(({ severity }) => severity === "error")
    );
    caller.err(`${counted(files.length, "file")}, ${wrong.length} with errors\n`);
  }
  return bad ? 2 : 0;
}

async function check(engine: Engine, path: string, file: string): Promise<Checked> {
  const { workflow, diagnostics } = await engine.validate(path, file);
  return { file, workflow: workflow?.name ?? null, diagnostics, raw: workflow?.raw ?? [] };
}

// Every YAML file below a folder that has `steps:`; a folder may hold other YAML, such as data or settings.
async function filesOf(path: string, shown: string): Promise<string[]> {
  let info: Deno.FileInfo;
  try {
    info = await Deno.stat(path);
  } catch (error) {
    const what = error instanceof Deno.errors.NotFound ? "there is no such file" : messageOf(error);
    throw new SpanloopError("file.unreadable", `Cannot read ${shown}: ${what}`, {
      exitCode: 2,
      cause: error,
    });
  }
  if (!info.isDirectory) return [shown];
  const base = shown.replace(/\/+$/, "") || "/";
  const found: string[] = [];
  for (const entry of [...Deno.readDirSync(path)].sort((a, b) => a.name < b.name ? -1 : 1)) {
    if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
    const [inside, name] = [`${path}/${entry.name}`, `${base}/${entry.name}`];
    if (entry.isDirectory) found.push(...await filesOf(inside, name));
    else if (/\.ya?ml$/.test(entry.name) && /^steps\s*:/m.test(await Deno.readTextFile(inside))) {
      found.push(name);
    }
  }
  return found;
}
