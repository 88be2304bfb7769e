import { nearest } from "../core/diagnostic.ts";
import { parseDuration } from "../core/duration.ts";
import type { ErrorClass } from "../core/errors.ts";
import type { Template } from "../core/scope.ts";
import type { ForEach, Retry, Step } from "../core/workflow.ts";
import { constant, objectOf } from "../expression/template.ts";
import { isIdentifier } from "./compile_params.ts";
import type { Graph, Vertex } from "./graph.ts";
import type { Place, Scopes, Settled } from "./names.ts";
import { literal, mayHoldExpression, type Names, type Texts } from "./texts.ts";
import {
  asMapping,
  type Entry,
  itemsOf,
  type Mapping,
  type Node,
  numberOf,
  Scalar,
  textOf,
  wordOf,
} from "./tree.ts";

/** What the steps of one list share. */
export interface StepsOptions {
  /** The list's key: `steps`, `on_failure` or `finally`. */
  readonly list: string;
  readonly graph: Graph;
  /** The main steps, which on_failure and finally may all read. */
  readonly before?: Graph;
  /** Names of the workflow's `env`. */
  readonly env: ReadonlySet<string>;
  /** Names of the workflow's plugins. */
  readonly plugins: ReadonlySet<string>;
  readonly scopes: Scopes;
  readonly texts: Texts;
  /** Gets places of raw(), as offsets. */
  readonly raw: (path: string, offset: number) => void;
}

/** Compiles a list's steps. */
export function compileSteps(options: StepsOptions): Step[] {
  return options.graph.vertices.map((vertex, index) =>
    new StepCompiler(vertex, index, options).compile()
  );
}

class StepCompiler {
  readonly #vertex: Vertex;
  readonly #node: Mapping;
  readonly #options: StepsOptions;
  readonly #texts: Texts;
  readonly #settled: Settled;

  constructor(vertex: Vertex, index: number, options: StepsOptions) {
    this.#vertex = vertex;
    this.#node = vertex.node;
    this.#options = options;
    this.#texts = options.texts;
    const { graph, before } = options;
    this.#settled = { has: (id) => before?.has(id) === true || graph.isAbove(id, index) };
  }

  compile(): Step {
    const node = this.#node;
    const { graph, env } = this.#options;
    this.#checkId();
    const forEach = this.#forEach();
    const own = asMapping(node.get("env"));
    const names = own === undefined ? env : new Set([...env, ...own.entries.map((e) => e.key)]);
    const batch = forEach === undefined ? "none" : this.#batchKind();
    const attempt = this.#names({ env: names, batch });
    const condition = this.#texts.expression(
      node.get("if"),
      this.#names({ conditions: true }),
      "boolean",
    );
    const { uses, inputs, module } = this.#work(attempt);
    const description = textOf(node.get("description"));
    return {
      id: this.#vertex.id,
      line: this.#texts.report.line(node.from),
      ...(description === undefined ? {} : { description }),
      needs: this.#vertex.needs.map((need) => graph.vertices[need].id),
      ...(condition === undefined ? {} : { if: condition }),
      ...(forEach === undefined ? {} : { forEach }),
      uses,
      with: inputs,
      ...(module === undefined ? {} : { module }),
      ...optional("timeout", this.#template(node.get("timeout"), attempt)),
      ...optional("retry", this.#retry()),
      continueOnError: asBoolean(node.get("continue_on_error")),
      env: this.#texts.record(own, this.#names({ batch }), "written"),
      ...optional("cwd", this.#template(node.get("cwd"), attempt)),
      span: this.#span(attempt),
    };
  }

  #names(place: Place): Names {
    return this.#options.scopes.at({ env: this.#options.env, ...place, steps: this.#settled });
  }

  #template(node: Node | undefined, names: Names): Template | undefined {
    if (node === undefined) return undefined;
    this.#checkDurations(node);
    return this.#texts.template(node, names);
  }

  // The schema knows the form; only parseDuration knows the longest.
  #checkDurations(node: Node): void {
    if (node !== this.#node.get("timeout")) return;
    durationOf(node, this.#texts);
  }

  #checkId(): void {
    const at = this.#node.get("id")!;
    const id = this.#vertex.id;
    if (/^[A-Za-z_]\w*$/.test(id) && !isIdentifier(id)) {
      this.#texts.fault(
        at,
        "name",
        `\`${id}\` is a word of the expression language and cannot be an id`,
        `${id}_`,
      );
    }
  }

  #work(names: Names): { uses: string; inputs: Template; module?: string } {
    const run = this.#node.entry("run");
    const uses = this.#node.entry("uses");
    const given = this.#node.entry("with");
    const id = this.#vertex.id;
    if (run === undefined && uses === undefined) {
      // A misspelt key is reported with its suggestion.
      const misspelt = this.#node.entries.some(({ key }) => nearest(key, ["run", "uses"]));
      if (misspelt) return { uses: "shell", inputs: constant(null) };
      this.#texts.fault(
        this.#node.get("id")!,
        "one-of",
        `step \`${id}\` needs \`run\` or \`uses\``,
      );
    } else if (run !== undefined && uses !== undefined) {
      const later = run.from > uses.from ? run : uses;
      this.#texts.fault(
        later,
        "one-of",
        `step \`${id}\` has both \`run\` and \`uses\`; keep one of them`,
      );
    } else if (run !== undefined && given !== undefined) {
      this.#texts.fault(
        given,
        "one-of",
        "`with` goes with `uses`; give a command its values by `env`",
      );
    }
    if (run !== undefined) {
      if (run.value.kind !== "scalar" || typeof run.value.value !== "string") {
        return { uses: "shell", inputs: constant(null) };
      }
      const { template, raw } = this.#texts.shell(run.value, names);
      for (const offset of raw) {
        this.#options.raw(`${this.#options.list}.${id}.run`, offset);
      }
      return { uses: "shell", inputs: objectOf([["run", template]]) };
    }
    const type = textOf(uses?.value) ?? "";
    if (uses !== undefined) this.#checkPlugin(type, uses.value);
    const inputs = asMapping(given?.value);
    if (inputs === undefined) return { uses: type, inputs: constant({}) };
    const module = this.#checkWith(type, inputs);
    return {
      uses: type,
      inputs: objectOf(inputs.entries.map((entry) => [
        entry.key,
        this.#input(type, entry, names),
      ])),
      ...(module === undefined ? {} : { module }),
    };
  }

  // The schema knows the form `plugin/step`; which step types there are, only the plugin itself.
  #checkPlugin(type: string, at: Node): void {
    const [plugin, step] = type.split("/", 2);
    const { plugins } = this.#options;
    if (!step || plugins.has(plugin)) return;
    const near = nearest(plugin, plugins);
    this.#texts.fault(
      at,
      "unknown-name",
      `no plugin of the workflow's \`plugins:\` has the name \`${plugin}\`; ` +
        `add \`- use: ${plugin}\` there, or the path of its file`,
      near === undefined ? undefined : `${near}/${step}`,
    );
  }

  #input(type: string, entry: Entry, names: Names): Template {
    const { key, value } = entry;
    if (type === "http" && (key === "headers" || key === "query") && value.kind === "mapping") {
      return objectOf(Object.entries(this.#texts.record(value, names, "written")));
    }
    return this.#texts.template(value, names);
  }

  #checkWith(type: string, inputs: Mapping): string | undefined {
    const key = { script: "module", workflow: "file" }[type];
    if (key !== undefined) {
      const at = inputs.get(key);
      if (at !== undefined && mayHoldExpression(at)) {
        this.#texts.fault(
          at,
          "literal",
          `\`${key}\` is a plain path, so that a change of the file can be told; it takes no expression`,
        );
        return undefined;
      }
      return textOf(at);
    }
    if (type === "http") this.#checkHttp(inputs);
    if (type === "wait") this.#checkWait(inputs);
    return undefined;
  }

  #checkHttp(inputs: Mapping): void {
    const json = inputs.entry("json");
    if (json !== undefined && inputs.get("body") !== undefined) {
      this.#texts.fault(json, "one-of", "a request has one body: keep `body` or `json`");
    }
    const url = inputs.get("url");
    const text = textOf(url);
    if (url === undefined || text === undefined || mayHoldExpression(url)) return;
    if (!/^https?:\/\/[^/?#]/i.test(text) || !URL.canParse(text)) {
      this.#texts.fault(url, "value", `\`url\` must start with http:// or https://, not "${text}"`);
    }
  }

  #checkWait(inputs: Mapping): void {
    const until = inputs.get("until");
    const given = inputs.get("for");
    if ((given === undefined) === (until === undefined)) {
      this.#texts.fault(
        this.#node.entry("with")!,
        "one-of",
        "a wait takes exactly one of `for` (a duration) and `until` (a time)",
      );
    }
    if (given !== undefined) durationOf(given, this.#texts);
    const text = textOf(until);
    if (until === undefined || text === undefined || mayHoldExpression(until)) return;
    const form = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
    if (!form.test(text) || Number.isNaN(Date.parse(text))) {
      this.#texts.fault(
        until,
        "value",
        `\`until\` must be a time such as 2030-01-31T08:00:00Z (RFC 3339), not "${text}"`,
      );
    }
  }

  #forEach(): ForEach | undefined {
    const entry = this.#node.entry("for_each");
    if (entry === undefined) return undefined;
    const names = this.#names({});
    const { value } = entry;
    if (value.kind !== "mapping") {
      return {
        source: { kind: "list", list: this.#texts.template(value, names) },
        onItemError: { kind: "fail" },
      };
    }
    const kinds = (["list", "glob", "file"] as const).filter((kind) =>
      value.get(kind) !== undefined
    );
    if (kinds.length !== 1) {
      this.#texts.fault(
        kinds.length === 0 ? entry : value.entry(kinds[1])!,
        "one-of",
        `for_each takes its items from exactly one of \`list\`, \`glob\` and \`file\`` +
          (kinds.length === 0
            ? ""
            : `, not from ${kinds.map((kind) => `\`${kind}\``).join(" and ")}`),
      );
    }
    const kind = kinds[0] ?? "list";
    const template = this.#texts.template(
      value.get(kind) ?? new Scalar(null, 0, 0, "plain"),
      names,
    );
    const format = value.entry("format");
    if (format !== undefined && kind !== "file") {
      this.#texts.fault(format, "one-of", "`format` goes with `file`");
    }
    const file = textOf(value.get("file"));
    if (
      file !== undefined && format === undefined && !file.includes("${{") &&
      !/\.(ndjson|jsonl|csv)$/i.test(file)
    ) {
      this.#texts.fault(
        value.get("file")!,
        "format",
        "the file's ending does not tell its format; add `format: ndjson` or `format: csv`",
      );
    }
    return {
      source: kind === "list"
        ? { kind, list: template }
        : kind === "glob"
        ? { kind, glob: template }
        : {
          kind,
          file: template,
          ...optional("format", wordOf(format?.value, ["ndjson", "csv"] as const)),
        },
      ...optional("batch", this.#template(value.get("batch"), names)),
      ...optional("concurrency", this.#template(value.get("concurrency"), names)),
      onItemError: this.#onItemError(value.get("on_item_error")),
    };
  }

  #batchKind(): "item" | "items" {
    const batch = asMapping(this.#node.get("for_each"))?.get("batch");
    return batch === undefined || numberOf(batch) === 1 ? "item" : "items";
  }

  #onItemError(node: Node | undefined): ForEach["onItemError"] {
    const at = asMapping(node)?.get("stop_above");
    const text = textOf(at);
    if (at !== undefined && text !== undefined && /^\d+(\.\d+)?%$/.test(text)) {
      const share = Number(text.slice(0, -1)) / 100;
      if (share > 0 && share < 1) return { kind: "stop_above", share };
      this.#texts.fault(
        at,
        "bounds",
        `\`stop_above\` must lie between 0% and 100%, not ${text}; ` +
          "to stop at the first failure write `on_item_error: fail`, to go on `continue`",
      );
    }
    return { kind: wordOf(node, ["fail", "continue"]) ?? "fail" };
  }

  #retry(): Retry | undefined {
    const node = asMapping(this.#node.get("retry"));
    if (node === undefined) return undefined;
    const longest = durationOf(node.get("max"), this.#texts);
    const initialMs = durationOf(node.get("initial"), this.#texts) ?? Math.min(500, longest ?? 500);
    const maxMs = longest ?? Math.max(30_000, initialMs);
    if (initialMs > maxMs) {
      this.#texts.fault(node.get("initial")!, "bounds", "`initial` is longer than `max`");
    }
    const classes = ["transient", "timeout", "error"] as const satisfies readonly ErrorClass[];
    return {
      attempts: numberOf(node.get("attempts")) ?? 1,
      backoff: wordOf(node.get("backoff"), ["constant", "linear", "exponential"]) ?? "exponential",
      initialMs,
      maxMs,
      jitter: wordOf(node.get("jitter"), ["none", "full", "equal"]) ?? "full",
      on: node.get("on") === undefined
        ? ["transient", "timeout"]
        : classes.filter((name) => itemsOf(node.get("on")).some((item) => textOf(item) === name)),
    };
  }

  #span(names: Names): Step["span"] {
    const node = asMapping(this.#node.get("span"));
    const name = node?.get("name");
    if (name !== undefined && mayHoldExpression(name)) {
      this.#texts.fault(
        name,
        "literal",
        "a span's name is plain text, so that spans can be grouped by it; put values into `attributes`",
      );
    }
    return {
      ...optional("name", textOf(name)),
      attributes: this.#texts.record(node?.get("attributes"), names),
    };
  }
}

/** A literal duration in milliseconds; one that is too long is reported. */
export function durationOf(node: Node | undefined, texts: Texts): number | undefined {
  const value = node === undefined ? undefined : literal(node);
  if (typeof value !== "string" || node === undefined) return undefined;
  const ms = parseDuration(value);
  if (ms === undefined && /^[\d.smhd]+$/.test(value)) {
    texts.fault(node, "value", `a duration may be ten years at most, not ${value}`);
  }
  return ms;
}

/** `{ [key]: value }`, or nothing when there is no value. */
export function optional<K extends string, T>(
  key: K,
  value: T | undefined,
): { readonly [P in K]?: T } {
  return value === undefined ? {} : { [key]: value } as { [P in K]: T };
}

function asBoolean(node: Node | undefined): boolean {
  return node?.kind === "scalar" && node.value === true;
}
