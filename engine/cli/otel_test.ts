// `otel test` where nothing can be tested says why.
import assert from "node:assert/strict";
import { cli, inFolder } from "./_process_test.ts";

Deno.test("otel test tells of a variable that is ignored, of metrics that are scraped, and of a switch", () =>
  inFolder(async (folder) => {
    const test = (environment: Record<string, string>) =>
      // The whole suite may be told to write its telemetry to a file.
      cli(folder, ["otel", "test"], { SPANLOOP_OTLP_FILE: "", ...environment });
    const misspelt = await test({ OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" });
    assert.equal(misspelt.code, 2);
    assert.match(misspelt.out, /^Nothing is exported: set OTEL_EXPORTER_OTLP_ENDPOINT/);
    assert.match(misspelt.err, /OTEL_EXPORTER_OTLP_ENDPOINT is not a URL .*: ignored/);
    const scraped = await test({
      OTEL_METRICS_EXPORTER: "prometheus",
      OTEL_EXPORTER_PROMETHEUS_PORT: "9",
    });
    assert.equal(scraped.code, 2);
    assert.match(scraped.out, /^Nothing is sent: .* prometheus http:\/\/localhost:9\/metrics\n$/);
    const off = await test({
      OTEL_SDK_DISABLED: "true",
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318",
    });
    assert.equal(off.code, 2);
    assert.equal(off.out, "OTEL_SDK_DISABLED is set: nothing is exported\n");
  }));
