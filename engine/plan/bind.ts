import type { Json, JsonObject } from "../core/json.ts";
import { isObject } from "../core/json.ts";
import { nearest } from "../core/diagnostic.ts";
import { InvalidError } from "../core/errors.ts";
import { LEAST_SECRET, Masker } from "../core/mask.ts";
import type { Parameter, SecretSource, ValueSource } from "../core/parameter.ts";
import type { Workflow } from "../core/workflow.ts";
import { checkValue, parseValue } from "../spec/values.ts";

/** Where values may come from (V3). Secrets are read by `readSecret` only, never given (V4). */
export interface Given {
  /** From the command line, as text. */
  readonly text?: Readonly<Record<string, string>>;
  /** From a `--params` file. */
  readonly file?: JsonObject;
  /** From the calling workflow. */
  readonly caller?: JsonObject;
  /** The environment; a value stands in `SPANLOOP_PARAM_<NAME>`, the name in capitals. */
  readonly environment: Readonly<Record<string, string>>;
  /** Tuned values by name. */
  readonly tuned?: JsonObject;
  /** Reads a secret's value; undefined when it is not there. */
  readonly readSecret: (source: SecretSource) => string | undefined;
}

/** The values of one run. */
export interface Binding {
  /** What expressions see. */
  readonly params: JsonObject;
  /** What is journalled and shown: a secret is `{ "secret": "env NAME" }` (J6). */
  readonly journalled: JsonObject;
  /** Where each came from. */
  readonly sources: Readonly<Record<string, ValueSource>>;
  /** Masks this run's secrets. */
  readonly masker: Masker;
}

/** The environment variable that gives parameter `name` a value. */
export function parameterVariable(name: string): string {
  return `SPANLOOP_PARAM_${name.toUpperCase()}`;
}

/**
 * Gives every declared parameter its value, by precedence: command line, params file, environment, caller,
 * tuned, default (V3). Throws InvalidError with every value that does not hold, in one go.
 */
export function bind(workflow: Workflow, given: Given): Binding {
  const problems: string[] = [];
  const params: Record<string, Json> = {};
  const journalled: Record<string, Json> = {};
  const sources: Record<string, ValueSource> = {};
  const secrets: string[] = [];
  refuseUnknown(workflow, given, problems);
  for (const parameter of workflow.params.values()) {
    const { name } = parameter;
    if (parameter.type === "secret") {
      const value = secret(parameter, given, problems);
      if (value !== undefined) secrets.push(value);
      params[name] = value ?? "";
      journalled[name] = { secret: describeSource(parameter.from) };
      sources[name] = "default";
      continue;
    }
    const found = find(parameter, given);
    if (found === undefined) {
      problems.push(
        `${name} needs a value: it has no default. Give it with --param ${name}=… or ` +
          parameterVariable(name),
      );
    } else if ("problem" in found) {
      problems.push(`${found.problem} (from the ${found.source})`);
    } else {
      const problem = checkValue(parameter, found.value);
      if (problem !== undefined) problems.push(`${problem} (from the ${found.source})`);
      params[name] = journalled[name] = found.value;
      sources[name] = found.source;
    }
  }
  if (problems.length > 0) {
    throw new InvalidError(
      `Cannot start ${workflow.name}: ${problems.length === 1 ? "" : "\n  "}${
        problems.join("\n  ")
      }`,
    );
  }
  return { params, journalled, sources, masker: new Masker(secrets) };
}

/**
 * The binding of a run that is resumed: its recorded values, and its secrets read again by name (J6).
 * Throws InvalidError when a secret is missing now (V4).
 */
export function rebind(
  workflow: Workflow,
  recorded: {
    readonly params: JsonObject;
    readonly sources: Readonly<Record<string, ValueSource>>;
  },
  readSecret: Given["readSecret"],
): Binding {
  const problems: string[] = [];
  const params: Record<string, Json> = { ...recorded.params };
  const secrets: string[] = [];
  for (const parameter of workflow.params.values()) {
    if (parameter.type !== "secret") continue;
    const value = secret(parameter, { environment: {}, readSecret }, problems);
    if (value !== undefined) secrets.push(value);
    params[parameter.name] = value ?? "";
  }
  if (problems.length > 0) {
    throw new InvalidError(`Cannot resume ${workflow.name}: ${problems.join("\n  ")}`);
  }
  return {
    params,
    journalled: recorded.params,
    sources: recorded.sources,
    masker: new Masker(secrets),
  };
}

type Found =
  | { readonly value: Json; readonly source: ValueSource }
  | { readonly problem: string; readonly source: ValueSource };

function find(parameter: Parameter, given: Given): Found | undefined {
  const { name } = parameter;
  const typed: readonly [ValueSource, JsonObject | undefined][] = [
    ["params file", given.file],
    ["caller", given.caller],
    ["tuned", given.tuned],
  ];
  const text = (source: ValueSource, raw: string): Found => ({
    ...parseValue(parameter, raw),
    source,
  });
  if (own(given.text, name)) return text("command line", given.text[name]);
  const [file, caller, tuned] = typed.map(([source, values]): Found | undefined =>
    own(values, name) ? { value: values[name], source } : undefined
  );
  if (file !== undefined) return file;
  const variable = given.environment[parameterVariable(name)];
  if (caller === undefined && variable !== undefined) return text("environment", variable);
  if (caller !== undefined) return caller;
  if (tuned !== undefined) return tuned;
  return parameter.default === undefined
    ? undefined
    : { value: parameter.default, source: "default" };
}

function own<T>(
  values: Readonly<Record<string, T>> | undefined,
  name: string,
): values is Readonly<Record<string, T>> {
  return values !== undefined && Object.hasOwn(values, name);
}

function refuseUnknown(workflow: Workflow, given: Given, problems: string[]): void {
  for (
    const [from, values] of [
      ["command line", given.text],
      ["params file", given.file],
      ["caller", given.caller],
    ] as const
  ) {
    for (const name of Object.keys(values ?? {})) {
      const parameter = workflow.params.get(name);
      if (parameter === undefined) {
        const near = nearest(name, workflow.params.keys());
        problems.push(
          `${name} is not a parameter of ${workflow.name} (from the ${from})` +
            (near === undefined ? "" : `; did you mean ${near}?`),
        );
      } else if (parameter.type === "secret") {
        problems.push(
          `${name} is a secret and is not taken from the ${from}: it is read from ` +
            `${describeSource(parameter.from)}`,
        );
      }
    }
  }
}

function secret(parameter: Parameter, given: Given, problems: string[]): string | undefined {
  const source = parameter.from;
  const value = source === undefined ? undefined : given.readSecret(source);
  if (value === undefined || value === "") {
    problems.push(
      `${parameter.name} is a secret and ${describeSource(source)} does not hold it; set it there`,
    );
    return undefined;
  }
  if (value.length < LEAST_SECRET) {
    problems.push(
      `${parameter.name}: the secret in ${describeSource(source)} has fewer than ${LEAST_SECRET} ` +
        "characters, and masking it would garble ordinary text; use a longer one",
    );
    return undefined;
  }
  return value;
}

/** A secret's source in words: `env NAME` or `file PATH`. */
function describeSource(source: SecretSource | undefined): string {
  if (!isObject(source)) return "nothing";
  return "env" in source ? `env ${source.env}` : `file ${source.file}`;
}
