import assert from "node:assert/strict";
import { measure, values } from "./_fixture_test.ts";

const OPENMETRICS = { accept: "application/openmetrics-text; version=1.0.0" };

const page = async (url: string, headers: Record<string, string> = {}) => {
  const response = await fetch(url, { headers });
  return { type: response.headers.get("content-type"), text: await response.text() };
};

for (const temporality of ["delta", "cumulative"] as const) {
  Deno.test(`Prometheus scrapes cumulative metrics while OTLP gets ${temporality} ones`, () =>
    scrape(temporality));
}

async function scrape(temporality: "delta" | "cumulative"): Promise<void> {
  const { span, batches, collect, shutdown, prometheusUrl: url = "", warnings } = measure({
    exporters: ["otlp", "prometheus"],
    temporality,
  });
  for (const number of [1, 2]) {
    span({ number }, 0.02);
    await collect();
    const { text } = await page(url);
    assert.match(text, new RegExp(`^spanloop_span_count_total\\{.*\\} ${number}$`, "m"));
    assert.match(
      text,
      new RegExp(`^spanloop_attempt_duration_seconds_bucket\\{.*le="0\\.025"\\} ${number}$`, "m"),
    );
  }
  assert.deepEqual(
    batches.map((batch) => values(batch, "spanloop.span.count")["load succeeded"]),
    temporality === "delta" ? [1, 1] : [1, 2],
  );
  const { type, text } = await page(url);
  assert.equal(type, "text/plain; version=0.0.4; charset=utf-8");
  assert.ok(!text.includes("trace_id"), "the text format has no exemplars");
  const open = await page(url, OPENMETRICS);
  assert.equal(open.type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
  assert.match(
    open.text,
    /^spanloop_attempt_duration_seconds_bucket\{.*le="0\.025"\} 2 # \{trace_id="a{31}2",span_id="b{15}2"\} 0\.02 \d+\.\d{9}$/m,
  );
  assert.ok(open.text.endsWith("# EOF\n"));
  assert.deepEqual(warnings, []);
  await shutdown(1_000);
  await assert.rejects(fetch(url), "the page is closed");
}

Deno.test("only /metrics is served, and only to be read", async () => {
  const { shutdown, prometheusUrl: url = "" } = measure({ exporters: ["prometheus"] });
  const other = await fetch(new URL("/", url));
  assert.deepEqual([other.status, await other.text()], [404, "The metrics are at /metrics\n"]);
  const post = await fetch(url, { method: "POST", body: "x" });
  assert.deepEqual([post.status, post.headers.get("allow")], [405, "GET, HEAD"]);
  await post.body?.cancel();
  const head = await fetch(url, { method: "HEAD" });
  assert.deepEqual([head.status, await head.text()], [200, ""]);
  assert.equal(new URL(url).hostname, "127.0.0.1");
  await shutdown(1_000);
});

Deno.test("a port that is in use is one warning, and what is measured is sent all the same (J5)", async () => {
  const first = measure({ exporters: ["prometheus"] });
  const port = Number(new URL(first.prometheusUrl!).port);
  const { span, collect, batches, shutdown, prometheusUrl, warnings } = measure({
    exporters: ["otlp", "prometheus"],
    prometheus: { host: "127.0.0.1", port },
  });
  assert.equal(prometheusUrl, undefined);
  assert.deepEqual(warnings, [
    `Cannot serve metrics to Prometheus on 127.0.0.1:${port}: another program has the port; ` +
    "set OTEL_EXPORTER_PROMETHEUS_PORT to a free one",
  ]);
  span({ number: 1 }, 1);
  await collect();
  assert.equal(batches.length, 1);
  await shutdown(1_000);
  await first.shutdown(1_000);
});

Deno.test("promtool finds nothing wrong with the page", async (test) => {
  const promtool = await found();
  await test.step({
    name: promtool === undefined ? "skipped: there is no promtool on this machine" : "checks it",
    ignore: promtool === undefined,
    async fn() {
      const { span, metrics, shutdown, prometheusUrl: url = "" } = measure({
        exporters: ["prometheus"],
      });
      span({ number: 1, range: { from: 0, to: 3 } }, 0.02, { items: { processed: 2, failed: 1 } });
      span({ number: 2, role: "run" }, 1, { outcome: "failed", code: 'a"\\b' });
      metrics.systemError("telemetry", "x");
      metrics.received({ signal: "logs", accepted: 1, rejected: 1 });
      const { text } = await page(url);
      await shutdown(1_000);
      const child = new Deno.Command(promtool!, {
        args: ["check", "metrics"],
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(text));
      await writer.close();
      const { stdout, stderr } = await child.output();
      const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      assert.deepEqual(said.split("\n").filter((line) => line !== ""), [
        // OpenTelemetry's name for it.
        'cicd_worker_count non-histogram and non-summary metrics should not have "_count" suffix',
      ]);
    },
  });
});

async function found(): Promise<string | undefined> {
  for (const path of [Deno.env.get("PROMTOOL"), "/usr/bin/promtool", "/usr/local/bin/promtool"]) {
    if (path !== undefined && await Deno.stat(path).then(() => true, () => false)) return path;
  }
  return undefined;
}
