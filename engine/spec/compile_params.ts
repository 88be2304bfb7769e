import { nearest } from "../core/diagnostic.ts";
import type { Parameter, ParameterType, SecretSource, Tune } from "../core/parameter.ts";
import { patternProblem } from "../expression/pattern.ts";
import { literal, type Texts } from "./texts.ts";
import {
  asMapping,
  itemsOf,
  type Mapping,
  type Node,
  numberOf,
  textOf,
  toJson,
  wordOf,
} from "./tree.ts";
import { checkValue, range } from "./values.ts";

const TYPES = [
  "string",
  "integer",
  "number",
  "boolean",
  "duration",
  "enum",
  "list",
  "object",
  "secret",
] as const satisfies readonly ParameterType[];

// Which keys go with which types; the others go with all.
const ONLY: Readonly<Record<string, readonly ParameterType[]>> = {
  min: ["integer", "number"],
  max: ["integer", "number"],
  pattern: ["string"],
  values: ["enum"],
  from: ["secret"],
  tune: ["integer", "number", "enum"],
};

/** Compiles `params:`; parameters whose type is unknown are left out, with their mistakes reported. */
export function compileParams(node: Node | undefined, texts: Texts): Map<string, Parameter> {
  const params = new Map<string, Parameter>();
  for (const entry of asMapping(node)?.entries ?? []) {
    if (!isIdentifier(entry.key)) {
      const usable = entry.key.replaceAll(/[^A-Za-z0-9_]/g, "_");
      texts.fault(
        entry,
        "name",
        `the parameter's name \`${entry.key}\` must be letters, digits and \`_\`, ` +
          "not starting with a digit, and no word of the expression language",
        isIdentifier(usable) ? usable : undefined,
      );
    }
    const type = wordOf(asMapping(entry.value)?.get("type"), TYPES);
    if (entry.value.kind !== "mapping" || type === undefined) continue;
    params.set(entry.key, compileParam(entry.key, type, entry.value, entry, texts));
  }
  return params;
}

const RESERVED = new Set(
  ("as break const continue else false for function if import in let loop null namespace package " +
    "return true var void while").split(" "),
);

/** Whether an expression can name it: `params.NAME`, `steps.NAME` (the CEL specification's IDENT). */
export function isIdentifier(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !RESERVED.has(name);
}

function compileParam(
  name: string,
  type: ParameterType,
  node: Mapping,
  key: { from: number; to: number },
  texts: Texts,
): Parameter {
  for (const entry of node.entries) {
    const types = ONLY[entry.key];
    if (types !== undefined && !types.includes(type)) {
      texts.fault(
        entry,
        "param",
        `\`${entry.key}\` goes with type ${types.join(", ")}, and \`${name}\` is of type ${type}`,
      );
    }
  }
  const numeric = type === "integer" || type === "number";
  const min = numeric ? numberOf(node.get("min")) : undefined;
  const max = numeric ? numberOf(node.get("max")) : undefined;
  if (min !== undefined && max !== undefined && min > max) {
    texts.fault(node.entry("min")!, "bounds", `\`min\` (${min}) is greater than \`max\` (${max})`);
  }
  const values = type === "enum" ? words(node.get("values")) : undefined;
  if (type === "enum" && node.get("values") === undefined) {
    texts.fault(key, "missing-key", `\`${name}\` is an enum and needs \`values\``);
  }
  const description = textOf(node.get("description"));
  const parameter: Parameter = {
    name,
    type,
    ...(description === undefined ? {} : { description }),
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(values === undefined ? {} : { values }),
    ...pattern(type, node, texts),
    ...secret(name, type, node, key, texts),
    ...(node.get("tune")?.kind === "mapping"
      ? { tune: tune(name, type, node, values, texts) }
      : {}),
  };
  return { ...parameter, ...defaultOf(parameter, node, texts) };
}

function pattern(type: ParameterType, node: Mapping, texts: Texts): { pattern?: string } {
  const at = node.get("pattern");
  const text = textOf(at);
  if (type !== "string" || at === undefined || text === undefined) return {};
  const problem = patternProblem(text);
  if (problem === undefined) return { pattern: text };
  texts.fault(at, "pattern", problem);
  return {};
}

function secret(
  name: string,
  type: ParameterType,
  node: Mapping,
  key: { from: number; to: number },
  texts: Texts,
): { from?: SecretSource } {
  if (type !== "secret") return {};
  const from = node.get("from");
  if (from === undefined) {
    texts.fault(
      key,
      "missing-key",
      `the secret \`${name}\` needs \`from: { env: NAME }\` or \`from: { file: PATH }\``,
    );
    return {};
  }
  if (from.kind !== "mapping") return {};
  const env = textOf(from.get("env"));
  const file = textOf(from.get("file"));
  if ((from.get("env") === undefined) === (from.get("file") === undefined)) {
    texts.fault(
      node.entry("from")!,
      "one-of",
      `the secret \`${name}\` comes from exactly one of \`env\` and \`file\``,
    );
  }
  if (env !== undefined) return { from: { env } };
  return file === undefined ? {} : { from: { file } };
}

function defaultOf(parameter: Parameter, node: Mapping, texts: Texts): Partial<Parameter> {
  const entry = node.entry("default");
  if (entry === undefined) return {};
  if (parameter.type === "secret") {
    texts.fault(entry, "secret", "a secret has no default; its value comes from `from`");
    return {};
  }
  const at = entry.value.to > entry.value.from ? entry.value : entry;
  if (literal(entry.value) === undefined) {
    texts.fault(at, "default", "a default is a plain value and holds no expression");
    return {};
  }
  const value = toJson(entry.value);
  const problem = checkValue(parameter, value);
  if (problem !== undefined) {
    const suggestion = parameter.type === "enum" && typeof value === "string"
      ? nearest(value, parameter.values ?? [])
      : undefined;
    texts.fault(at, "default", problem, suggestion);
    return {};
  }
  const bounds = parameter.tune;
  if (
    typeof value === "number" && bounds !== undefined &&
    (value < (bounds.min ?? value) || value > (bounds.max ?? value))
  ) {
    texts.fault(
      at,
      "default",
      `${parameter.name} must be ${
        range(bounds.min, bounds.max)
      }, the bounds of its \`tune\`, not ${value}`,
    );
  }
  if (
    bounds?.choices !== undefined && typeof value === "string" && !bounds.choices.includes(value)
  ) {
    texts.fault(
      at,
      "default",
      `${parameter.name} must be one of the choices of its \`tune\` (${
        bounds.choices.join(", ")
      }), not "${value}"`,
    );
  }
  return { default: value };
}

function tune(
  name: string,
  type: ParameterType,
  param: Mapping,
  values: readonly string[] | undefined,
  texts: Texts,
): Tune {
  const entry = param.entry("tune")!;
  const node = entry.value as Mapping;
  const numeric = type === "integer" || type === "number";
  const min = numberOf(node.get("min"));
  const max = numberOf(node.get("max"));
  const step = numberOf(node.get("step"));
  const scale = wordOf(node.get("scale"), ["linear", "log"]) ?? "linear";
  if (numeric) {
    for (const bound of ["min", "max"] as const) {
      if (node.get(bound) === undefined) {
        texts.fault(
          entry,
          "missing-key",
          `\`tune\` of \`${name}\` needs \`${bound}\`: a change stays within bounds`,
        );
      }
    }
    if (node.get("choices") !== undefined) {
      texts.fault(node.entry("choices")!, "tune", "`choices` goes with type enum");
    }
    const least = numberOf(param.get("min"));
    const greatest = numberOf(param.get("max"));
    if (min !== undefined && max !== undefined && min > max) {
      texts.fault(
        node.entry("min")!,
        "bounds",
        `\`min\` (${min}) is greater than \`max\` (${max})`,
      );
    }
    if (min !== undefined && least !== undefined && min < least) {
      texts.fault(
        node.entry("min")!,
        "bounds",
        `\`tune.min\` (${min}) is below the parameter's \`min\` (${least})`,
      );
    }
    if (max !== undefined && greatest !== undefined && max > greatest) {
      texts.fault(
        node.entry("max")!,
        "bounds",
        `\`tune.max\` (${max}) is above the parameter's \`max\` (${greatest})`,
      );
    }
    if (type === "integer") {
      for (const key of ["min", "max", "step"]) {
        const value = numberOf(node.get(key));
        if (value !== undefined && !Number.isInteger(value)) {
          texts.fault(
            node.get(key)!,
            "bounds",
            `\`${key}\` of an integer must be a whole number, not ${value}`,
          );
        }
      }
    }
    if (scale === "log" && min !== undefined && min <= 0) {
      texts.fault(node.entry("min")!, "bounds", "`scale: log` needs a `min` above 0");
    }
  } else if (type === "enum") {
    for (const key of ["min", "max", "step", "scale", "max_step"]) {
      const at = node.entry(key);
      if (at !== undefined) texts.fault(at, "tune", `\`${key}\` goes with integer and number`);
    }
  }
  const choices = type === "enum" ? words(node.get("choices")) : undefined;
  for (const choice of choices === undefined ? [] : itemsOf(node.get("choices"))) {
    if (!values?.includes(textOf(choice) ?? "")) {
      texts.unknown(
        choice,
        `\`${textOf(choice)}\` is none of the values of \`${name}\``,
        values ?? [],
      );
    }
  }
  const maxStep = node.get("max_step");
  const factor = textOf(maxStep);
  const amount = numberOf(maxStep);
  if (factor !== undefined && maxStep !== undefined && Number(factor.slice(0, -1)) <= 1) {
    texts.fault(maxStep, "tune", `\`max_step\` must be a factor above 1, not ${factor}`);
  }
  return {
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(step === undefined ? {} : { step }),
    scale,
    ...(factor !== undefined
      ? { maxStep: { factor: Number(factor.slice(0, -1)) } }
      : amount !== undefined
      ? { maxStep: { amount } }
      : {}),
    apply: wordOf(node.get("apply"), ["next_run", "live"]) ?? "next_run",
    mode: wordOf(node.get("mode"), ["off", "recommend", "auto"]) ?? "recommend",
    ...(choices === undefined ? {} : { choices }),
  };
}

function words(node: Node | undefined): string[] | undefined {
  if (node?.kind !== "list") return undefined;
  return node.items.map(textOf).filter((text) => text !== undefined);
}
