import assert from "node:assert/strict";
import Ajv from "ajv";
import type { Json, JsonObject } from "../core/json.ts";
import { seeded } from "../core/seeded_test.ts";
import { checkConfig } from "./config.ts";

function config(schema: JsonObject, value: JsonObject): JsonObject {
  const checked = checkConfig(schema, value);
  assert.ok("config" in checked, JSON.stringify(checked));
  return checked.config;
}

function problems(schema: JsonObject | undefined, value: JsonObject): readonly string[] {
  const checked = checkConfig(schema, value);
  assert.ok("problems" in checked, JSON.stringify(checked));
  return checked.problems;
}

const SCHEMA: JsonObject = {
  type: "object",
  properties: {
    threshold: { type: "number", default: 0.1, exclusiveMinimum: 0, maximum: 1 },
    window: { type: "integer", default: 20, minimum: 2 },
    level: { enum: ["low", "high"], default: "low" },
    names: {
      type: "array",
      items: { type: "string", minLength: 1 },
      maxItems: 3,
      uniqueItems: true,
    },
    server: {
      type: "object",
      required: ["url"],
      properties: {
        url: { type: "string", pattern: "^https?://" },
        retries: { type: "integer", default: 3 },
      },
    },
  },
};

Deno.test("a configuration gets the schema's defaults, nested ones too", () => {
  assert.deepEqual(config(SCHEMA, {}), { threshold: 0.1, window: 20, level: "low" });
  assert.deepEqual(config(SCHEMA, { window: 5, server: { url: "http://a" } }), {
    window: 5,
    server: { url: "http://a", retries: 3 },
    threshold: 0.1,
    level: "low",
  });
  const nested = {
    properties: { a: { default: {}, properties: { b: { default: [1] } } } },
    allOf: [{ properties: { c: { default: null } } }],
  };
  const given = config(nested, {});
  assert.deepEqual(given, { a: { b: [1] }, c: null });
  (given as { a: { b: number[] } }).a.b.push(2);
  assert.deepEqual(config(nested, {}), { a: { b: [1] }, c: null }, "the schema is not shared");
});

Deno.test("what is wrong with a configuration is told in sentences, all at once", () => {
  assert.deepEqual(
    problems(SCHEMA, {
      treshold: 1,
      threshold: "a",
      window: 1.5,
      level: "hgh",
      names: ["a", "", "a", "b"],
      server: { retries: "3", uri: 1 },
    }),
    [
      '`threshold` must be a number, not "a"',
      "`window` must be a whole number, not 1.5",
      '`level` must be one of "low", "high", not "hgh"; did you mean `high`?',
      "`names` must have at most 3 items, and has 4",
      "`names` must not have the same item twice",
      '`names[1]` must be text that is not empty, not ""',
      "`server.url` is missing",
      '`server.retries` must be a whole number, not "3"',
      "there is no `server.uri`; did you mean `url`?",
      "there is no `treshold`; did you mean `threshold`?",
    ],
  );
  assert.deepEqual(problems(SCHEMA, { threshold: 0, window: 1, server: { url: "ftp://a" } }), [
    "`threshold` must be more than 0, not 0",
    "`window` must be at least 2, not 1",
    '`server.url` must be text that matches ^https?://, not "ftp://a"',
  ]);
  assert.deepEqual(problems(undefined, { a: 1 }), [
    "there is no `a`: the plugin takes no configuration",
  ]);
  assert.deepEqual(checkConfig(undefined, {}), { config: {} });
  assert.deepEqual(problems({ maxProperties: 0 }, { a: 1 }), [
    "the configuration must have at most 0 keys",
  ]);
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, 1]));
  const told = problems({ properties: {} }, many);
  assert.deepEqual([told.length, told[20]], [21, "and 30 more"]);
});

Deno.test("a long text is not shown in part, since a part of a secret is not masked (V4)", () => {
  const [told] = problems({ properties: { a: { type: "number" } } }, { a: "s".repeat(100) });
  assert.equal(told, "`a` must be a number, not a text of 100 characters");
});

Deno.test("keys are closed where properties are listed, but for what parts of the schema list", () => {
  const closed = { properties: { mode: {} } };
  assert.deepEqual(problems(closed, { b: 1 }), ["there is no `b`; there are mode"]);
  config({ ...closed, additionalProperties: true }, { b: 1 });
  config({ type: "object" }, { b: 1 });
  const parts: JsonObject = {
    ...closed,
    anyOf: [{ properties: { b: {} } }, { required: ["mode"] }],
  };
  config(parts, { b: 1 });
  assert.deepEqual(problems(parts, { other: 1 }), [
    "there is no `other`; there are mode, b",
  ]);
  assert.deepEqual(problems({ additionalProperties: { type: "number" } }, { b: "x" }), [
    '`b` must be a number, not "x"',
  ]);
});

Deno.test("of several forms the nearest is told", () => {
  const form = { type: "object", required: ["kind"], properties: { kind: { const: "a" } } };
  const schema = { properties: { x: { oneOf: [{ type: "integer" }, form] } } };
  config(schema, { x: 1 });
  config(schema, { x: { kind: "a" } });
  assert.deepEqual(problems(schema, { x: { kind: "b" } }), [
    "`x` has none of the 2 forms that it may have; nearest: `x` must be a whole number, not a mapping",
  ]);
  assert.deepEqual(problems({ properties: { x: { oneOf: [{}, { type: "number" }] } } }, { x: 1 }), [
    "`x` has several forms of which it may have one",
  ]);
  assert.deepEqual(problems({ properties: { x: { not: { type: "null" } } } }, { x: null }), [
    "`x` has a form that it may not have",
  ]);
});

Deno.test("a schema that does not hold is its author's to mend, and says where", () => {
  const wrong: readonly [Json, RegExp][] = [
    [{ $ref: "https://example.com/schema.json" }, /it has `\$ref`, which is not followed/],
    [{ properties: { a: { $ref: "#" } } }, /`properties\.a` has `\$ref`/],
    [{ tpye: "object" }, /the keyword "tpye", which is not supported; did you mean `type`\?/],
    [{ type: "text" }, /`type` must be one of string, /],
    [{ properties: { a: 3 } }, /`properties\.a` must be a schema, an object/],
    [{ properties: { a: { pattern: "(?=a)" } } }, /`properties\.a\.pattern` must be a regular/],
    [{ properties: { a: { pattern: "a".repeat(2_000) } } }, /at most 1024 characters/],
    [{ properties: { a: { minimum: "1" } } }, /`properties\.a\.minimum` must be a number/],
    [{ properties: { a: { type: "number", default: "x" } } }, /the default of `a` does not fit/],
    [{ items: { properties: { b: { minLength: 2, default: "x" } } } }, /the default of `\[\]\.b`/],
    [{ anyOf: [] }, /`anyOf` must be a list of schemas/],
    [{ required: "a" }, /`required` must be a list of names/],
    [{ enum: [] }, /`enum` must be a list of values/],
  ];
  for (const [schema, message] of wrong) {
    const [told] = problems(schema as JsonObject, {});
    assert.match(told, /^the plugin's own schema does not hold, which its author must mend: /);
    assert.match(told, message);
  }
});

Deno.test("a hostile schema or value gets an answer, never an exception", () => {
  let deep: Json = 1;
  for (let level = 0; level < 200_000; level++) deep = [deep];
  for (const keyword of ["const", "default", "enum", "examples"]) {
    const schema = { [keyword]: deep };
    assert.match(problems({ properties: { a: schema } }, {})[0], /nested too deeply/);
  }
  assert.match(problems(SCHEMA, { names: deep })[0], /the configuration is nested too deeply/);
  let nested: JsonObject = {};
  for (let level = 0; level < 10_000; level++) nested = { not: nested };
  assert.match(problems(nested, {})[0], /nested too deeply/);
  const wide = { anyOf: Array.from({ length: 5_000 }, () => ({ type: "number" })) };
  assert.match(problems({ properties: { a: wide } }, {})[0], /more than 1000 schemas/);
  const evil = { properties: { a: { type: "string", pattern: "^(a+)+$" } } };
  assert.equal(problems(evil, { a: "a".repeat(100_000) + "!" }).length, 1);
});

Deno.test("keys such as __proto__ and constructor are keys like any other", () => {
  const value = JSON.parse('{ "__proto__": { "polluted": 1 }, "constructor": 2 }');
  assert.deepEqual(problems({ properties: { a: {} } }, value), [
    "there is no `__proto__`; there are a",
    "there is no `constructor`; there are a",
  ]);
  const schema = JSON.parse(
    '{ "properties": { "__proto__": { "type": "object", "properties": { "x": { "default": 1 } } },' +
      ' "toString": { "type": "number", "default": 7 } }, "required": ["valueOf"], "additionalProperties": true }',
  );
  assert.deepEqual(problems(schema, {}), ["`valueOf` is missing"]);
  const given = config(schema, JSON.parse('{ "__proto__": {}, "valueOf": 1 }'));
  assert.deepEqual(Object.entries(given), [["__proto__", { x: 1 }], ["valueOf", 1], [
    "toString",
    7,
  ]]);
  assert.equal(Object.getPrototypeOf(given), Object.prototype);
  assert.equal(({} as { polluted?: number }).polluted, undefined);
  const own = JSON.parse('{ "__proto__": { "type": "string" } }');
  assert.match(problems(own, {})[0], /the keyword "__proto__", which is not supported/);
});

Deno.test("it accepts what ajv accepts, with the same defaults", () => {
  const random = seeded("checkConfig");
  const ajv = new Ajv.default({ useDefaults: true, strict: false, logger: false, allErrors: true });
  const leaf = (): Json => random.pick<Json>([0, 1, 2.5, -3, "", "a", "ab", true, false, null]);
  const value = (depth: number): Json => {
    const kind = depth === 0 ? 0 : random.below(3);
    if (kind === 1) return Array.from({ length: random.below(4) }, () => value(depth - 1));
    return kind === 2 ? mapping(depth - 1) : leaf();
  };
  const mapping = (depth: number): JsonObject =>
    Object.fromEntries(
      ["a", "b", "c"].filter(() => random.below(2) === 0).map((name) => [name, value(depth)]),
    );
  const some = (name: string, make: () => Json): JsonObject =>
    random.below(4) === 0 ? { [name]: make() } : {};
  const types = ["string", "number", "integer", "boolean", "array", "object", "null"];
  const schema = (depth: number, defaults: boolean): JsonObject => ({
    ...some(
      "type",
      () =>
        random.below(3) === 0 ? [...new Set([random.pick(types), "object"])] : random.pick(types),
    ),
    ...some("minimum", () => random.below(3)),
    ...some("maximum", () => random.below(3)),
    ...some("exclusiveMinimum", () => random.below(3) - 1),
    ...some("exclusiveMaximum", () => random.below(3)),
    ...some("multipleOf", () => random.pick([1, 2, 2.5])),
    ...some("minLength", () => random.below(3)),
    ...some("maxLength", () => random.below(3)),
    ...some("pattern", () => random.pick(["^a", "b$", "."])),
    ...some("minItems", () => random.below(3)),
    ...some("maxItems", () => random.below(3)),
    ...some("uniqueItems", () => random.below(2) === 0),
    ...some("minProperties", () => random.below(3)),
    ...some("maxProperties", () => random.below(3)),
    ...some("required", () => ["a", "b"].filter(() => random.below(3) === 0)),
    ...some(
      "enum",
      () => [leaf(), leaf(), mapping(0)].filter((one, at, all) => all.indexOf(one) === at),
    ),
    ...some("const", () => value(1)),
    ...depth === 0 ? {} : {
      ...some("items", () => schema(depth - 1, defaults)),
      ...some("anyOf", () => [schema(depth - 1, false), schema(depth - 1, false)]),
      ...some("oneOf", () => [schema(depth - 1, false), schema(depth - 1, false)]),
      ...some("allOf", () => [schema(depth - 1, false)]),
      ...some("not", () => schema(depth - 1, false)),
    },
    // The standard's rule, which is not ours where nothing is said.
    additionalProperties: random.pick<Json>([
      true,
      true,
      false,
      depth === 0 ? true : schema(depth - 1, false),
    ]),
    ...depth === 0
      ? {}
      : some("properties", () =>
        Object.fromEntries(["a", "b", "d"].map((name) => [name, {
          ...schema(depth - 1, defaults),
          ...defaults && random.below(3) === 0 ? { default: value(1) } : {},
        }]))),
  });
  const seen = { fits: 0, misfits: 0, author: 0 };
  for (let round = 0; round < 600; round++) {
    const made = schema(2, true);
    const given = mapping(1);
    const mine = checkConfig(made, given);
    if ("problems" in mine && /author/.test(mine.problems[0])) {
      seen.author++; // a default that does not fit: ajv would blame the configuration
      continue;
    }
    const theirs = structuredClone(given);
    // Twice: ajv looks at oneOf, const and their like before it fills the defaults in that they may depend on.
    const validate = ajv.compile(made);
    validate(theirs);
    const accepted = validate(theirs);
    const context = `seed ${random.seed} round ${round}: ${JSON.stringify({ made, given, mine })}`;
    assert.equal("config" in mine, accepted, context);
    if ("config" in mine) assert.deepEqual(mine.config, theirs, context);
    accepted ? seen.fits++ : seen.misfits++;
  }
  assert.ok(Math.min(seen.fits, seen.misfits, seen.author) > 20, JSON.stringify(seen));
});
