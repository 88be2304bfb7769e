import assert from "node:assert/strict";
import { readTelemetrySettings } from "./settings.ts";

const PREFIX = "OTEL_EXPORTER_OTLP_";

// Reads variables that are named without their prefix.
function read(options: Record<string, string>, others: Record<string, string> = {}) {
  const { settings, warnings } = readTelemetrySettings({
    ...Object.fromEntries(Object.entries(options).map(([name, value]) => [PREFIX + name, value])),
    ...others,
  });
  return {
    traces: settings.traces.otlp,
    metrics: settings.metrics.otlp,
    logs: settings.logs.otlp,
    warnings,
  };
}

// The specification's examples: https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp
Deno.test("http: to the general endpoint the signal's path is added, the signal's own is used as it is", () => {
  const first = read({ ENDPOINT: "http://collector:4318" });
  assert.equal(first.traces.endpoint, "http://collector:4318/v1/traces");
  assert.equal(first.metrics.endpoint, "http://collector:4318/v1/metrics");
  assert.equal(first.logs.endpoint, "http://collector:4318/v1/logs");

  const second = read({
    TRACES_ENDPOINT: "http://collector:4318",
    METRICS_ENDPOINT: "https://collector.example.com/v1/metrics",
  });
  assert.equal(second.traces.endpoint, "http://collector:4318/");
  assert.equal(second.metrics.endpoint, "https://collector.example.com/v1/metrics");
  assert.equal(second.logs.endpoint, "http://localhost:4318/v1/logs");

  const third = read({
    ENDPOINT: "http://collector:4318/mycollector/",
    METRICS_ENDPOINT: "https://collector.example.com/v1/metrics/",
  });
  assert.equal(third.traces.endpoint, "http://collector:4318/mycollector/v1/traces");
  assert.equal(third.logs.endpoint, "http://collector:4318/mycollector/v1/logs");
  assert.equal(third.metrics.endpoint, "https://collector.example.com/v1/metrics/");

  const query = read({ ENDPOINT: "https://collector.example.com/otlp?tenant=1" });
  assert.equal(query.logs.endpoint, "https://collector.example.com/otlp/v1/logs?tenant=1");
  assert.equal(query.logs.insecure, false);
});

Deno.test("an endpoint that is no URL is ignored; the warning does not show it", () => {
  for (const value of ["collector:4318", "ftp://s3cret@collector", "http://", "https//s3cret"]) {
    const { traces, warnings } = read({ TRACES_ENDPOINT: value, ENDPOINT: "http://other:4318" });
    assert.equal(traces.endpoint, "http://other:4318/v1/traces");
    assert.deepEqual(warnings, [
      "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is not a URL that begins with http:// or https://: ignored",
    ]);
  }
});

Deno.test("grpc: the scheme decides on TLS, without one INSECURE does", () => {
  const grpc = (options: Record<string, string>) => {
    const { traces: { endpoint, insecure }, warnings } = read({ PROTOCOL: "grpc", ...options });
    assert.deepEqual(warnings, []);
    return { endpoint, insecure };
  };
  assert.deepEqual(grpc({}), { endpoint: "http://localhost:4317", insecure: true });
  assert.deepEqual(grpc({ ENDPOINT: "https://c:4317", INSECURE: "true" }), {
    endpoint: "https://c:4317/",
    insecure: false,
  });
  assert.deepEqual(grpc({ ENDPOINT: "http://c:4317", INSECURE: "false" }), {
    endpoint: "http://c:4317/",
    insecure: true,
  });
  assert.deepEqual(grpc({ ENDPOINT: "c:4317" }), { endpoint: "c:4317", insecure: false });
  assert.deepEqual(grpc({ ENDPOINT: "c:4317", INSECURE: "true" }), {
    endpoint: "c:4317",
    insecure: true,
  });
  assert.deepEqual(
    grpc({ ENDPOINT: "dns:///c:4317", INSECURE: "true", TRACES_INSECURE: "false" }),
    { endpoint: "dns:///c:4317", insecure: false },
  );
});

Deno.test("each option of a signal comes before the general one", () => {
  const { traces, logs, warnings } = read({
    PROTOCOL: "HTTP/JSON",
    TRACES_PROTOCOL: "grpc",
    TIMEOUT: "5",
    TRACES_TIMEOUT: "0",
    COMPRESSION: "gzip",
    TRACES_COMPRESSION: "none",
    CERTIFICATE: "/a.pem",
    TRACES_CERTIFICATE: "/b.pem",
    CLIENT_CERTIFICATE: "/c.pem",
    CLIENT_KEY: "/k.pem",
    TRACES_CLIENT_KEY: "/l.pem",
    HEADERS: "a=1,b=2",
    TRACES_HEADERS: "a=3",
  });
  assert.deepEqual(warnings, []);
  assert.deepEqual(logs, {
    protocol: "http/json",
    endpoint: "http://localhost:4318/v1/logs",
    headers: { a: "1", b: "2" },
    timeoutMs: 5,
    compression: "gzip",
    certificate: "/a.pem",
    clientCertificate: "/c.pem",
    clientKey: "/k.pem",
    insecure: true,
  });
  assert.deepEqual(traces, {
    protocol: "grpc",
    endpoint: "http://localhost:4317",
    // Headers for one place are not sent to another.
    headers: { a: "3" },
    timeoutMs: 2_147_483_647,
    compression: "none",
    certificate: "/b.pem",
    clientCertificate: "/c.pem",
    clientKey: "/l.pem",
    insecure: true,
  });
});

Deno.test("what a protocol or compression variable does not know is ignored", () => {
  const { traces, warnings } = read({ PROTOCOL: "thrift", COMPRESSION: "zstd" });
  assert.equal(traces.protocol, "http/protobuf");
  assert.equal(traces.compression, "none");
  assert.deepEqual(warnings, [
    'OTEL_EXPORTER_OTLP_PROTOCOL is "thrift", which is not supported: ignored; there are http/protobuf, ' +
    "http/json, grpc",
    'OTEL_EXPORTER_OTLP_COMPRESSION is "zstd", which is not supported: ignored; there are gzip, none',
  ]);
});

Deno.test("a client certificate needs its key", () => {
  const { traces, warnings } = read({ CLIENT_CERTIFICATE: "/c.pem" });
  assert.equal(traces.clientCertificate, undefined);
  assert.match(warnings.join("\n"), /belong together/);
});

Deno.test("headers are in W3C baggage's format, percent-decoded", () => {
  const { traces, warnings } = read({
    HEADERS: " Authorization = Basic%20dXNlcjpwYXNz== ,x-list=a%2Cb,x-empty=,",
  });
  assert.deepEqual(warnings, []);
  assert.deepEqual(traces.headers, {
    authorization: "Basic dXNlcjpwYXNz==",
    "x-list": "a,b",
    "x-empty": "",
  });
});

Deno.test("a faulty header is ignored alone, and no warning shows a value", () => {
  const secrets = ["s3cret-1", "s3cret-2", "s3cret-3", "s3cret-4", "s3cret-5", "s3cret-6"];
  const { traces, warnings } = read({
    HEADERS: [
      secrets[0],
      `a=${secrets[1]}%ZZ`,
      `b=${secrets[2]}%0d%0aHost:x`,
      `c c=${secrets[3]}`,
      `d=ok;${secrets[4]}=x`,
      `=${secrets[5]}`,
      "e=%C3%A9",
    ].join(","),
  }, { OTLP_API_KEY: "s3cret-\n7" });
  assert.deepEqual(traces.headers, { d: "ok" });
  assert.equal(warnings.length, 8, warnings.join("\n"));
  assert.ok(!/s3cret/.test(warnings.join("\n")), warnings.join("\n"));
});

Deno.test("OTLP_API_KEY is a bearer token, unless a header or the URL gives another authorization", () => {
  const key = { OTLP_API_KEY: " k3y\n" };
  const authorization = (options: Record<string, string>) =>
    read(options, key).traces.headers.authorization;
  assert.equal(authorization({}), "Bearer k3y");
  assert.equal(authorization({ HEADERS: "x=1" }), "Bearer k3y");
  assert.equal(authorization({ HEADERS: "AUTHORIZATION=Basic%20x" }), "Basic x");
  assert.equal(authorization({ ENDPOINT: "http://u:p%40ss@c:4318" }), `Basic ${btoa("u:p@ss")}`);
});

Deno.test("credentials in the endpoint become a header, and leave the URL", () => {
  const { traces } = read({ ENDPOINT: "https://user:pass@c:4318/x" });
  assert.equal(traces.endpoint, "https://c:4318/x/v1/traces");
  assert.equal(traces.headers.authorization, `Basic ${btoa("user:pass")}`);
});

Deno.test("over gRPC a header of bytes is ignored alone; over HTTP its name means nothing", () => {
  const grpc = read({ PROTOCOL: "grpc", HEADERS: "api-key=k,Trace-Bin=abc" });
  assert.deepEqual(grpc.traces.headers, { "api-key": "k" });
  assert.deepEqual(grpc.warnings, [
    "OTEL_EXPORTER_OTLP_HEADERS: header 2 cannot be sent as it is: ignored",
  ]);
  const { traces, warnings } = read({ HEADERS: "trace-bin=abc" });
  assert.deepEqual(traces.headers, { "trace-bin": "abc" });
  assert.deepEqual(warnings, []);
});
