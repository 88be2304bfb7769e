import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "yaml";
import schema from "./semconv.schema.json" with { type: "json" };

const REGISTRY = new URL("../../semconv/registry/", import.meta.url);
// Its text is not strict: it names a keyword `#ref`.
const valid = new Ajv2020({ strict: false, allErrors: true }).compile(schema);

function errorsOf(text: string): string {
  return valid(parse(text)) ? "" : JSON.stringify(valid.errors, null, 2);
}

for (const { name } of Deno.readDirSync(REGISTRY)) {
  if (name === "manifest.yaml") continue;
  Deno.test(`registry/${name} is valid against Weaver's published schema`, async () => {
    assert.equal(errorsOf(await Deno.readTextFile(new URL(name, REGISTRY))), "");
  });
}

Deno.test("registries that build upon it are valid, too: the tests' own and the reference's example", async () => {
  const own = new URL("../conventions/registry/tests.yaml", import.meta.url);
  assert.equal(errorsOf(await Deno.readTextFile(own)), "");
  const page = await Deno.readTextFile(new URL("../README.md", REGISTRY));
  assert.equal(errorsOf(/```yaml\n([^]*?)```/.exec(page)?.[1] ?? ""), "");
});

Deno.test("Weaver's schema refuses what it does not know", async () => {
  const text = await Deno.readTextFile(new URL("attributes.yaml", REGISTRY));
  assert.match(errorsOf(text.replace("type: int", "type: integer")), /integer|allowedValues/);
  assert.match(errorsOf(text.replace("groups:", "group:")), /additionalProperty/);
});

Deno.test("the manifest names its schema and the version of OpenTelemetry's that it builds upon", async () => {
  const manifest = parse(await Deno.readTextFile(new URL("manifest.yaml", REGISTRY)));
  // A schema URL ends with a version, by OpenTelemetry's specification of schemas.
  const url = /^https:\/\/[^/]+\/[^\s]*\/\d+\.\d+\.\d+$/;
  assert.match(manifest.schema_url, url);
  assert.deepEqual(Object.keys(manifest), [
    "schema_url",
    "description",
    "stability",
    "dependencies",
  ]);
  const [dependency] = manifest.dependencies;
  assert.match(dependency.schema_url, url);
  const version = dependency.schema_url.split("/").at(-1);
  assert.equal(
    dependency.registry_path,
    `https://github.com/open-telemetry/semantic-conventions@v${version}[model]`,
  );
});
