import type { ParameterType } from "../core/parameter.ts";
import type { Environment } from "./environment.ts";
import type { Kind } from "./_values.ts";

/** What is known of an expression before it runs. */
export interface Type {
  /** Its kind; `any` is found out at run time. */
  readonly kind: Kind | "any";
  /** For an object whose fields are known: their types. A field that is absent here is a mistake. */
  readonly fields?: (name: string) => Type | undefined;
  /** For an object whose fields are known: their names, for suggestions. */
  readonly names?: () => Iterable<string>;
  /** What the fields are, for the message: `parameter`. */
  readonly noun?: string;
  /** Whether the value may be null, so that comparing with null makes sense. */
  readonly nullable?: boolean;
  /** Why the value cannot stand by itself or be indexed by a computed key, if so. */
  readonly closed?: string;
}

const simple = (kind: Kind | "any"): Type => ({ kind });

/** Nothing is known. */
export const ANY: Type = simple("any");
/** A text. */
export const STRING: Type = simple("string");
/** A number. */
export const NUMBER: Type = simple("number");
/** True or false. */
export const BOOLEAN: Type = simple("boolean");
/** A list of anything. */
export const LIST: Type = simple("list");
/** An object of anything. */
export const OBJECT: Type = simple("object");

function record(noun: string, fields: Readonly<Record<string, Type>>, nullable = false): Type {
  const known = new Map(Object.entries(fields));
  return {
    kind: "object",
    fields: (name) => known.get(name),
    names: () => known.keys(),
    noun,
    nullable,
  };
}

const ERROR = record("field of an error", { code: STRING, message: STRING }, true);
const RUN = record("field of run", { id: STRING, name: STRING, status: STRING, error: ERROR });
const STEP = record("field of a step", { status: STRING, outputs: ANY, error: ERROR });

// A PluginSpan; what an open, a received or an emitted span lacks is found out at run time.
const SPAN = record("field of a span", {
  ...Object.fromEntries(
    ["traceId", "spanId", "parentSpanId", "name", "kind", "status", "message", "plugin"]
      .concat("workflow", "runId", "role", "stepId", "outcome", "error")
      .map((name) => [name, STRING]),
  ),
  startTime: NUMBER,
  endTime: NUMBER,
  duration: NUMBER,
  attempt: NUMBER,
  attributes: OBJECT,
  links: LIST,
  external: BOOLEAN,
  items: record("field of items", { processed: NUMBER, failed: NUMBER }),
});
const VARIABLES: ReadonlyMap<string, Type> = new Map([["attributes", OBJECT], ["span", SPAN]]);

const PARAMETERS: Readonly<Record<ParameterType, Type>> = {
  string: STRING,
  integer: NUMBER,
  number: NUMBER,
  boolean: BOOLEAN,
  duration: STRING,
  enum: STRING,
  list: LIST,
  object: OBJECT,
  secret: STRING,
};

const cache = new WeakMap<Environment, ReadonlyMap<string, Type>>();

/** The roots that an environment offers, by name. */
export function rootsOf(environment: Environment): ReadonlyMap<string, Type> {
  const known = cache.get(environment);
  if (known !== undefined) return known;
  const { params, env, steps, batch, variables, variablesOnly, noSecrets } = environment;
  const roots = new Map<string, Type>(
    variablesOnly ? [] : [
      ["params", {
        kind: "object",
        fields: (name) => {
          const type = params.get(name);
          return type === undefined ? undefined : PARAMETERS[type];
        },
        names: () => params.keys(),
        noun: "parameter",
        // All of them together, or one by a computed name, may hold a secret.
        ...(noSecrets === undefined
          ? {}
          : { closed: "name one parameter, as in `params.NAME`; some may be secret" }),
      }],
      ["env", {
        kind: "object",
        fields: (name) => env.has(name) ? STRING : undefined,
        names: () => env,
        noun: "env name",
      }],
      ["steps", {
        kind: "object",
        fields: (name) => steps.has(name) ? STEP : undefined,
        names: () => steps,
        noun: "step",
        closed: "name one step, as in `steps.ID.outputs`",
      }],
      ["run", RUN],
    ],
  );
  if (batch !== "none") {
    roots.set("items", LIST);
    for (const name of ["index", "from", "to"]) roots.set(name, NUMBER);
    if (batch === "item") roots.set("item", ANY);
  }
  for (const name of variables ?? []) roots.set(name, VARIABLES.get(name) ?? NUMBER);
  cache.set(environment, roots);
  return roots;
}

/** Roots that exist at other places, for the message. */
export const BATCH_ROOTS: ReadonlySet<string> = new Set(["items", "item", "index", "from", "to"]);
