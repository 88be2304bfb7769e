import assert from "node:assert/strict";
import * as conventions from "@opentelemetry/semantic-conventions/incubating";
import { complement, readModel, render } from "./import_opentelemetry.ts";
import { OPENTELEMETRY } from "./opentelemetry.ts";

// What the published package of 1.45.0 exports under a prefix: its keys or names, and who exports them.
function published(prefix: string): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(conventions as Readonly<Record<string, unknown>>)
      .filter(([name, value]) => name.startsWith(prefix) && typeof value === "string")
      .map(([name, value]) => [value as string, name]),
  );
}

Deno.test("the table holds every attribute, known value and metric of the published conventions", () => {
  for (const [key, name] of published("ATTR_")) {
    const values = published(`${name.replace("ATTR_", "")}_VALUE_`);
    const known = OPENTELEMETRY.attributes[key]?.values;
    assert.ok(OPENTELEMETRY.attributes[key] !== undefined, key);
    for (const value of values.keys()) {
      assert.ok(Object.values(known ?? {}).includes(value), `${key}: ${value}`);
    }
  }
  // The package names metrics younger than the checkout that the table was made of; units it does not say.
  const younger = [...published("METRIC_").keys()]
    .filter((key) => OPENTELEMETRY.metrics[key] === undefined);
  const areas = new Set(younger.map((key) => key.split(".")[0]));
  assert.deepEqual([...areas].sort(), ["db", "jvm", "k8s"]);
});

Deno.test("attributes and known values that only the package names are added", () => {
  const facts = readModel([MODEL]);
  const added = complement(facts, {
    ATTR_X_KIND: "x.kind",
    ATTR_X_NEW: "x.new",
    ATTR_X_STATE: "x.state",
    X_STATE_VALUE_BUSY: "busy",
    X_KIND_VALUE_A: "A",
    X_KIND_VALUE_B: "B",
  });
  assert.deepEqual(added, ["x.new", "x.state"]);
  assert.deepEqual(facts.attributes["x.new"], { type: "any" });
  assert.deepEqual(facts.attributes["x.state"], { type: "string", values: { busy: "busy" } });
  assert.deepEqual(facts.attributes["x.kind"], {
    type: "string",
    values: { a: "A", b: "B" },
    stability: "stable",
  });
});

Deno.test("what is deprecated names a key or a metric of the table, or nothing", () => {
  for (const section of [OPENTELEMETRY.attributes, OPENTELEMETRY.metrics]) {
    for (const [key, { deprecated }] of Object.entries(section)) {
      if (typeof deprecated === "string") assert.ok(Object.hasOwn(section, deprecated), key);
    }
  }
});

const MODEL = `
groups:
  - id: registry.x
    type: attribute_group
    brief: Words that are not ours.
    attributes:
      - { id: x.kind, stability: stable, brief: Words., type: { members: [{ id: a, value: A, stability: stable }] } }
      - { id: x.old, stability: development, type: int, deprecated: { reason: renamed, renamed_to: x.new } }
  - id: x.shared
    type: attribute_group
    brief: Words.
    attributes: [{ ref: x.kind, requirement_level: required }, { ref: x.old }]
  - id: metric.x
    type: metric
    metric_name: x.count
    instrument: counter
    unit: "{x}"
    stability: stable
    extends: x.shared
    attributes: [{ ref: x.old, requirement_level: { conditionally_required: Words. } }]
`;

// In Weaver's second format.
const SECOND = `
file_format: definition/2
attributes:
  - { key: y.size, type: int, stability: development, brief: Words. }
attribute_groups:
  - { id: y.shared, visibility: internal, attributes: [{ ref: y.size, requirement_level: required }] }
metrics:
  - name: y.count
    instrument: counter
    unit: "{y}"
    stability: development
    attributes: [{ ref_group: y.shared }, { ref_group: x.shared }]
events:
  - { name: y.bare, stability: development, brief: Words. }
`;

Deno.test("an import takes facts and leaves texts, and a group has what it extends", () => {
  const facts = readModel([MODEL, SECOND]);
  assert.deepEqual(facts.attributes, {
    "y.size": { type: "int" },
    "x.kind": { type: "string", values: { a: "A" }, stability: "stable" },
    "x.old": { type: "int", deprecated: "x.new" },
  });
  assert.deepEqual(facts.metrics["x.count"], {
    instrument: "counter",
    unit: "{x}",
    stability: "stable",
    attributes: { "x.old": "conditionally_required", "x.kind": "required" },
  });
  assert.deepEqual(facts.metrics["y.count"].attributes, {
    "y.size": "required",
    "x.kind": "required",
    "x.old": "recommended",
  });
  assert.deepEqual(facts.events["y.bare"], {});
  const text = render({ source: "s", licence: "l", schema: "v" }, facts);
  assert.doesNotMatch(text, /Words/);
  assert.deepEqual(JSON.parse(text).metrics, facts.metrics);
});
