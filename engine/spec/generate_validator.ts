// Compiles schema.json into validator.js, so that no command loads or runs a schema compiler.
// deno run -A engine/spec/generate_validator.ts [--check]
import Ajv from "ajv";
import standalone from "ajv/dist/standalone/index.js";
import { SpanloopError } from "../core/errors.ts";
import schema from "./schema.json" with { type: "json" };

/** The text of validator.js that schema.json gives. */
export function generate(): string {
  const ajv = new Ajv.default({
    allErrors: true,
    allowUnionTypes: true,
    strictTypes: false,
    strictRequired: false,
    // Without it string lengths would need a module of ajv at run time.
    unicodeRegExp: false,
    unicode: false,
    logger: false,
    code: { source: true, esm: true },
  } as never);
  const places: Places = { keys: {}, definitions: {} };
  // Steps are checked one at a time, so that a workflow of thousands never stands in memory twice.
  const { steps, on_failure, finally: last } = schema.properties;
  const lists = { steps, on_failure, finally: last };
  const flat = structuredClone(schema) as unknown as Record<string, Record<string, unknown>>;
  for (const [name, { items: _, ...list }] of Object.entries(lists)) flat.properties[name] = list;
  delete (flat as Record<string, unknown>).$id;
  delete flat.definitions;
  ajv.addSchema(resolve(flat, "workflow#", places) as object, "workflow");
  ajv.addSchema(resolve(schema.definitions.step, "step#", places) as object, "step");
  ajv.addSchema(resolve(schema.definitions.settings, "settings#", places) as object, "settings");
  const code = standalone.default(ajv, {
    validateWorkflow: "workflow",
    validateStep: "step",
    validateSettings: "settings",
  });
  if (/\brequire\(|\bfrom\s+"ajv/.test(code)) {
    throw new SpanloopError(
      "schema.keyword",
      "The validator would load ajv at run time; leave out the keyword of schema.json that needs it",
    );
  }
  return [
    "// Generated from schema.json by generate_validator.ts; do not edit.",
    '// @ts-self-types="./validator.d.ts"',
    code.replace(/^"use strict";\n?/, ""),
    `export const KEYS = ${JSON.stringify(places.keys)};`,
    `export const DEFINITIONS = ${JSON.stringify(places.definitions)};`,
    "",
  ].join("\n");
}

interface Places {
  /** The keys of each closed object, by its place in the schema. */
  readonly keys: Record<string, string[]>;
  /** The definition that stands at a place. */
  readonly definitions: Record<string, string>;
}

const FOR_PEOPLE = new Set(["description", "title", "examples", "default", "$schema"]);

// Puts definitions in place of references, so that an error's schemaPath is one place and no other, and
// leaves out what is for editors only.
function resolve(schema: unknown, path: string, places: Places, inNames = false): unknown {
  if (Array.isArray(schema)) {
    return schema.map((item, index) => resolve(item, `${path}/${index}`, places));
  }
  if (typeof schema !== "object" || schema === null) return schema;
  const { $ref, ...own } = schema as Record<string, unknown>;
  let record = own;
  if (typeof $ref === "string" && !inNames) {
    const name = $ref.replace("#/definitions/", "");
    places.definitions[path] = name;
    record = { ...definitions[name] as object, ...own };
  }
  if (record.additionalProperties === false) {
    places.keys[path] = Object.keys(record.properties as object);
  }
  const entries = Object.entries(record).filter(([key]) => inNames || !FOR_PEOPLE.has(key));
  return Object.fromEntries(
    entries.map(([key, value]) => [
      key,
      resolve(value, `${path}/${key}`, places, !inNames && key === "properties"),
    ]),
  );
}

const definitions: Readonly<Record<string, unknown>> = schema.definitions;

if (import.meta.main) {
  const file = new URL("./validator.js", import.meta.url);
  const wanted = generate();
  if (!Deno.args.includes("--check")) {
    Deno.writeTextFileSync(file, wanted);
  } else if (Deno.readTextFileSync(file) !== wanted) {
    console.error(
      "engine/spec/validator.js is stale: run deno run -A engine/spec/generate_validator.ts",
    );
    Deno.exit(1);
  }
}
