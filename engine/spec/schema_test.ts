import assert from "node:assert/strict";
import Ajv from "ajv";
import { parse } from "yaml";
import { generate } from "./generate_validator.ts";
import schema from "./schema.json" with { type: "json" };

const ajv = new Ajv.default({ allErrors: true, strict: false });

Deno.test("validator.js is what schema.json gives", () => {
  const file = new URL("./validator.js", import.meta.url);
  assert.ok(
    Deno.readTextFileSync(file) === generate(),
    "stale: run deno run -A engine/spec/generate_validator.ts",
  );
});

Deno.test("validator.js imports nothing", () => {
  const text = Deno.readTextFileSync(new URL("./validator.js", import.meta.url));
  assert.doesNotMatch(text, /\brequire\(|^import\b/m);
});

Deno.test("schema.json is a valid draft-07 schema", () => {
  assert.ok(ajv.validateSchema(schema), JSON.stringify(ajv.errors));
});

// What an editor shows on hover and offers on completion.
Deno.test("every key of the language has a description", () => {
  const bare: string[] = [];
  const visit = (node: unknown, path: string) => {
    if (typeof node !== "object" || node === null) return;
    const { properties } = node as { properties?: Record<string, { description?: string }> };
    for (const [key, value] of Object.entries(properties ?? {})) {
      // A condition's properties are no keys of their own.
      if (/\/(if|then)$/.test(path) && value.description === undefined && path.includes("allOf")) {
        continue;
      }
      if (value.description === undefined) bare.push(`${path}/${key}`);
    }
    for (const [key, value] of Object.entries(node)) visit(value, `${path}/${key}`);
  };
  visit(schema, "#");
  assert.deepEqual(bare, []);
});

Deno.test("every example in the schema fits the place that it illustrates", () => {
  let count = 0;
  const visit = (node: unknown) => {
    if (typeof node !== "object" || node === null) return;
    const { examples, default: fallback, ...rest } = node as Record<string, unknown>;
    const values = [
      ...Array.isArray(examples) ? examples : [],
      ...fallback === undefined ? [] : [fallback],
    ];
    if (typeof rest.description === "string" || Array.isArray(examples)) {
      const check = ajv.compile({ ...rest, definitions: schema.definitions });
      for (const value of values) {
        count++;
        assert.ok(check(value), `${JSON.stringify(value)}: ${JSON.stringify(check.errors)}`);
      }
    }
    Object.entries(rest).forEach(([key, value]) => key !== "enum" && visit(value));
  };
  visit({ ...schema, $id: undefined });
  assert.ok(count > 40);
});

Deno.test("the schema takes the design's example, as the engine does", () => {
  const check = ajv.compile({ ...schema, $id: "example" });
  const text = `
name: import-orders
on: { schedule: [{ cron: "0 8 * * MON-FRI" }, { cron: "*/30 * * * *", timezone: UTC }] }
params:
  input: { type: string, default: data/orders.ndjson }
  level: { type: enum, values: [a, b], default: a, tune: { choices: [a] } }
steps:
  - id: ask
    uses: http
    with: { url: "https://example.com", status: [200, 3xx], json: { a: [1] }, headers: { A: b } }
  - id: load
    for_each: { file: "\${{ params.input }}", batch: 5, on_item_error: continue }
    uses: script
    with: { module: ./load.ts, permissions: { read: true, net: [example.com] } }
    retry: { attempts: 3, on: [error] }
  - { id: child, uses: workflow, with: { file: ./child.yaml, params: { n: 1 } } }
  - { id: rest, uses: wait, with: { for: "\${{ params.input }}" } }
  - { id: tell, uses: emit, with: { name: done, attributes: { a: 1, b: [x] } } }
`;
  assert.ok(check(parse(text)), JSON.stringify(check.errors));
});
