import assert from "node:assert/strict";
import plugin from "./lint_plugin.ts";

const ROOT = decodeURI(new URL("../", import.meta.url).pathname);

// The rules that complain, one name a complaint, in order.
function complaints(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, ROOT + path, source)
    .map(({ id }) => id.replace("spanloop/", ""));
}

function refused(rule: string, path: string, ...sources: string[]): void {
  for (const source of sources) {
    assert.deepEqual(complaints(path, source), [rule], `${path}: ${source}`);
  }
}

function accepted(path: string, ...sources: string[]): void {
  for (const source of sources) {
    assert.deepEqual(complaints(path, source), [], `${path}: ${source}`);
  }
}

const CODE = "export const one = 1;";

Deno.test("file-name wants snake_case and names that say something", () => {
  for (const name of ["forEach", "for-each", "ForEach", "_Private", "a__b"]) {
    refused("file-name", `engine/run/${name}.ts`, CODE);
  }
  for (const name of ["utils", "path_utils", "helpers", "helper", "common", "common/one"]) {
    refused("file-name", `engine/run/${name}.ts`, CODE);
  }
  for (const name of ["for_each", "_private", "for_each_test", "utility_curve", "uncommon", "v2"]) {
    accepted(`engine/run/${name}.ts`, CODE);
  }
});

Deno.test("no-ambient refuses time, randomness and environment below the composition root", () => {
  refused(
    "no-ambient",
    "engine/run/one.ts",
    "export const f = () => Date.now();",
    'export const f = () => Date["now"]();',
    "export const f = () => globalThis.Date.now();",
    "export const f = () => new Date();",
    "export const f = () => Date();",
    "export const f = () => performance.now();",
    "export const f = () => Math.random();",
    "export const f = () => crypto.randomUUID();",
    "export const f = (b: Uint8Array) => crypto.getRandomValues(b);",
    'export const f = () => Deno.env.get("HOME");',
    "export const f = () => process.env.HOME;",
    "export const f = (g: () => void) => setTimeout(g, 1);",
    "export const f = (g: () => void) => globalThis.setInterval(g, 1);",
    "export const f = () => AbortSignal.timeout(5);",
    'import { randomUUID } from "node:crypto"; export const f = () => randomUUID();',
    'import { setTimeout as wait } from "node:timers/promises"; export const f = () => wait(1);',
  );
});

Deno.test("no-ambient accepts injected time, and the places that may read it", () => {
  accepted(
    "engine/run/one.ts",
    "export const f = (clock: Clock) => clock.now();",
    "export const f = (ms: number) => new Date(ms);",
    'export const f = () => crypto.subtle.digest("SHA-256", new Uint8Array());',
    'import { createHash } from "node:crypto"; export const f = () => createHash("sha256");',
    "export const f = (g: () => void) => setImmediate(g);",
    "export const f = (date: Date) => Date.parse(String(date));",
  );
  for (
    const path of [
      "engine/engine.ts",
      "engine/system.ts",
      "engine/cli/run.ts",
      "engine/run/one_test.ts",
      "engine/run/_test_clock.ts",
      "tests/bench/main.ts",
      "workflows/load.ts",
    ]
  ) accepted(path, "export const f = () => Date.now();");
});

Deno.test("no-console leaves the engine a Logger to speak by", () => {
  const source = 'export const f = () => console.error("lost");';
  refused("no-console", "engine/run/one.ts", source, "export const f = () => console['log'](1);");
  refused("no-console", "engine/assembly.ts", source);
  refused("no-console", "engine/cli/commands/run.ts", source);
  for (
    const path of ["engine/steps/script_child.ts", "engine/run/one_test.ts", "semconv/generate.ts"]
  ) accepted(path, source);
  accepted("engine/spec/one.ts", 'if (import.meta.main) { console.log("done"); }');
  accepted(
    "engine/run/one.ts",
    'export const f = (log: Logger) => log.log({ severity: "warn", body: "lost" });',
  );
});

Deno.test("no-barrel refuses a file that only passes exports on, except mod.ts", () => {
  const barrels = [
    'export * from "./one.ts";',
    'export { one } from "./one.ts"; export type { Two } from "./two.ts";',
    'import { one } from "./one.ts"; export { one };',
  ];
  refused("no-barrel", "engine/core/all.ts", ...barrels);
  accepted("mod.ts", ...barrels);
  accepted(
    "engine/core/all.ts",
    'export * from "./one.ts"; export const two = 2;',
    'import { one } from "./one.ts"; export const two = one;',
    'import type { One } from "./one.ts"; export interface Two extends One {}',
  );
});

Deno.test("no-side-effects refuses modules that act when they are imported", () => {
  refused(
    "no-side-effects",
    "engine/steps/one.ts",
    `${CODE} register(one);`,
    `${CODE} one.print();`,
    `export const two = await load();`,
    `${CODE} await load();`,
    `${CODE} for (const x of [one]) register(x);`,
    `${CODE} if (one) register(one);`,
    `${CODE} globalThis.one = one;`,
    `import "./register.ts"; ${CODE}`,
  );
});

Deno.test("no-side-effects accepts declarations, guarded entries and entry files", () => {
  accepted(
    "engine/steps/one.ts",
    `const map = new Map([["a", 1]]); export const f = () => map;`,
    `export async function f() { await load(); }`,
    `export const f = async () => await load();`,
    `export class A { async f() { await load(); } static g = 1; }`,
    `${CODE} if (import.meta.main) { console.log(one); await load(); }`,
    `"use strict"; ${CODE}`,
  );
  const acting = `${CODE} await load(one);`;
  for (
    const path of [
      "engine/cli/main.ts",
      "engine/steps/script_child.ts",
      "engine/run/one_test.ts",
      "workflows/load.ts",
      "tests/bench/main.ts",
    ]
  ) accepted(path, acting);
});

Deno.test("no-silent-catch refuses errors that vanish without a reason", () => {
  refused(
    "no-silent-catch",
    "engine/store/one.ts",
    "export function f() { try { g(); } catch { } }",
    "export function f() { try { g(); } catch (error) {\n} }",
    "export const f = () => g().catch(() => {});",
    "// A reason far away.\n\nexport const f = () => g().catch(() => {});",
    'export const f = () => h("said here").catch(() => {});\n// too late',
  );
  accepted(
    "engine/store/one.ts",
    "export function f() { try { g(); } catch { /* it is gone already */ } }",
    "export function f() { try { g(); } catch (error) { h(error); } }",
    "export const f = () => g().catch(() => undefined);",
    "export const f = () => g().catch(() => {\n // told by the caller\n });",
    "export const f = () => g().catch(() => {}); // told by the caller",
    "// Told by the caller.\nexport const f = () => g().catch(() => {});",
    "export function f() { try { g(); } catch {} /* it is gone already */ }",
  );
});

Deno.test("coded-errors refuses plain errors in the engine", () => {
  refused(
    "coded-errors",
    "engine/store/one.ts",
    'export function f() { throw new Error("Cannot"); }',
    'export const f = () => Promise.reject(new Error("Cannot"));',
    'export const f = () => new Promise((_, reject) => reject(new Error("Cannot")));',
  );
  accepted(
    "engine/store/one.ts",
    'export function f() { throw new StoreError("store.full", "Cannot write"); }',
    "export function f(error: unknown) { throw error; }",
    'export const f = () => new Map([["x", new Error("kept")]]);',
  );
  accepted("engine/store/one_test.ts", 'export function f() { throw new Error("Cannot"); }');
  accepted("workflows/load.ts", 'export function f() { throw new Error("Cannot"); }');
});

Deno.test("attribute-keys refuses keys that are written out", () => {
  refused(
    "attribute-keys",
    "engine/telemetry/one.ts",
    'export const a = { "cicd.pipeline.name": "x" };',
    'export const a = { ["spanloop.attempt"]: 1 };',
    'export const f = (attributes: A) => attributes["error.type"];',
    'export const f = (a: A) => a["http.response.status_code"];',
    "export const f = (a: A, key: string) => a[`spanloop.parameter.${key}`];",
    'export const f = ({ "process.exit.code": code }: A) => code;',
    'export const f = (span: S) => span.setAttribute("url.full", "x");',
  );
});

Deno.test("attribute-keys leaves other texts alone", () => {
  accepted(
    "engine/telemetry/one.ts",
    'import { ERROR_TYPE } from "../../semconv/attributes.ts"; export const a = { [ERROR_TYPE]: 1 };',
    'export const f = () => g("http.status", "The server said no");',
    'export const codes = { "http.refused": 1, "process.lost": 2, "error": 3 };',
    'export const text = "cicd.pipeline.name";',
    'export const f = (files: F) => files["spanloop"];',
  );
  accepted("engine/telemetry/one_test.ts", 'export const a = { "cicd.pipeline.name": "x" };');
  accepted("semconv/attributes.ts", 'export const a = { "cicd.pipeline.name": "x" };');
});
