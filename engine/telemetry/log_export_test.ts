import assert from "node:assert/strict";
import { JsonLogsSerializer, ProtobufLogsSerializer } from "@opentelemetry/otlp-transformer";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableLogRecord } from "@opentelemetry/sdk-logs";
import { logsRequest } from "../../tests/proto/definitions.ts";
import type { LogRecord } from "../core/log.ts";
import { exportLogs, type LogExport } from "./log_export.ts";
import { redactor } from "./redact.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const resource = resourceFromAttributes({ "service.name": "spanloop" });

// A time that a number of nanoseconds cannot hold.
const LINE: LogRecord = {
  time: 1_795_251_600_123_456_789n,
  severity: "info",
  body: "größer als 2^53",
  eventName: "spanloop.step.output",
  attributes: { "log.iostream": "stderr" },
  span: { traceId: TRACE, spanId: SPAN },
  workflow: "orders",
  runId: "r1",
  stepId: "load",
};

function exported(record: LogRecord, more: Partial<LogExport> = {}): ReadableLogRecord {
  const emitted: ReadableLogRecord[] = [];
  const limits = { attributeCount: 128 };
  exportLogs({ limits, resource, emit: (one) => emitted.push(one), ...more })(record);
  assert.equal(emitted.length, 1);
  return emitted[0];
}

const text = (value: string) => ({ stringValue: value });

const EXPECTED = {
  timeUnixNano: "1795251600123456789",
  observedTimeUnixNano: "1795251600123456789",
  severityNumber: 9,
  severityText: "INFO",
  body: text("größer als 2^53"),
  eventName: "spanloop.step.output",
  attributes: [
    { key: "cicd.pipeline.name", value: text("orders") },
    { key: "cicd.pipeline.run.id", value: text("r1") },
    { key: "spanloop.step.id", value: text("load") },
    { key: "log.iostream", value: text("stderr") },
  ],
  flags: 1,
};

Deno.test("a record survives OTLP's JSON: ids, nanoseconds, severity, event name, attributes", () => {
  const both: ReadableLogRecord[] = [];
  const hear = exportLogs({
    limits: { attributeCount: 128 },
    resource,
    emit: (one) => void both.push(one),
  });
  hear(LINE);
  hear(LINE);
  const bytes = JsonLogsSerializer.serializeRequest(both);
  const { resourceLogs } = JSON.parse(new TextDecoder().decode(bytes));
  assert.equal(resourceLogs.length, 1, "one resource");
  assert.deepEqual(resourceLogs[0].scopeLogs.map((one: { scope: unknown }) => one.scope), [
    { name: "spanloop" },
  ]);
  const [record, other] = resourceLogs[0].scopeLogs[0].logRecords;
  assert.deepEqual(record, {
    ...EXPECTED,
    droppedAttributesCount: 0,
    traceId: TRACE,
    spanId: SPAN,
  });
  assert.deepEqual(other, record);
});

Deno.test("a record survives OTLP's protobuf, as the official definitions read it", () => {
  const bytes = ProtobufLogsSerializer.serializeRequest([exported(LINE)]) as Uint8Array;
  const request = logsRequest.decode(bytes) as {
    resourceLogs: { scopeLogs: { logRecords: Record<string, unknown>[] }[] }[];
  };
  const { traceId, spanId, ...record } = request.resourceLogs[0].scopeLogs[0].logRecords[0];
  assert.equal(hex(traceId), TRACE);
  assert.equal(hex(spanId), SPAN);
  delete record.droppedAttributesCount; // 0, however it is left out
  assert.deepEqual(JSON.parse(JSON.stringify(record)), EXPECTED);
});

Deno.test("severities have OpenTelemetry's numbers", () => {
  const numbers = (["debug", "info", "warn", "error"] as const).map((severity) => {
    const { severityNumber, severityText } = exported({ ...LINE, severity });
    return [severityNumber, severityText];
  });
  assert.deepEqual(numbers, [[5, "DEBUG"], [9, "INFO"], [13, "WARN"], [17, "ERROR"]]);
});

Deno.test("a record of no span has no trace, and one of no run no run", () => {
  const record = exported({ time: 1n, severity: "warn", body: "full" });
  assert.equal(record.spanContext, undefined);
  assert.equal(record.eventName, undefined);
  assert.deepEqual(record.attributes, {});
});

Deno.test("limits cut attributes and count what was dropped; the body stays", () => {
  const record = exported({
    ...LINE,
    attributes: { "log.iostream": "stdout", list: ["abcdef", "gh"], number: 12345, last: true },
  }, { limits: { attributeCount: 6, attributeValueLength: 3 } });
  assert.deepEqual(record.attributes, {
    "cicd.pipeline.name": "ord",
    "cicd.pipeline.run.id": "r1",
    "spanloop.step.id": "loa",
    "log.iostream": "std",
    list: ["abc", "gh"],
    number: 12345,
  });
  assert.equal(record.droppedAttributesCount, 1);
  assert.equal(record.body, LINE.body);
});

Deno.test("denied attributes are redacted, those of runs included", () => {
  const { attributes } = exported(LINE, { redact: redactor(["cicd.*", "log.iostream"]) });
  assert.equal(attributes["cicd.pipeline.name"], "[redacted]");
  assert.equal(attributes["log.iostream"], "[redacted]");
  assert.equal(attributes["spanloop.step.id"], "load");
});

Deno.test("a record goes where its span is exported, and says when that is not sampled", () => {
  const asked: unknown[] = [];
  const record = exported(LINE, {
    exported: (span, runId) => {
      asked.push([span.spanId, runId]);
      return { traceId: "1".repeat(32), spanId: span.spanId, sampled: false };
    },
  });
  assert.deepEqual(asked, [[SPAN, "r1"]]);
  assert.deepEqual(record.spanContext, {
    traceId: "1".repeat(32),
    spanId: SPAN,
    traceFlags: 0,
  });
});

function hex(bytes: unknown): string {
  return (bytes as Uint8Array).toHex();
}

Deno.test("a long line is shortened, so that a queue of many is bounded (J5)", () => {
  const { body } = exported({ ...LINE, body: "x".repeat(100_000) });
  assert.equal(String(body).length, 16_384);
  assert.ok(String(body).endsWith("x…"));
  assert.equal(exported({ ...LINE, body: "x".repeat(16_384) }).body, "x".repeat(16_384));
});
