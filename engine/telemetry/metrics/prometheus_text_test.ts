import assert from "node:assert/strict";
import type { Metric, MetricsBatch } from "./batch.ts";
import { formatFor, renderPrometheus } from "./prometheus_text.ts";

const START = 1_700_000_000_000_000_000n;
const TIME = START + 1_500_000_000n;

const sum = (over: Partial<Extract<Metric, { kind: "sum" | "gauge" }>> = {}): Metric => ({
  kind: "sum",
  name: "spanloop.span.count",
  description: 'Spans that "ended"\\',
  unit: "{span}",
  monotonic: true,
  temporality: "cumulative",
  integer: true,
  points: [{ attributes: { "span.name": 'a"b\\c\nd' }, startTime: START, time: TIME, value: 3 }],
  ...over,
});

const HISTOGRAM: Metric = {
  kind: "histogram",
  name: "cicd.pipeline.run.duration",
  description: "How long",
  unit: "s",
  temporality: "cumulative",
  points: [{
    attributes: {},
    startTime: START,
    time: TIME,
    count: 6,
    sum: 12.5,
    bounds: [0.5, 10],
    counts: [1, 2, 3],
    exemplars: [
      { traceId: "1".repeat(32), spanId: "2".repeat(16), time: TIME, value: 10 },
      { traceId: "3".repeat(32), spanId: "4".repeat(16), time: TIME, value: 11 },
    ],
  }],
};

const batch = (...metrics: Metric[]): MetricsBatch => ({
  resource: { "service.name": "spanloop", "process.pid": 7 },
  scope: { name: "spanloop", version: "1.0.0" },
  metrics,
});

Deno.test("the text format has one family a metric, with units and suffixes", () => {
  const scope = 'otel_scope_name="spanloop",otel_scope_version="1.0.0"';
  assert.equal(
    renderPrometheus(batch(sum(), HISTOGRAM), "text"),
    `# HELP target_info What made the metrics.
# TYPE target_info gauge
target_info{process_pid="7",service_name="spanloop"} 1
# HELP spanloop_span_count_total Spans that "ended"\\\\
# TYPE spanloop_span_count_total counter
spanloop_span_count_total{span_name="a\\"b\\\\c\\nd",${scope}} 3
# HELP cicd_pipeline_run_duration_seconds How long
# TYPE cicd_pipeline_run_duration_seconds histogram
cicd_pipeline_run_duration_seconds_bucket{${scope},le="0.5"} 1
cicd_pipeline_run_duration_seconds_bucket{${scope},le="10"} 3
cicd_pipeline_run_duration_seconds_bucket{${scope},le="+Inf"} 6
cicd_pipeline_run_duration_seconds_sum{${scope}} 12.5
cicd_pipeline_run_duration_seconds_count{${scope}} 6
`,
  );
});

Deno.test("OpenMetrics has exemplars on their buckets, units, creation times and an end", () => {
  const scope = 'otel_scope_name="spanloop",otel_scope_version="1.0.0"';
  const exemplar = (trace: string, span: string, value: number) =>
    ` # {trace_id="${trace.repeat(32)}",span_id="${
      span.repeat(16)
    }"} ${value} 1700000001.500000000`;
  assert.equal(
    renderPrometheus(batch(sum(), HISTOGRAM), "openmetrics"),
    `# HELP target What made the metrics.
# TYPE target info
target_info{process_pid="7",service_name="spanloop"} 1
# HELP spanloop_span_count Spans that \\"ended\\"\\\\
# TYPE spanloop_span_count counter
spanloop_span_count_total{span_name="a\\"b\\\\c\\nd",${scope}} 3
spanloop_span_count_created{span_name="a\\"b\\\\c\\nd",${scope}} 1700000000.000000000
# HELP cicd_pipeline_run_duration_seconds How long
# TYPE cicd_pipeline_run_duration_seconds histogram
# UNIT cicd_pipeline_run_duration_seconds seconds
cicd_pipeline_run_duration_seconds_bucket{${scope},le="0.5"} 1
cicd_pipeline_run_duration_seconds_bucket{${scope},le="10.0"} 3${exemplar("1", "2", 10)}
cicd_pipeline_run_duration_seconds_bucket{${scope},le="+Inf"} 6${exemplar("3", "4", 11)}
cicd_pipeline_run_duration_seconds_sum{${scope}} 12.5
cicd_pipeline_run_duration_seconds_count{${scope}} 6
cicd_pipeline_run_duration_seconds_created{${scope}} 1700000000.000000000
# EOF
`,
  );
});

Deno.test("names and units become Prometheus's", () => {
  const named: readonly [string, string, boolean, string][] = [
    ["a.b-c", "", false, "a_b_c"],
    ["1st..thing", "", false, "_1st_thing"],
    ["queue.depth", "{entry}", false, "queue_depth"],
    ["work", "ms", false, "work_milliseconds"],
    ["flow", "By/s", true, "flow_bytes_per_second_total"],
    ["work_seconds", "s", false, "work_seconds"],
    ["done_total", "1", true, "done_total"],
  ];
  for (const [name, unit, monotonic, family] of named) {
    const text = renderPrometheus(batch(sum({ name, unit, monotonic })), "text");
    const type = monotonic ? "counter" : "gauge";
    assert.ok(text.includes(`# TYPE ${family} ${type}\n${family}{`), `${name}: ${text}`);
  }
  const ratio = renderPrometheus(batch(sum({ kind: "gauge", name: "full", unit: "1" })), "text");
  assert.ok(ratio.includes("# TYPE full_ratio gauge\n"), ratio);
});

Deno.test("labels that come to the same name share it; other types are written as JSON", () => {
  const [point] = [{ startTime: START, time: TIME, value: 1 }];
  const text = renderPrometheus(
    batch(sum({
      points: [{
        ...point,
        attributes: { "b.a": "2", "b_a": "3", "b-a": "1", "list": ["x", "y"] },
      }],
    })),
    "text",
  );
  assert.ok(text.includes('{b_a="1;2;3",list="[\\"x\\",\\"y\\"]",otel_scope_name='), text);
});

Deno.test("what Prometheus cannot hold is left out, and a family is there once", () => {
  const delta = renderPrometheus(batch(sum({ temporality: "delta" })), "text");
  assert.ok(!delta.includes("spanloop_span_count"), delta);
  const twice = renderPrometheus(batch(sum(), sum({ name: "spanloop_span_count" })), "text");
  assert.equal(twice.split("# TYPE spanloop_span_count_total").length, 2, twice);
});

Deno.test("a scraper gets the format that it prefers", () => {
  const prometheus =
    "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3";
  assert.equal(formatFor(prometheus), "openmetrics");
  assert.equal(formatFor("application/openmetrics-text; version=0.0.1"), "openmetrics");
  assert.equal(formatFor("text/plain, application/openmetrics-text;q=0.9"), "text");
  assert.equal(formatFor("application/openmetrics-text;version=9.0.0"), "text");
  assert.equal(formatFor("application/openmetrics-text;q=0"), "text");
  assert.equal(formatFor("application/vnd.google.protobuf;q=0.9,*/*;q=0.1"), "text");
  assert.equal(formatFor(null), "text");
});
