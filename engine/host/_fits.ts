import { nearest } from "../core/diagnostic.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { compilePattern } from "../expression/pattern.ts";

const WORDS: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  null: "nothing",
};

/**
 * What is wrong with a value, by a schema that holds (`schemaProblems`): sentences that name it by its path. Unlike in
 * JSON Schema, a schema that lists `properties` and does not say `additionalProperties` allows no others: they are
 * mostly slips of the pen.
 */
export function misfits(schema: JsonObject, value: Json, path = ""): readonly string[] {
  const problems: string[] = [];
  fit(schema, value, path, true, problems);
  return problems;
}

function fit(
  schema: JsonObject,
  value: Json,
  path: string,
  closed: boolean,
  problems: string[],
): void {
  const must = (wanted: string) =>
    problems.push(`${named(path)} must be ${wanted}, not ${shown(value)}`);
  const types = schema.type === undefined ? undefined : [schema.type].flat() as string[];
  if (types !== undefined && !types.some((type) => hasType(type, value))) {
    must(types.map((type) => WORDS[type]).join(" or "));
    return; // what else is wrong follows from it
  }
  if (Array.isArray(schema.enum) && !schema.enum.some((choice) => same(choice, value))) {
    const choices = schema.enum.map(shown);
    const near = typeof value === "string"
      ? nearest(value, schema.enum.filter((choice) => typeof choice === "string"))
      : undefined;
    must(
      `${choices.length === 1 ? "" : "one of "}${choices.slice(0, 20).join(", ")}` +
        (choices.length > 20 ? ", …" : ""),
    );
    if (near !== undefined) problems.push(`${problems.pop()}; did you mean \`${near}\`?`);
  }
  if (Object.hasOwn(schema, "const") && !same(schema.const, value)) must(shown(schema.const));
  if (typeof value === "number") fitNumber(schema, value, must);
  else if (typeof value === "string") fitText(schema, value, must);
  else if (Array.isArray(value)) fitList(schema, value, path, problems);
  else if (isObject(value)) fitObject(schema, value, path, closed, problems);
  fitForms(schema, value, path, problems);
}

function fitNumber(schema: JsonObject, value: number, must: (wanted: string) => void): void {
  const { minimum, maximum, exclusiveMinimum: above, exclusiveMaximum: below, multipleOf } =
    schema as Readonly<Record<string, number | undefined>>;
  if (minimum !== undefined && value < minimum) must(`at least ${minimum}`);
  if (maximum !== undefined && value > maximum) must(`at most ${maximum}`);
  if (above !== undefined && value <= above) must(`more than ${above}`);
  if (below !== undefined && value >= below) must(`less than ${below}`);
  if (multipleOf !== undefined) {
    const times = value / multipleOf;
    // 0.3 is a multiple of 0.1, though not to the last bit.
    if (Math.abs(times - Math.round(times)) > 1e-9 * Math.max(1, Math.abs(times))) {
      must(`a multiple of ${multipleOf}`);
    }
  }
}

function fitText(schema: JsonObject, value: string, must: (wanted: string) => void): void {
  const { minLength: least, maxLength: most } = schema as Readonly<
    Record<string, number | undefined>
  >;
  const length = least === undefined && most === undefined ? 0 : [...value].length;
  if (least !== undefined && length < least) {
    must(least === 1 ? "text that is not empty" : `text of at least ${least} characters`);
  }
  if (most !== undefined && length > most) must(`text of at most ${most} characters`);
  if (typeof schema.pattern === "string" && !compilePattern(schema.pattern).find(value)) {
    must(`text that matches ${schema.pattern}`);
  }
}

function fitList(
  schema: JsonObject,
  value: readonly Json[],
  path: string,
  problems: string[],
): void {
  const { minItems: least, maxItems: most } = schema as Readonly<
    Record<string, number | undefined>
  >;
  const { length } = value;
  if (least !== undefined && length < least) {
    problems.push(`${named(path)} must have at least ${counted(least, "item")}, and has ${length}`);
  }
  if (most !== undefined && length > most) {
    problems.push(`${named(path)} must have at most ${counted(most, "item")}, and has ${length}`);
  }
  if (schema.uniqueItems === true && new Set(value.map(canonical)).size < length) {
    problems.push(`${named(path)} must not have the same item twice`);
  }
  const { items } = schema;
  if (!isObject(items)) return;
  for (const [index, item] of value.entries()) {
    fit(items, item, `${path}[${index}]`, true, problems);
  }
}

function fitObject(
  schema: JsonObject,
  value: JsonObject,
  path: string,
  closed: boolean,
  problems: string[],
): void {
  const inner = (name: string) => path === "" ? name : `${path}.${name}`;
  const names = Object.keys(value);
  const { minProperties: least, maxProperties: most } = schema as Readonly<
    Record<string, number | undefined>
  >;
  if (least !== undefined && names.length < least) {
    problems.push(`${named(path)} must have at least ${counted(least, "key")}`);
  }
  if (most !== undefined && names.length > most) {
    problems.push(`${named(path)} must have at most ${counted(most, "key")}`);
  }
  for (const name of (schema.required ?? []) as readonly string[]) {
    if (!Object.hasOwn(value, name)) problems.push(`\`${inner(name)}\` is missing`);
  }
  const properties = (schema.properties ?? {}) as Readonly<Record<string, JsonObject>>;
  const others = schema.additionalProperties ?? !(closed && schema.properties !== undefined);
  for (const name of names) {
    if (Object.hasOwn(properties, name)) {
      fit(properties[name], value[name], inner(name), true, problems);
    } else if (isObject(others)) {
      fit(others, value[name], inner(name), true, problems);
    }
  }
  if (others !== false) return;
  // A part of a schema knows its own keys only, so that the whole tells what none of them knows.
  const known = schema.additionalProperties === undefined
    ? keysOf(schema)
    : new Set(Object.keys(properties));
  for (const name of names) {
    if (known.has(name)) continue;
    const near = nearest(name, known);
    problems.push(
      `there is no \`${inner(name)}\`` +
        (near !== undefined
          ? `; did you mean \`${near}\`?`
          : known.size === 0
          ? ""
          : `; there are ${[...known].slice(0, 20).join(", ")}`),
    );
  }
}

function fitForms(schema: JsonObject, value: Json, path: string, problems: string[]): void {
  const tried = (form: Json) => {
    const found: string[] = [];
    fit(form as JsonObject, value, path, false, found);
    return found;
  };
  for (const form of (schema.allOf ?? []) as readonly Json[]) problems.push(...tried(form));
  for (const keyword of ["anyOf", "oneOf"]) {
    const forms = schema[keyword] as readonly Json[] | undefined;
    if (forms === undefined) continue;
    const results = forms.map(tried);
    const fitting = results.filter((found) => found.length === 0).length;
    if (fitting === 0) {
      const nearestForm = results.reduce((one, other) => other.length < one.length ? other : one);
      problems.push(
        forms.length === 1
          ? nearestForm[0]
          : `${named(path)} has none of the ${forms.length} forms that it may have; nearest: ${
            nearestForm[0]
          }`,
      );
    } else if (keyword === "oneOf" && fitting > 1) {
      problems.push(`${named(path)} has several forms of which it may have one`);
    }
  }
  if (isObject(schema.not) && tried(schema.not).length === 0) {
    problems.push(`${named(path)} has a form that it may not have`);
  }
}

// The properties that a schema or a part of it lists.
function keysOf(schema: JsonObject): ReadonlySet<string> {
  const keys = new Set(Object.keys((schema.properties ?? {}) as JsonObject));
  for (const keyword of ["allOf", "anyOf", "oneOf"]) {
    for (const part of (schema[keyword] ?? []) as readonly JsonObject[]) {
      for (const key of keysOf(part)) keys.add(key);
    }
  }
  return keys;
}

function hasType(type: string, value: Json): boolean {
  switch (type) {
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    case "null":
      return value === null;
    case "integer":
      return Number.isInteger(value);
    case "number":
      return typeof value === "number";
    case "string":
      return typeof value === "string";
    default:
      return typeof value === "boolean";
  }
}

function same(one: Json, other: Json): boolean {
  return one === other || canonical(one) === canonical(other);
}

// The text of a value in which the order of keys says nothing.
function canonical(value: Json): string {
  return JSON.stringify(
    value,
    (_, part) =>
      isObject(part)
        ? Object.fromEntries(Object.keys(part).sort().map((key) => [key, part[key]]))
        : part,
  );
}

function named(path: string): string {
  return path === "" ? "the configuration" : `\`${path}\``;
}

// A long text is not cut: a part of a secret is not masked any more.
function shown(value: Json): string {
  if (Array.isArray(value)) return "a list";
  if (isObject(value)) return "a mapping";
  if (value === null) return "nothing";
  const text = JSON.stringify(value);
  return text.length > 80 ? `a text of ${text.length - 2} characters` : text;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
