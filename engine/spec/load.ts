import type { Diagnostic } from "../core/diagnostic.ts";
import type { Group, Workflow } from "../core/workflow.ts";
import { constant } from "../expression/template.ts";
import { compileBaggage, compileTrace } from "./compile_context.ts";
import { compileContract } from "./compile_contract.ts";
import { compileParams } from "./compile_params.ts";
import { compilePlugins } from "./compile_plugins.ts";
import { compileSteps, durationOf, optional, type StepsOptions } from "./compile_steps.ts";
import { compileCommands, compileSchedules } from "./compile_triggers.ts";
import { decode } from "./decode.ts";
import { buildGraph, type Graph } from "./graph.ts";
import { Scopes } from "./names.ts";
import { parse } from "./parse.ts";
import type { Report } from "./report.ts";
import { checkShape } from "./shape.ts";
import { type Names, Texts } from "./texts.ts";
import { asMapping, itemsOf, type Mapping, textOf, wordOf } from "./tree.ts";

/** A workflow file's content and its names. */
export interface Source {
  /** The file's bytes. */
  readonly bytes: Uint8Array;
  /** Its path, absolute. */
  readonly file: string;
  /** Its path as the person wrote it, for diagnostics. */
  readonly display: string;
}

// Keeps the sets of steps above a step, a bit for each, within some 80 MB at worst.
const MOST_STEPS = 25_000;

/**
 * Reads, checks and compiles a workflow. Every mistake is in `diagnostics`, in the file's order; the
 * workflow is there if and only if none of them is an error. Bad input never throws. Files that the
 * workflow names are not looked at.
 */
export function loadWorkflow(
  source: Source,
): { workflow?: Workflow; diagnostics: Diagnostic[] } {
  const { text, report } = decode(source.bytes, source.display);
  if (text === undefined) return { diagnostics: report.diagnostics() };
  const root = parse(text, report);
  if (root === undefined) return { diagnostics: report.diagnostics() };
  if (root.kind !== "mapping") {
    report.add({
      from: root.from,
      to: root.from + 1,
      code: "root",
      message: "a workflow is a mapping with `name:` and `steps:` at its top",
    });
    return { diagnostics: report.diagnostics() };
  }
  const steps = root.entry("steps");
  const count = itemsOf(steps?.value).length;
  if (steps !== undefined && count > MOST_STEPS) {
    report.add({
      from: steps.from,
      to: steps.to,
      code: "too-large",
      message: `${count} steps are too many; a workflow may have ${MOST_STEPS}, ` +
        "and for_each repeats one step over many items",
    });
    return { diagnostics: report.diagnostics() };
  }
  checkShape(root, text, report);
  const workflow = compile(root, text, source.file, report);
  const diagnostics = report.diagnostics();
  return report.failed ? { diagnostics } : { workflow, diagnostics };
}

function compile(root: Mapping, text: string, file: string, report: Report): Workflow {
  const texts = new Texts(text, report);
  const folder = folderOf(file);
  const name = textOf(root.get("name")) ?? "";
  const params = compileParams(root.get("params"), texts);
  const taken = new Map<string, { from: number; list: string }>();
  const graphs = {
    steps: buildGraph(root.get("steps"), "steps", taken, report),
    on_failure: buildGraph(root.get("on_failure"), "on_failure", taken, report),
    finally: buildGraph(root.get("finally"), "finally", taken, report),
  };
  const scopes = new Scopes(params, Object.values(graphs), report);
  const env = asMapping(root.get("env"));
  const plugins = compilePlugins(
    root.get("plugins"),
    { file, folder, workflow: name, params },
    texts,
  );
  const declared = new Set(env?.entries.map((entry) => entry.key));
  const outside = scopes.at({});
  const inside = scopes.at({ env: declared });
  const places: { path: string; offset: number }[] = [];
  const options = (list: keyof typeof graphs, before?: Graph): StepsOptions => ({
    list,
    graph: graphs[list],
    ...(before === undefined ? {} : { before }),
    env: declared,
    plugins: new Set(plugins.map((plugin) => plugin.name)),
    scopes,
    texts,
    raw: (path, offset) => places.push({ path, offset }),
  });
  const template = (key: string, names: Names) => {
    const node = root.get(key);
    return node === undefined ? undefined : texts.template(node, names);
  };
  durationOf(root.get("timeout"), texts);
  return {
    name,
    ...optional("description", textOf(root.get("description"))),
    file,
    folder,
    text,
    schedules: compileSchedules(root.get("on"), texts),
    commands: compileCommands(root.get("on"), texts),
    plugins,
    params,
    env: texts.record(env, outside, "written"),
    ...optional("cwd", template("cwd", inside)),
    ...optional("timeout", template("timeout", inside)),
    ...optional("maxConcurrency", template("max_concurrency", inside)),
    ...optional("priority", template("priority", inside)),
    ...optional("group", compileGroup(root, texts, inside)),
    baggage: compileBaggage(root.get("baggage"), texts, outside),
    trace: compileTrace(root.get("trace")),
    ...optional("tune", compileContract(root.get("tune"), graphs.steps, params, texts)),
    steps: compileSteps(options("steps")),
    onFailure: compileSteps(options("on_failure", graphs.steps)),
    finally: compileSteps(options("finally", graphs.steps)),
    outputs: texts.record(
      root.get("outputs"),
      scopes.at({ env: declared, steps: graphs.steps }),
    ),
    raw: places.map(({ path, offset }) => {
      const line = report.line(offset);
      return `${path}:${line}:${offset - text.lastIndexOf("\n", offset - 1)}`;
    }),
  };
}

function compileGroup(root: Mapping, texts: Texts, names: Names): Group | undefined {
  const node = root.get("group");
  if (node === undefined) return undefined;
  if (node.kind !== "mapping") return { name: texts.template(node, names), overlap: "queue" };
  const name = node.get("name");
  return {
    name: name === undefined ? constant(null) : texts.template(name, names),
    overlap: wordOf(node.get("overlap"), ["skip", "queue", "cancel"]) ?? "queue",
  };
}

/** The folder of an absolute path. */
export function folderOf(file: string): string {
  return file.slice(0, Math.max(file.lastIndexOf("/"), 0)) || "/";
}
