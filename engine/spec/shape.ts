import { nearest } from "../core/diagnostic.ts";
import { lineEnd, type Report } from "./report.ts";
import { asMapping, type Entry, type Mapping, type Node, textOf, toJson } from "./tree.ts";
import {
  DEFINITIONS,
  KEYS,
  type SchemaError,
  validateSettings,
  validateStep,
  validateWorkflow,
} from "./validator.js";

const LISTS = ["steps", "on_failure", "finally"];

/** Holds the tree against the schema and reports every difference at its place. */
export function checkShape(root: Mapping, text: string, report: Report): void {
  const flat = Object.fromEntries(
    root.entries.map((entry) => [
      entry.key,
      // Steps are checked one by one below: their JSON need not stand in memory all at once.
      LISTS.includes(entry.key) && entry.value.kind === "list"
        ? entry.value.items.map(() => 0)
        : toJson(entry.value),
    ]),
  );
  if (!validateWorkflow(flat)) {
    for (const error of validateWorkflow.errors ?? []) {
      if (report.full()) return;
      new Translator(text, report, root, "workflow").translate(error);
    }
  }
  for (const list of LISTS) {
    const steps = root.get(list);
    if (steps?.kind !== "list") continue;
    for (const step of steps.items) {
      if (report.full()) return;
      if (validateStep(toJson(step))) continue;
      for (const error of validateStep.errors ?? []) {
        if (report.full()) return;
        new Translator(text, report, step, "step").translate(error);
      }
    }
  }
}

/** Holds the tree of spanloop.yaml against its schema and reports every difference at its place. */
export function checkSettingsShape(root: Mapping, text: string, report: Report): void {
  if (validateSettings(toJson(root))) return;
  for (const error of validateSettings.errors ?? []) {
    if (report.full()) return;
    new Translator(text, report, root, "settings").translate(error);
  }
}

// What is held against the schema, in words.
const ROOTS = { workflow: "a workflow", step: "a step", settings: "spanloop.yaml" } as const;

// What a definition wants, in words; the schema's own keywords are no sentence.
const WANTED: Readonly<Record<string, string>> = {
  name: "letters, digits, `_`, `-` and `.`, starting with a letter or digit, at most 100",
  baggageName: "letters, digits, `_`, `-` and `.`, starting with a letter or `_`, at most 100",
  baggageValue: "text, a number, true or false, or { from: caller }",
  identifier: "letters, digits and `_`, not starting with a digit",
  variable: "letters, digits and `_`, not starting with a digit",
  duration: "a duration such as 500ms, 2m or 1h30m",
  durationText: "a duration such as 500ms, 2m or 1h30m, or an expression",
  countText: "a whole number of at least 1, or an expression",
  priorityText: "a whole number from 0 to 9, or an expression",
  percentage: "a percentage such as 5%",
  statusCode: "a code from 100 to 599, or a range such as 2xx",
  access: "true, or a list of names",
  if: "an expression",
  needs: "a step's id, or a list of them",
  max_step: "a factor such as 4x, or an amount",
  below: "a number (0.02 for 2 %, seconds for a duration)",
  above: "a number (seconds for a duration)",
  forEach: "a list, an expression, or a mapping with `list`, `glob` or `file`",
  list: "a list or an expression",
  attribute: "text, a number, true or false, or a list of these",
  scalar: "text, a number, true or false",
  commandName: "lower-case letters, digits, `_`, `-` and `.`, starting with a letter, at most 100",
  command: "a command's name, or a list of them",
  plugins: "a list of plugins, such as [{ use: slow_step }]",
  plugin: "a mapping with `use`, such as { use: slow_step }",
  names: "a list of names",
  pluginStep: "a plugin's name, `/` and the name of its step type, such as my_plugin/check",
  storeText: "sqlite:FILE or memory:",
};

// One of a list's mappings, in words.
const ITEMS: Readonly<Record<string, string>> = {
  plugins: "a plugin",
  schedule: "a schedule",
  guards: "a guard",
  blackout: "a blackout window",
};

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  null: "nothing",
};

const LATER: Readonly<Record<string, string>> = {
  "workflow#/properties/on/span": "starting on a span",
  "workflow#/properties/on/alert": "starting on an alert",
};

class Translator {
  readonly #text: string;
  readonly #report: Report;
  readonly #root: Node;
  readonly #what: keyof typeof ROOTS;

  constructor(text: string, report: Report, root: Node, what: keyof typeof ROOTS) {
    this.#text = text;
    this.#report = report;
    this.#root = root;
    this.#what = what;
  }

  translate(error: SchemaError): void {
    // `if` only repeats what `then` and `else` say; a bad property name is told by its own rule.
    if (error.keyword === "if" || error.keyword === "propertyNames") return;
    const pointer = error.schemaPath.slice(error.schemaPath.indexOf("#"));
    const path = this.#what + pointer.slice(0, pointer.lastIndexOf("/"));
    const { node, entry, name } = this.#find(error.instancePath);
    switch (error.keyword) {
      case "additionalProperties":
        return this.#unknown(node, entry, name, path, String(error.params.additionalProperty));
      case "required":
        return this.#missing(node, entry, name, path, String(error.params.missingProperty));
      case "enum":
        return this.#choice(node, entry, name, error.params.allowedValues as string[]);
      default:
        return this.#value(node, entry, name, path, error);
    }
  }

  #find(pointer: string): { node: Node; entry?: Entry; name: string } {
    let node = this.#root;
    let entry: Entry | undefined;
    let name = "";
    for (const raw of pointer.split("/").slice(1)) {
      const key = raw.replaceAll("~1", "/").replaceAll("~0", "~");
      if (node.kind === "list") {
        node = node.items[Number(key)];
        entry = undefined;
      } else if (node.kind === "mapping") {
        entry = node.entry(key);
        if (entry === undefined) break;
        node = entry.value;
        name = key;
      }
    }
    return { node, entry, name };
  }

  #unknown(
    node: Node,
    entry: Entry | undefined,
    name: string,
    path: string,
    key: string,
  ): void {
    const other = asMapping(node)?.entry(key);
    if (other === undefined) return;
    const later = LATER[`${path}/${key}`];
    if (later !== undefined) {
      return this.#add(other.from, other.to, "not-yet", `not yet supported: ${later} (\`${key}\`)`);
    }
    const keys = KEYS[path] ?? [];
    const own = path === "workflow#" ? /^x[-_](.*)$/i.exec(key) : null; // such keys are the author's own
    const suggestion = own === null ? nearest(key, keys) : `x-${own[1]}`;
    const where = this.#subject(entry, name);
    const known = suggestion === undefined ? `; known here: ${keys.join(", ")}` : "";
    this.#add(
      other.from,
      other.to,
      "unknown-key",
      `${where} has no key \`${key}\`${known}`,
      suggestion,
    );
  }

  #missing(
    node: Node,
    entry: Entry | undefined,
    name: string,
    path: string,
    key: string,
  ): void {
    const misspelt = (asMapping(node)?.entries ?? []).find((other) =>
      nearest(other.key, [key]) !== undefined && KEYS[path]?.includes(other.key) !== true
    );
    // In a closed mapping that key is reported itself, with this one as the suggestion.
    if (misspelt !== undefined && KEYS[path] !== undefined) return;
    const id = name === "" ? textOf(asMapping(node)?.get("id")) : undefined;
    const who = name !== "" || this.#what !== "step"
      ? this.#subject(entry, name)
      : id === undefined
      ? "this step"
      : `step \`${id}\``;
    const at = misspelt ?? entry;
    const [from, to] = at !== undefined
      ? [at.from, at.to]
      : [node.from, Math.min(node.to, lineEnd(this.#text, node.from))];
    this.#add(
      from,
      to,
      "missing-key",
      `${who} needs \`${key}\`${misspelt === undefined ? "" : `, and has \`${misspelt.key}\``}`,
    );
  }

  #choice(node: Node, entry: Entry | undefined, name: string, allowed: string[]): void {
    const text = textOf(node);
    if (name === "uses" && text !== undefined) {
      if (text === "shell") {
        return this.#at(
          node,
          entry,
          "choice",
          "a shell command is written as `run:`, without `uses`",
        );
      }
      if (text === "approval") {
        return this.#at(
          node,
          entry,
          "not-yet",
          "not yet supported: steps that wait for approval (`approval`)",
        );
      }
    }
    if (node.kind !== "scalar" || text === undefined) {
      // The type is wrong too, and that is said already.
      if (text === undefined && name !== "on_item_error") return;
    }
    this.#at(
      node,
      entry,
      "choice",
      `\`${name}\` must be one of ${allowed.join(", ")}${
        name === "on_item_error" ? ", { stop_above: 5% }" : ""
      }, not ${this.#show(node)}`,
      text === undefined ? undefined : nearest(text, allowed),
    );
  }

  #value(
    node: Node,
    entry: Entry | undefined,
    name: string,
    path: string,
    error: SchemaError,
  ): void {
    const definition = DEFINITIONS[path] ?? path.slice(path.lastIndexOf("/") + 1);
    const wanted = WANTED[definition] ?? this.#wanted(error);
    if (error.params.propertyName !== undefined || isPropertyName(error)) {
      const key = String((error as { propertyName?: string }).propertyName);
      const at = asMapping(node)?.entry(key);
      if (at === undefined) return;
      return this.#add(at.from, at.to, "name", `the name \`${key}\` must be ${wanted}`);
    }
    if (name === "id" && textOf(node)?.includes("-")) {
      return this.#at(
        node,
        entry,
        "value",
        `a step's id must be ${wanted}, because expressions read it as \`steps.ID\``,
        textOf(node)!.replaceAll("-", "_"),
      );
    }
    const subject = this.#subject(entry, name);
    if (error.keyword === "minItems" || error.keyword === "minLength") {
      return this.#at(node, entry, "value", `${subject} must not be empty`);
    }
    this.#at(node, entry, "value", `${subject} must be ${wanted}, not ${this.#show(node)}`);
  }

  // What is at fault: the value of a key, an item of a list, or all of it.
  #subject(entry: Entry | undefined, name: string): string {
    if (name === "") return ROOTS[this.#what];
    return entry === undefined ? ITEMS[name] ?? `an item of \`${name}\`` : `\`${name}\``;
  }

  #wanted(error: SchemaError): string {
    switch (error.keyword) {
      case "type":
        return [error.params.type].flat().map((type) => TYPES[String(type)]).join(" or ");
      case "minimum":
        return `at least ${error.params.limit}`;
      case "maximum":
        return `at most ${error.params.limit}`;
      case "exclusiveMinimum":
        return `more than ${error.params.limit}`;
      default:
        return "of another form";
    }
  }

  #show(node: Node): string {
    if (node.kind === "list") return "a list";
    if (node.kind === "mapping") return "a mapping";
    if (node.value === null) return "empty";
    const shown = typeof node.value === "string" ? JSON.stringify(node.value) : String(node.value);
    return shown.length > 60 ? `${shown.slice(0, 57)}...` : shown;
  }

  // At the value, or at its key when nothing stands there.
  #at(
    node: Node,
    entry: Entry | undefined,
    code: string,
    message: string,
    suggestion?: string,
  ): void {
    const missing = node.kind === "scalar" && node.value === null && node.to <= node.from + 1;
    const [from, to] = missing && entry !== undefined
      ? [entry.from, entry.to]
      : [node.from, Math.max(node.to, node.from + 1)];
    this.#add(from, to, code, message, suggestion);
  }

  #add(from: number, to: number, code: string, message: string, suggestion?: string): void {
    this.#report.add({
      from,
      to: Math.min(to, Math.max(from + 1, lineEnd(this.#text, from))),
      code,
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }
}

function isPropertyName(error: SchemaError): boolean {
  return (error as { propertyName?: string }).propertyName !== undefined;
}
