import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { misfits } from "./_fits.ts";
import { schemaProblems } from "./_schema.ts";

// Levels of lists and mappings, in a configuration and in a schema: nobody writes as many, and recursion stands them.
const DEEPEST = 100;
// More than a person mends at once.
const MOST_PROBLEMS = 20;

/** What came of a configuration: with its defaults filled in, or what is wrong with it. */
export type CheckedConfig =
  | {
    /** The configuration; nothing of it is shared with the schema. */
    readonly config: JsonObject;
  }
  | {
    /** Sentences; the first one says so if it is the plugin's author who has something to mend. */
    readonly problems: readonly string[];
  };

/**
 * Checks a plugin's configuration, or a step's `with:`, by the plugin's JSON Schema. It interprets the schema: a
 * compiler of schemas makes code of them, which is no way to treat what comes out of a sandbox, and takes longer to load
 * than all that there is to check. Never throws, whatever it is given.
 */
export function checkConfig(schema: JsonObject | undefined, value: JsonObject): CheckedConfig {
  if (schema === undefined) {
    const [name] = Object.keys(value);
    if (name === undefined) return { config: {} };
    return { problems: [`there is no \`${name}\`: the plugin takes no configuration`] };
  }
  const faults = tooDeep(schema, DEEPEST)
    ? [`it is nested too deeply: at most ${DEEPEST} levels`]
    : [...schemaProblems(schema)];
  if (faults.length === 0) faults.push(...badDefaults(schema, ""));
  if (faults.length > 0) {
    const [first, ...others] = few(faults);
    return {
      problems: [
        `the plugin's own schema does not hold, which its author must mend: ${first}`,
        ...others,
      ],
    };
  }
  if (tooDeep(value, DEEPEST)) {
    return {
      problems: [`the configuration is nested too deeply: at most ${DEEPEST} levels`],
    };
  }
  const config = filled(schema, value);
  const problems = misfits(schema, config);
  return problems.length > 0 ? { problems: few(problems) } : { config: config as JsonObject };
}

function few(problems: readonly string[]): readonly string[] {
  if (problems.length <= MOST_PROBLEMS) return problems;
  const more = problems.length - MOST_PROBLEMS;
  return [...problems.slice(0, MOST_PROBLEMS), `and ${more} more`];
}

// Defaults are filled in along `properties`, `items` and `allOf`: in a choice of forms nobody could say whose.
function filled(schema: JsonObject, value: Json): Json {
  if (Array.isArray(value)) {
    const { items } = schema;
    return isObject(items) ? value.map((item) => filled(items, item)) : value;
  }
  if (!isObject(value)) return value;
  const properties = propertiesOf(schema);
  const entries = Object.entries(value).map(([name, part]): [string, Json] => [
    name,
    Object.hasOwn(properties, name) ? filled(properties[name], part) : part,
  ]);
  for (const [name, property] of Object.entries(properties)) {
    if (Object.hasOwn(value, name) || !Object.hasOwn(property, "default")) continue;
    entries.push([name, filled(property, structuredClone(property.default))]);
  }
  // As own properties all of them, `__proto__` too.
  let config: Json = Object.fromEntries(entries);
  for (const part of (schema.allOf ?? []) as readonly JsonObject[]) config = filled(part, config);
  return config;
}

function badDefaults(schema: JsonObject, path: string): readonly string[] {
  const faults: string[] = [];
  for (const [name, property] of Object.entries(propertiesOf(schema))) {
    const inner = path === "" ? name : `${path}.${name}`;
    if (Object.hasOwn(property, "default")) {
      const bad = misfits(property, filled(property, property.default), inner)[0];
      if (bad !== undefined) faults.push(`the default of \`${inner}\` does not fit: ${bad}`);
    }
    faults.push(...badDefaults(property, inner));
  }
  if (isObject(schema.items)) faults.push(...badDefaults(schema.items, `${path}[]`));
  for (const part of (schema.allOf ?? []) as readonly JsonObject[]) {
    faults.push(...badDefaults(part, path));
  }
  return faults;
}

function propertiesOf(schema: JsonObject): Readonly<Record<string, JsonObject>> {
  return (schema.properties ?? {}) as Readonly<Record<string, JsonObject>>;
}

function tooDeep(value: Json, left: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return left === 0 || Object.values(value).some((part) => tooDeep(part, left - 1));
}
