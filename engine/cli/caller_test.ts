import assert from "node:assert/strict";
import { exportsToScreen } from "./caller.ts";

Deno.test("where telemetry is written to the terminal, nothing is redrawn in place there", () => {
  const on = (environment: Record<string, string>, outTerminal = true) =>
    exportsToScreen((name) => environment[name], outTerminal);
  assert.equal(on({}), false);
  assert.equal(on({ OTEL_TRACES_EXPORTER: "otlp,otlp_file,none" }), false);
  assert.equal(on({ OTEL_TRACES_EXPORTER: "otlp, Console" }), true);
  assert.equal(on({ OTEL_METRICS_EXPORTER: "console" }), true);
  assert.equal(on({ OTEL_LOGS_EXPORTER: "logging" }), true);
  assert.equal(on({ OTEL_LOGS_EXPORTER: "console", OTEL_SDK_DISABLED: "TRUE" }), false);
  assert.equal(on({ OTEL_TRACES_EXPORTER: "otlp/stdout" }), true);
  assert.equal(on({ OTEL_TRACES_EXPORTER: "otlp/stdout" }, false), false);
});
