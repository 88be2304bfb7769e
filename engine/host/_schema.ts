import { nearest } from "../core/diagnostic.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { patternProblem } from "../expression/pattern.ts";

// No configuration that a person writes comes near it, and what stays below is checked in no time.
const MOST_SCHEMAS = 1_000;

const TYPES = ["string", "number", "integer", "boolean", "array", "object", "null"];

// What a keyword takes; `annotation` says nothing about values.
const KEYWORDS = {
  type: "types",
  enum: "list",
  const: "annotation",
  minimum: "number",
  maximum: "number",
  exclusiveMinimum: "number",
  exclusiveMaximum: "number",
  multipleOf: "positive",
  minLength: "count",
  maxLength: "count",
  pattern: "pattern",
  items: "schema",
  minItems: "count",
  maxItems: "count",
  uniqueItems: "boolean",
  properties: "schemas",
  required: "names",
  additionalProperties: "boolean or schema",
  minProperties: "count",
  maxProperties: "count",
  allOf: "list of schemas",
  anyOf: "list of schemas",
  oneOf: "list of schemas",
  not: "schema",
  title: "annotation",
  description: "annotation",
  default: "annotation",
  examples: "annotation",
  format: "annotation",
  deprecated: "annotation",
  readOnly: "annotation",
  writeOnly: "annotation",
  $comment: "annotation",
  $schema: "annotation",
  $id: "annotation",
} as const;

/**
 * What is wrong with a plugin's JSON Schema, sentences for its author; empty when it holds. The keywords are those of
 * draft 2020-12 that a configuration needs: references and keywords that are not known are refused, because a schema
 * that is only half understood lets anything pass. Patterns are RE2, whose time is linear.
 */
export function schemaProblems(schema: JsonObject): readonly string[] {
  const walk = new SchemaWalk();
  walk.schema(schema, "");
  return walk.problems;
}

class SchemaWalk {
  readonly problems: string[] = [];
  #schemas = 0;

  schema(schema: Json, path: string): void {
    const at = path === "" ? "it" : `\`${path}\``;
    if (!isObject(schema)) return this.#add(`${at} must be a schema, an object`);
    if (++this.#schemas > MOST_SCHEMAS) {
      if (this.#schemas === MOST_SCHEMAS + 1) this.#add(`it has more than ${MOST_SCHEMAS} schemas`);
      return;
    }
    for (const [keyword, value] of Object.entries(schema)) {
      const here = path === "" ? keyword : `${path}.${keyword}`;
      if (!Object.hasOwn(KEYWORDS, keyword)) this.#unknown(keyword, at);
      else this.#keyword(keyword as keyof typeof KEYWORDS, value, here);
    }
  }

  #unknown(keyword: string, at: string): void {
    if (keyword === "$ref") {
      return this.#add(`${at} has \`$ref\`, which is not followed; write the schema out`);
    }
    const near = nearest(keyword, Object.keys(KEYWORDS));
    this.#add(
      `${at} has the keyword ${JSON.stringify(keyword.slice(0, 40))}, which is not supported` +
        (near === undefined ? "" : `; did you mean \`${near}\`?`),
    );
  }

  #keyword(keyword: keyof typeof KEYWORDS, value: Json, path: string): void {
    const wrong = (wanted: string) => this.#add(`\`${path}\` must be ${wanted}`);
    switch (KEYWORDS[keyword]) {
      case "types": {
        const types = Array.isArray(value) ? value : [value];
        if (types.length === 0 || !types.every((type) => TYPES.includes(type))) {
          wrong(`one of ${TYPES.join(", ")}, or a list of them`);
        }
        return;
      }
      case "list":
        if (!Array.isArray(value) || value.length === 0) wrong("a list of values");
        return;
      case "number":
        if (!Number.isFinite(value)) wrong("a number");
        return;
      case "positive":
        if (!Number.isFinite(value) || Number(value) <= 0) wrong("a number above 0");
        return;
      case "count":
        if (!Number.isSafeInteger(value) || Number(value) < 0) wrong("a whole number from 0");
        return;
      case "boolean":
        if (typeof value !== "boolean") wrong("true or false");
        return;
      case "pattern": {
        const problem = typeof value === "string" ? patternProblem(value) : "it is no text";
        if (problem !== undefined) wrong(`a regular expression of RE2: ${problem}`);
        return;
      }
      case "names":
        if (!Array.isArray(value) || !value.every((name) => typeof name === "string")) {
          wrong("a list of names");
        }
        return;
      case "boolean or schema":
        if (typeof value !== "boolean") this.schema(value, path);
        return;
      case "schema":
        return this.schema(value, path);
      case "schemas":
        if (!isObject(value)) return wrong("schemas by the names of properties");
        for (const [name, schema] of Object.entries(value)) {
          this.schema(schema, `${path}.${name}`);
        }
        return;
      case "list of schemas":
        if (!Array.isArray(value) || value.length === 0) return wrong("a list of schemas");
        value.forEach((schema, index) => this.schema(schema, `${path}[${index}]`));
        return;
      case "annotation":
        return;
    }
  }

  #add(problem: string): void {
    this.problems.push(problem);
  }
}
