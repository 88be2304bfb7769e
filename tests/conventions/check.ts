/**
 * Holds the telemetry that the whole suite has written against the conventions; `deno task ok` runs it after
 * the tests. What the tests' own workflows say is declared in registry/. Exits 1 when there is a violation,
 * or when a signal is missing.
 */
import { checkTelemetry } from "../../engine/conventions.ts";

const SIGNALS = ["resourceSpans", "resourceMetrics", "resourceLogs"];

const [path] = Deno.args;
const folder = new URL("registry", import.meta.url).pathname;
const { lines, advice } = await checkTelemetry([{ path, shown: path }], {
  registries: [{ path: folder, shown: "tests/conventions/registry" }],
  strict: true,
});
const text = await Deno.readTextFile(path);
const missing = SIGNALS.filter((signal) => !text.includes(`{"${signal}":[{`));
const violations = advice.filter(({ level }) => level === "violation");
for (const { line, signal, name, message, count } of violations) {
  console.error(`${path}:${line}: ${signal} ${name}: ${message} (${count} times)`);
}
for (const signal of missing) console.error(`The tests have written no ${signal}`);
console.log(`${lines} requests of telemetry, ${violations.length} violations`);
// The file is left for whoever has to look.
if (violations.length > 0 || missing.length > 0) Deno.exit(1);
