import assert from "node:assert/strict";
import { topLevelFaults, violations } from "./architecture/check.ts";
import { readGraph } from "./architecture/graph.ts";
import { layerOf, layerTable, TOP_LEVEL } from "./architecture/layers.ts";

const ROOT = decodeURI(new URL("..", import.meta.url).pathname).replace(/\/$/, "");

Deno.test("every module keeps to the layer table, and there is no cycle", async () => {
  const graph = await readGraph(ROOT);
  assert.ok(graph.files.includes("engine/core/store.ts"), "the walk found the core");
  assert.ok(
    graph.imports.some(({ from }) => from.startsWith("engine/core/")),
    "the graph has edges",
  );
  assert.deepEqual(await violations(ROOT), []);
});

Deno.test("the top level has exactly the entries that the design lists", async () => {
  assert.deepEqual(await topLevelFaults(ROOT), []);
});

Deno.test("CONTRIBUTING.md shows the table that is enforced", async () => {
  const squeeze = (text: string) => text.replaceAll(/ +/g, " ").replaceAll(/-{3,}/g, "---");
  const text = squeeze(await Deno.readTextFile(`${ROOT}/CONTRIBUTING.md`));
  assert.ok(text.includes(layerTable()), `put this table into CONTRIBUTING.md:\n${layerTable()}`);
});

Deno.test("a file's layer is its folder; an unknown folder has none", () => {
  assert.equal(layerOf("engine/core/json.ts"), "core");
  assert.equal(layerOf("engine/store/migrations/one.ts"), "store");
  assert.equal(layerOf("engine/engine.ts"), "engine.ts");
  assert.equal(layerOf("engine/local_engine.ts"), "engine.ts");
  assert.equal(layerOf("engine/semconv/x.ts"), undefined);
  assert.equal(layerOf("engine/helpers/x.ts"), undefined);
  assert.equal(layerOf("scripts/x.ts"), undefined);
});

// One breach of each kind, planted beside the real modules, and the sentence that must come of it.
const PLANTED: readonly { readonly files: Record<string, string>; readonly says: RegExp }[] = [
  {
    files: { "engine/store/planted.ts": 'import "../run/planted_up.ts";' },
    says: /^engine\/store\/planted\.ts imports engine\/run\/planted_up\.ts: store may import core/,
  },
  {
    files: {
      "engine/run/planted_up.ts": "export interface Up { readonly up: 1 }",
      "engine/steps/planted.ts": 'export type { Up } from "../run/planted_up.ts";',
    },
    says: /^engine\/steps\/planted\.ts imports engine\/run\/planted_up\.ts: steps may import core/,
  },
  {
    files: {
      "engine/expression/planted.ts": 'export type Text = import("../spec/planted_text.ts").Text;',
      "engine/spec/planted_text.ts": "export type Text = string;",
    },
    says: /^engine\/expression\/planted\.ts imports engine\/spec\/planted_text\.ts: expression may/,
  },
  {
    files: {
      "engine/core/planted_a.ts": 'import "./planted_b.ts";',
      "engine/core/planted_b.ts": 'import type { C } from "./planted_c.ts"; export type B = C;',
      "engine/core/planted_c.ts": 'import "./planted_a.ts"; export type C = 1;',
    },
    says: new RegExp(
      "^engine/core/planted_a\\.ts → engine/core/planted_b\\.ts → engine/core/planted_c\\.ts → " +
        "engine/core/planted_a\\.ts is a cycle",
    ),
  },
  {
    files: {
      "engine/engine.ts": 'import "./cli/planted.ts";',
      "engine/cli/planted.ts": 'import "../engine.ts";',
    },
    says: new RegExp(
      "^Layers cli → engine\\.ts → cli are a cycle: engine/cli/[\\w/]+\\.ts imports engine/engine\\.ts, " +
        "engine/engine\\.ts imports engine/cli/planted\\.ts",
    ),
  },
  {
    files: {
      "engine/run/planted_lazy.ts": 'export const lazy = () => import("../cli/planted_cli.ts");',
      "engine/cli/planted_cli.ts": "export const cli = 1;",
    },
    says: /^engine\/run\/planted_lazy\.ts imports engine\/cli\/planted_cli\.ts: run may import/,
  },
  {
    files: {
      "engine/run/planted_computed.ts": "export const load = (name: string) => import(name);",
    },
    says: /^engine\/run\/planted_computed\.ts has a computed import, import\(name\)/,
  },
  {
    files: { "engine/run/planted_otel.ts": 'export * from "@opentelemetry/sdk-trace-base";' },
    says:
      /^engine\/run\/planted_otel\.ts imports npm:\/?@opentelemetry\/sdk-trace-base@.*: only telemetry/,
  },
  {
    files: {
      "plugins/one/plugin.ts": 'import "../two/plugin.ts";',
      "plugins/two/plugin.ts": 'import "../../engine/core/json.ts";',
    },
    says:
      /^plugins\/one\/plugin\.ts imports plugins\/two\/plugin\.ts: plugins never import each other/,
  },
  {
    files: { "plugins/three/plugin.ts": 'import "../../engine/core/json.ts";' },
    says: /^plugins\/three\/plugin\.ts imports engine\/core\/json\.ts: plugins may import mod\.ts/,
  },
  {
    files: { "engine/planted/unknown.ts": "export const unknown = 1;" },
    says: /^engine\/planted\/unknown\.ts is in no layer/,
  },
  {
    files: {
      "engine/plan/planted_private.ts": 'import "../spec/_planted.ts";',
      "engine/spec/_planted.ts": "export const planted = 1;",
    },
    says:
      /^engine\/plan\/planted_private\.ts imports engine\/spec\/_planted\.ts: a file that begins with _/,
  },
  {
    files: {
      "engine/store/planted_tests.ts": 'import "./planted_test.ts";',
      "engine/store/planted_test.ts": "export const planted = 1;",
    },
    says: /^engine\/store\/planted_tests\.ts imports engine\/store\/planted_test\.ts: only tests/,
  },
  {
    files: { "engine/store/planted_missing.ts": 'import "./nowhere.ts";' },
    says: /^engine\/store\/nowhere\.ts cannot be imported: Module not found/,
  },
];

Deno.test("planted breaches are caught, each with a sentence that names the files", async () => {
  const copy = await Deno.realPath(await Deno.makeTempDir());
  try {
    const { files } = await readGraph(ROOT);
    for (const file of [...files, "deno.json"]) await put(copy, file, `${ROOT}/${file}`);
    for (const { files } of PLANTED) {
      for (const [file, text] of Object.entries(files)) {
        await Deno.mkdir(`${copy}/${file.slice(0, file.lastIndexOf("/"))}`, { recursive: true });
        await Deno.writeTextFile(`${copy}/${file}`, `${text}\n`);
      }
    }
    const found = await violations(copy);
    for (const { says } of PLANTED) {
      assert.ok(found.some((sentence) => says.test(sentence)), `${says} in:\n${found.join("\n")}`);
    }
    // What is allowed beside the breaches is not complained of.
    assert.ok(!found.some((sentence) => sentence.startsWith("engine/cli/planted.ts imports")));
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
});

Deno.test("computed imports may stand where script steps and plugins are loaded", async () => {
  const copy = await Deno.realPath(await Deno.makeTempDir());
  try {
    await Deno.writeTextFile(`${copy}/deno.json`, "{}");
    for (const file of ["engine/steps/script_child.ts", "engine/host/load.ts"]) {
      await Deno.mkdir(`${copy}/${file.slice(0, file.lastIndexOf("/"))}`, { recursive: true });
      await Deno.writeTextFile(`${copy}/${file}`, "export const f = (x: string) => import(x);\n");
    }
    assert.deepEqual(await violations(copy), []);
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
});

Deno.test("a stranger and a gap at the top level are named; ignored entries are not", async () => {
  const root = await Deno.makeTempDir();
  try {
    for (const name of [...TOP_LEVEL, "plugins", "node_modules", ".spanloop", ".git", "scripts"]) {
      if (name !== ".gitignore" && name !== "LICENSE") await Deno.mkdir(`${root}/${name}`);
    }
    await Deno.writeTextFile(`${root}/.gitignore`, "node_modules/\n.spanloop/\n");
    assert.deepEqual(await topLevelFaults(root), [
      "LICENSE is missing",
      "scripts has no place at the top level: put it into a folder that has",
    ]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

async function put(root: string, path: string, source: string): Promise<void> {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  await Deno.mkdir(`${root}/${folder}`, { recursive: true });
  await Deno.copyFile(source, `${root}/${path}`);
}
