import assert from "node:assert/strict";
import { readTelemetrySettings } from "./settings.ts";

function read(environment: Record<string, string>) {
  return readTelemetrySettings(environment);
}

// The settings, of an environment that must be understood.
function settings(environment: Record<string, string>) {
  const { settings, warnings } = read(environment);
  assert.deepEqual(warnings, []);
  return settings;
}

// The one warning that the environment gives, and the settings.
function warned(environment: Record<string, string>) {
  const { settings, warnings } = read(environment);
  assert.equal(warnings.length, 1, warnings.join("\n"));
  return { settings, warning: warnings[0] };
}

Deno.test("an empty environment has the specification's defaults, and exports nothing", () => {
  assert.deepEqual(settings({}), {
    disabled: false,
    serviceName: "spanloop",
    resourceAttributes: {},
    propagators: ["tracecontext", "baggage"],
    denyAttributes: [],
    exceptions: "spans",
    file: { path: "spanloop-{signal}.jsonl", maxBytes: 104_857_600, keep: 5 },
    console: { tree: false },
    traces: {
      exporters: [],
      otlp: {
        protocol: "http/protobuf",
        endpoint: "http://localhost:4318/v1/traces",
        headers: {},
        timeoutMs: 10_000,
        compression: "none",
        insecure: true,
      },
      sampler: { parentBased: true, ratio: 1 },
      batch: { maxQueue: 2_048, maxBatch: 512, delayMs: 5_000, timeoutMs: 30_000 },
      limits: {
        attributeCount: 128,
        eventCount: 128,
        linkCount: 128,
        attributePerEventCount: 128,
        attributePerLinkCount: 128,
      },
    },
    metrics: {
      exporters: [],
      otlp: {
        protocol: "http/protobuf",
        endpoint: "http://localhost:4318/v1/metrics",
        headers: {},
        timeoutMs: 10_000,
        compression: "none",
        insecure: true,
      },
      intervalMs: 60_000,
      timeoutMs: 30_000,
      temporality: "cumulative",
      exemplars: "trace_based",
      prometheus: { host: "localhost", port: 9464 },
    },
    logs: {
      exporters: [],
      otlp: {
        protocol: "http/protobuf",
        endpoint: "http://localhost:4318/v1/logs",
        headers: {},
        timeoutMs: 10_000,
        compression: "none",
        insecure: true,
      },
      batch: { maxQueue: 2_048, maxBatch: 512, delayMs: 1_000, timeoutMs: 30_000 },
      limits: { attributeCount: 128 },
    },
  });
});

Deno.test("an empty variable is as good as none", () => {
  const names = [
    "OTEL_SDK_DISABLED",
    "OTEL_SERVICE_NAME",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_PROPAGATORS",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "OTEL_BSP_MAX_QUEUE_SIZE",
    "OTEL_TRACES_EXPORTER",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTLP_API_KEY",
    "DEPLOYMENT_ENV",
    "SPANLOOP_OTLP_FILE",
  ];
  for (const empty of ["", "  "]) {
    assert.deepEqual(
      settings(Object.fromEntries(names.map((name) => [name, empty]))),
      settings({}),
    );
  }
});

Deno.test("a boolean is true for `true` alone, in any case", () => {
  assert.equal(settings({ OTEL_SDK_DISABLED: "True" }).disabled, true);
  assert.equal(settings({ OTEL_SDK_DISABLED: "FALSE" }).disabled, false);
  for (const value of ["1", "yes", "truee"]) {
    const { settings, warning } = warned({ OTEL_SDK_DISABLED: value });
    assert.equal(settings.disabled, false);
    assert.match(warning, /^OTEL_SDK_DISABLED is "\w+", which is neither true nor false/);
  }
});

Deno.test("OTEL_SDK_DISABLED leaves no exporter, and the propagators as they are", () => {
  const { traces, metrics, logs, propagators } = settings({
    OTEL_SDK_DISABLED: "true",
    OTEL_TRACES_EXPORTER: "console",
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4318",
    SPANLOOP_OTLP_FILE: "out.jsonl",
    OTEL_PROPAGATORS: "baggage",
  });
  assert.deepEqual([traces.exporters, metrics.exporters, logs.exporters], [[], [], []]);
  assert.deepEqual(propagators, ["baggage"]);
});

Deno.test("the service's name: OTEL_SERVICE_NAME, else the resource attributes', else spanloop", () => {
  const attributes = "service.name=of%20attributes,team=data%2Cops";
  const both = settings({ OTEL_RESOURCE_ATTRIBUTES: attributes, OTEL_SERVICE_NAME: "own" });
  assert.equal(both.serviceName, "own");
  assert.deepEqual(both.resourceAttributes, { team: "data,ops" });
  assert.equal(settings({ OTEL_RESOURCE_ATTRIBUTES: attributes }).serviceName, "of attributes");
});

Deno.test("one faulty entry discards all of OTEL_RESOURCE_ATTRIBUTES", () => {
  for (
    const [entry, fault] of [["b", "not name=value"], ["b=%E0%A4", "percent"], ["b=c=d", "%3D"]]
  ) {
    const { settings, warning } = warned({ OTEL_RESOURCE_ATTRIBUTES: `a=1,${entry}` });
    assert.deepEqual(settings.resourceAttributes, {});
    assert.ok(warning.startsWith("OTEL_RESOURCE_ATTRIBUTES: entry 2 ") && warning.includes(fault));
  }
  assert.deepEqual(settings({ OTEL_RESOURCE_ATTRIBUTES: " a = 1 , b= ," }).resourceAttributes, {
    a: "1",
    b: "",
  });
});

Deno.test("DEPLOYMENT_ENV is deployment.environment.name, unless the resource attributes give it", () => {
  assert.deepEqual(settings({ DEPLOYMENT_ENV: "staging" }).resourceAttributes, {
    "deployment.environment.name": "staging",
  });
  const given = { OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=production" };
  assert.deepEqual(settings({ ...given, DEPLOYMENT_ENV: "staging" }).resourceAttributes, {
    "deployment.environment.name": "production",
  });
});

Deno.test("propagators are each taken once, in order; those that are not supported are warned of", () => {
  const propagators = (value: string) => read({ OTEL_PROPAGATORS: value }).settings.propagators;
  assert.deepEqual(propagators("baggage, TraceContext,baggage"), ["baggage", "tracecontext"]);
  assert.deepEqual(propagators("none"), []);
  for (const other of ["b3", "b3multi", "jaeger", "xray", "ottrace", "other"]) {
    const { settings, warning } = warned({ OTEL_PROPAGATORS: `tracecontext,${other}` });
    assert.deepEqual(settings.propagators, ["tracecontext"]);
    assert.match(warning, /^OTEL_PROPAGATORS is "\w+", which is not supported: ignored/);
  }
  // Nothing that is understood is as good as not set.
  assert.deepEqual(warned({ OTEL_PROPAGATORS: "b3" }).settings.propagators, [
    "tracecontext",
    "baggage",
  ]);
  assert.deepEqual(warned({ OTEL_PROPAGATORS: "none,baggage" }).settings.propagators, ["baggage"]);
});

Deno.test("samplers", () => {
  const sampler = (name: string, argument = "") =>
    settings({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: argument }).traces.sampler;
  assert.deepEqual(sampler("always_on"), { parentBased: false, ratio: 1 });
  assert.deepEqual(sampler("always_off"), { parentBased: false, ratio: 0 });
  assert.deepEqual(sampler("traceidratio"), { parentBased: false, ratio: 1 });
  assert.deepEqual(sampler("TraceIdRatio", "0.25"), { parentBased: false, ratio: 0.25 });
  assert.deepEqual(sampler("parentbased_always_on"), { parentBased: true, ratio: 1 });
  assert.deepEqual(sampler("parentbased_always_off"), { parentBased: true, ratio: 0 });
  assert.deepEqual(sampler("parentbased_traceidratio", "0"), { parentBased: true, ratio: 0 });
  for (const other of ["jaeger_remote", "parentbased_jaeger_remote", "xray", "often"]) {
    const { settings } = warned({ OTEL_TRACES_SAMPLER: other });
    assert.deepEqual(settings.traces.sampler, { parentBased: true, ratio: 1 });
  }
});

Deno.test("a sampler's argument that does not hold is ignored with a warning", () => {
  for (const argument of ["1.01", "-0.1", "half", "0x1", "NaN", "Infinity"]) {
    const { settings } = warned({
      OTEL_TRACES_SAMPLER: "traceidratio",
      OTEL_TRACES_SAMPLER_ARG: argument,
    });
    assert.deepEqual(settings.traces.sampler, { parentBased: false, ratio: 1 });
  }
  // Without a sampler that takes it, too.
  const alone = warned({ OTEL_TRACES_SAMPLER_ARG: "0.5" });
  assert.deepEqual(alone.settings.traces.sampler, { parentBased: true, ratio: 1 });
  warned({ OTEL_TRACES_SAMPLER_ARG: "0.5", OTEL_TRACES_SAMPLER: "always_on" });
});

Deno.test("the batch variables", () => {
  const { traces, logs } = settings({
    OTEL_BSP_SCHEDULE_DELAY: "0",
    OTEL_BSP_EXPORT_TIMEOUT: "7",
    OTEL_BSP_MAX_QUEUE_SIZE: "100",
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "10",
    OTEL_BLRP_SCHEDULE_DELAY: "3",
    OTEL_BLRP_EXPORT_TIMEOUT: "0",
    OTEL_BLRP_MAX_QUEUE_SIZE: "20",
  });
  assert.deepEqual(traces.batch, { delayMs: 0, timeoutMs: 7, maxQueue: 100, maxBatch: 10 });
  // A timeout of 0 is none; a batch is never larger than the queue.
  assert.deepEqual(logs.batch, {
    delayMs: 3,
    timeoutMs: 2_147_483_647,
    maxQueue: 20,
    maxBatch: 20,
  });
});

Deno.test("a number that does not hold is ignored with a warning", () => {
  for (const value of ["0", "-1", "1.5", "many", "2147483648", "1e3", "0x10"]) {
    const { settings, warning } = warned({ OTEL_BSP_MAX_QUEUE_SIZE: value });
    assert.equal(settings.traces.batch.maxQueue, 2_048);
    assert.equal(
      warning,
      `OTEL_BSP_MAX_QUEUE_SIZE is "${value}", which is not a whole number from 1 to 2147483647: ignored`,
    );
  }
  const { settings } = warned({
    OTEL_BSP_MAX_QUEUE_SIZE: "10",
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "11",
  });
  assert.equal(settings.traces.batch.maxBatch, 10);
});

Deno.test("limits: a signal's own variable comes before the general one", () => {
  const { traces, logs } = settings({
    OTEL_ATTRIBUTE_COUNT_LIMIT: "10",
    OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: "100",
    OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: "0",
    OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT: "50",
    OTEL_SPAN_EVENT_COUNT_LIMIT: "1",
    OTEL_SPAN_LINK_COUNT_LIMIT: "2",
    OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: "3",
    OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: "4",
  });
  assert.deepEqual(traces.limits, {
    attributeCount: 0,
    attributeValueLength: 100,
    eventCount: 1,
    linkCount: 2,
    attributePerEventCount: 3,
    attributePerLinkCount: 4,
  });
  assert.deepEqual(logs.limits, { attributeCount: 10, attributeValueLength: 50 });
  const fallen = warned({
    OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: "-1",
    OTEL_ATTRIBUTE_COUNT_LIMIT: "10",
  });
  assert.equal(fallen.settings.traces.limits.attributeCount, 10);
});

Deno.test("exporters: several at once, each once; names that a signal does not have are warned of", () => {
  const asked = settings({
    OTEL_TRACES_EXPORTER: "otlp, console,otlp",
    OTEL_METRICS_EXPORTER: "prometheus,otlp_file",
    OTEL_LOGS_EXPORTER: "otlp/stdout,LOGGING",
  });
  assert.deepEqual(asked.traces.exporters, ["otlp", "console"]);
  assert.deepEqual(asked.metrics.exporters, ["prometheus", "otlp_file"]);
  assert.deepEqual(asked.logs.exporters, ["otlp_stdout", "console"]);
  const { settings: rest, warning } = warned({ OTEL_TRACES_EXPORTER: "prometheus,console" });
  assert.deepEqual(rest.traces.exporters, ["console"]);
  assert.equal(
    warning,
    'OTEL_TRACES_EXPORTER is "prometheus", which is not supported: ignored; there are otlp, console, ' +
      "logging, otlp_file, otlp_file/development, otlp/stdout, none",
  );
  warned({ OTEL_TRACES_EXPORTER: "zipkin" });
});

Deno.test("without the exporter variables: otlp where there is an endpoint, otlp_file where there is a file", () => {
  const exporters = (environment: Record<string, string>) => {
    const { traces, metrics, logs } = read(environment).settings;
    return [traces.exporters, metrics.exporters, logs.exporters];
  };
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://localhost:4318" };
  const file = { SPANLOOP_OTLP_FILE: "out.jsonl" };
  assert.deepEqual(exporters(endpoint), [["otlp"], ["otlp"], ["otlp"]]);
  assert.deepEqual(
    exporters({ OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: "http://localhost:4318/v1/logs" }),
    [
      [],
      [],
      ["otlp"],
    ],
  );
  assert.deepEqual(exporters({ ...file, ...endpoint, OTEL_METRICS_EXPORTER: "none" }), [
    ["otlp", "otlp_file"],
    [],
    ["otlp", "otlp_file"],
  ]);
  assert.deepEqual(exporters({ OTEL_EXPORTER_OTLP_ENDPOINT: "localhost" }), [[], [], []]);
});

Deno.test("metrics, exceptions, files, the console and what is denied", () => {
  const all = settings({
    OTEL_METRIC_EXPORT_INTERVAL: "5000",
    OTEL_METRIC_EXPORT_TIMEOUT: "100",
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: "LowMemory",
    OTEL_METRICS_EXEMPLAR_FILTER: "always_off",
    OTEL_EXPORTER_PROMETHEUS_HOST: "0.0.0.0",
    OTEL_EXPORTER_PROMETHEUS_PORT: "0",
    OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN: "logs",
    SPANLOOP_OTLP_FILE: "/tmp/Out.jsonl",
    SPANLOOP_OTLP_FILE_MAX_BYTES: "1000",
    SPANLOOP_OTLP_FILE_KEEP: "0",
    SPANLOOP_CONSOLE_SPANS: "tree",
    SPANLOOP_OTEL_DENY_ATTRIBUTES: "http.*, userName ,",
  });
  assert.equal(all.metrics.intervalMs, 5_000);
  assert.equal(all.metrics.timeoutMs, 100);
  assert.equal(all.metrics.temporality, "lowmemory");
  assert.equal(all.metrics.exemplars, "always_off");
  assert.deepEqual(all.metrics.prometheus, { host: "0.0.0.0", port: 0 });
  assert.equal(all.exceptions, "logs");
  assert.deepEqual(all.file, { path: "/tmp/Out.jsonl", maxBytes: 1_000, keep: 0 });
  assert.deepEqual(all.console, { tree: true });
  assert.deepEqual(all.denyAttributes, ["http.*", "userName"]);
  const optIn = (value: string) => ({ OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN: value });
  assert.equal(settings(optIn("logs/dup")).exceptions, "both");
  assert.equal(warned(optIn("spans")).settings.exceptions, "spans");
  assert.equal(
    warned({ OTEL_EXPORTER_PROMETHEUS_PORT: "65536" }).settings.metrics.prometheus.port,
    9464,
  );
  assert.match(
    warned({ OTEL_CONFIG_FILE: "otel.yaml" }).warning,
    /^OTEL_CONFIG_FILE is not supported/,
  );
});

Deno.test("a variable that Object's prototype has is not set", () => {
  assert.equal(settings(Object.create({ OTEL_SERVICE_NAME: "inherited" })).serviceName, "spanloop");
});

Deno.test("under a task relative paths are meant from the caller's folder", () => {
  const task = { INIT_CWD: "/home/me" };
  const file = (path: string) => settings({ ...task, SPANLOOP_OTLP_FILE: path }).file.path;
  assert.equal(file("out.jsonl"), "/home/me/out.jsonl");
  assert.equal(settings(task).file.path, "/home/me/spanloop-{signal}.jsonl");
  assert.equal(file("/tmp/out.jsonl"), "/tmp/out.jsonl");
  assert.equal(settings({ SPANLOOP_OTLP_FILE: "out.jsonl" }).file.path, "out.jsonl");
  const { traces } = settings({ ...task, OTEL_EXPORTER_OTLP_CERTIFICATE: "ca.pem" });
  assert.equal(traces.otlp.certificate, "/home/me/ca.pem");
});
