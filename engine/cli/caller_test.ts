import assert from "node:assert/strict";
import { decoder, MAIN } from "./_process_test.ts";
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

Deno.test("a disk that is too full for the output is told in a sentence", async () => {
  const script = 'exec "$0" run -A --no-prompt "$1" help > /dev/full';
  const args = ["-c", script, Deno.execPath(), MAIN];
  const { code, stderr } = await new Deno.Command("sh", { args, stdout: "null" }).output();
  assert.equal(code, 1);
  assert.match(
    decoder.decode(stderr),
    /^error: Cannot write what there is to say: No space left[^\n]*\n$/,
  );
});
