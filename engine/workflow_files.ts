import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Diagnostic } from "./core/diagnostic.ts";
import { InvalidError, messageOf } from "./core/errors.ts";
import type { SecretSource } from "./core/parameter.ts";
import type { Step, Workflow } from "./core/workflow.ts";
import { type Plan, planWorkflow } from "./plan/plan.ts";
import { findPlugin } from "./plugin_places.ts";
import { loadWorkflow } from "./spec/load.ts";

/** A workflow that holds, ready to run. */
export interface LoadedWorkflow {
  /** Its plan. */
  readonly plan: Plan;
  /** SHA-256 of its text in hex. */
  readonly definition: string;
  /** SHA-256 in hex of the files that its steps name or are of the type of, by absolute path (R4). */
  readonly modules: Readonly<Record<string, string>>;
}

/** Checks a workflow file and that the plugins and what its steps name are there. */
export function checkFile(
  file: string,
  display = file,
): { readonly workflow?: Workflow; readonly diagnostics: readonly Diagnostic[] } {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new InvalidError(`Cannot read ${display}: ${fileProblem(cause)}`);
  }
  const loaded = loadWorkflow({ bytes, file, display });
  if (loaded.workflow === undefined) return loaded;
  const missing = missingFiles(loaded.workflow, display);
  const diagnostics = [...loaded.diagnostics, ...missing];
  return missing.length > 0 ? { diagnostics } : { workflow: loaded.workflow, diagnostics };
}

/**
 * Loads workflow files, and remembers the plan of each text: a process that runs one workflow many times, for
 * a schedule or as a sub-workflow, parses and checks it once.
 */
export class WorkflowFiles {
  // By file; as many as a folder has.
  readonly #loaded = new Map<string, { readonly stamp: string; readonly loaded: LoadedWorkflow }>();

  /** Loads a workflow file. Throws InvalidError with all its mistakes. */
  load(file: string, display = file): LoadedWorkflow {
    const known = this.#loaded.get(file);
    if (known !== undefined && known.stamp === stampOf(file, known.loaded)) return known.loaded;
    const { workflow, diagnostics } = checkFile(file, display);
    if (workflow === undefined) throw new InvalidError(`${display} does not hold`, diagnostics);
    const loaded = prepare(workflow);
    this.#loaded.set(file, { stamp: stampOf(file, loaded), loaded });
    return loaded;
  }
}

// What tells that a workflow file and its modules are the same as before, without reading them.
function stampOf(file: string, loaded: LoadedWorkflow): string {
  let stamp = "";
  for (const path of [file, ...Object.keys(loaded.modules)]) {
    try {
      const { ino, size, mtime, ctime } = Deno.statSync(path);
      stamp += `${ino} ${size} ${mtime?.getTime()} ${ctime?.getTime()}\n`;
    } catch {
      stamp += "gone\n";
    }
  }
  return stamp;
}

/** Loads a workflow from the text that a run has stored (R4). */
export function loadText(text: string, file: string): LoadedWorkflow {
  const { workflow, diagnostics } = loadWorkflow({
    bytes: new TextEncoder().encode(text),
    file,
    display: file,
  });
  if (workflow === undefined) {
    throw new InvalidError(
      `The text of ${file} that the run has stored does not hold`,
      diagnostics,
    );
  }
  return prepare(workflow);
}

function prepare(workflow: Workflow): LoadedWorkflow {
  return {
    plan: planWorkflow(workflow),
    definition: sha256(workflow.text),
    modules: hashModules(workflow),
  };
}

function hashModules(workflow: Workflow): Record<string, string> {
  const modules: Record<string, string> = {};
  for (const path of modulePaths(workflow)) {
    try {
      modules[path] = sha256(readFileSync(path));
    } catch {
      // Gone since: the step that needs it says so, and a resume names it as changed.
      modules[path] = "";
    }
  }
  return modules;
}

/** The files whose text differs from a run's record, by absolute path. */
export function changedModules(
  then: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): readonly string[] {
  return Object.keys(then).filter((path) => then[path] !== now[path]);
}

/** Reads a secret; undefined when it is not there (V4). A file's one final newline is dropped. */
export function secretReader(
  folder: string,
  environment: Readonly<Record<string, string>>,
): (source: SecretSource) => string | undefined {
  return (source) => {
    if ("env" in source) return environment[source.env];
    try {
      return readFileSync(resolve(folder, source.file), "utf8").replace(/\r?\n$/, "");
    } catch {
      return undefined; // bind says which secret is missing, and where
    }
  };
}

function allSteps(workflow: Workflow): readonly Step[] {
  return [...workflow.steps, ...workflow.onFailure, ...workflow.finally];
}

function modulePaths(workflow: Workflow): ReadonlySet<string> {
  const paths = new Set<string>();
  for (const { module } of allSteps(workflow)) {
    if (module !== undefined) paths.add(resolve(workflow.folder, module));
  }
  const types = new Set(
    allSteps(workflow).map(({ uses }) => uses.split("/", 2)).flatMap(
      ([plugin, step]) => step === undefined ? [] : [plugin],
    ),
  );
  for (const plugin of workflow.plugins) {
    if (!types.has(plugin.name)) continue;
    const place = findPlugin(plugin);
    if ("path" in place) paths.add(place.path);
  }
  return paths;
}

function missingFiles(workflow: Workflow, display: string): readonly Diagnostic[] {
  let lines: readonly string[] | undefined;
  const missing: Diagnostic[] = [];
  const add = (line: number, word: string, message: string) => {
    lines ??= workflow.text.split("\n");
    missing.push({ file: display, ...placeOf(lines, line, word), message });
  };
  for (const plugin of workflow.plugins) {
    const found = findPlugin(plugin);
    if ("missing" in found) add(plugin.line, plugin.use, found.missing);
  }
  for (const { module, line } of allSteps(workflow)) {
    if (module === undefined || isFile(resolve(workflow.folder, module))) continue;
    const path = resolve(workflow.folder, module);
    add(line, module, `there is no file ${path}; paths are relative to the workflow`);
  }
  return missing.sort((one, other) => one.line - other.line || one.column - other.column);
}

// The first line of a step or a plugin is known; the path stands in it or a few lines below.
function placeOf(
  lines: readonly string[],
  line: number,
  word: string,
): Omit<Diagnostic, "file" | "message"> {
  const at = lines.findIndex((text, index) => index >= line - 1 && text.includes(word));
  const where = at < 0 ? line - 1 : at;
  const column = at < 0 ? 0 : lines[at].indexOf(word);
  return {
    line: where + 1,
    column: column + 1,
    length: at < 0 ? 1 : word.length,
    severity: "error",
    code: "missing-file",
    source: lines[where] ?? "",
  };
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false; // not there
  }
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** Why a file cannot be read, in words. */
function fileProblem(thrown: unknown): string {
  const { code } = thrown as { code?: string };
  if (code === "ENOENT") return "there is no such file";
  if (code === "EISDIR") return "it is a folder; name a workflow file in it";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  return messageOf(thrown);
}
