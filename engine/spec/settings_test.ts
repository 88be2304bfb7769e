import assert from "node:assert/strict";
import { formatDiagnostic } from "../core/diagnostic.ts";
import { loadSettings } from "./settings.ts";

function load(text: string) {
  const bytes = new TextEncoder().encode(text);
  return loadSettings({ bytes, file: "/project/spanloop.yaml", display: "spanloop.yaml" });
}

Deno.test("spanloop.yaml holds the store, its durability and plugins for all workflows", () => {
  const { settings, diagnostics } = load(
    "store: sqlite:data/runs.db\ndurability: normal\nplugins:\n" +
      "  - use: slow_step\n    grant: { propose: [any_name, '*'] }\n    with: { factor: 2 }\n",
  );
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(settings, {
    store: "sqlite:data/runs.db",
    durability: "normal",
    plugins: [{
      name: "slow_step",
      use: "slow_step",
      folder: "/project",
      file: "/project/spanloop.yaml",
      line: 4,
      trust: false,
      grant: { propose: ["any_name", "*"] },
      with: { factor: 2 },
    }],
  });
});

Deno.test("a spanloop.yaml without anything in it is well-formed", () => {
  for (const text of ["", "# nothing yet\n", "plugins: []\n", "{}"]) {
    assert.deepEqual(load(text), { settings: { plugins: [] }, diagnostics: [] }, text);
  }
});

Deno.test("all mistakes of spanloop.yaml are told at once, each at its place", () => {
  const { settings, diagnostics } = load(
    "stores: x\nstore: postgres://x\ndurability: 3\nplugins:\n" +
      "  - use: a\n  - { use: other/a, with: { b: '${{ params.c }}' } }\n  - { use: b, grnt: {} }\n",
  );
  assert.equal(settings, undefined);
  assert.deepEqual(
    diagnostics.map((found) => formatDiagnostic(found).split("\n")[0]),
    [
      "spanloop.yaml:1:1: error: spanloop.yaml has no key `stores`; did you mean `store`?",
      'spanloop.yaml:2:8: error: `store` must be sqlite:FILE or memory:, not "postgres://x"',
      "spanloop.yaml:3:13: error: `durability` must be text, not 3",
      "spanloop.yaml:6:12: error: two plugins have the name `a`, the other one on line 5; keep one of them",
      "spanloop.yaml:6:32: error: plugins are configured with plain values, without `${{ }}`",
      "spanloop.yaml:7:15: error: a plugin has no key `grnt`; did you mean `grant`?",
    ],
  );
  for (const text of ["- a\n", "a: [\n", "text", "a: 1\n---\nb: 1\n", "null", "a: \0"]) {
    const refused = load(text);
    assert.equal(refused.settings, undefined, text);
    assert.equal(refused.diagnostics.length, 1, text);
    assert.doesNotMatch(refused.diagnostics[0].message, /workflow/, text);
  }
});
