import type { HrTime } from "@opentelemetry/api";
import type { SeverityNumber } from "@opentelemetry/api-logs";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableLogRecord } from "@opentelemetry/sdk-logs";
import type { LogConsumer, LogRecord, Severity } from "../core/log.ts";
import type { Attributes, AttributeValue, SpanReference } from "../core/span.ts";
import * as keys from "../../semconv/attributes.ts";
import type { Redact } from "./redact.ts";
import type { LimitSettings } from "./settings.ts";

/** Where a record's span stands in what is exported. */
export interface ExportedSpan extends SpanReference {
  /** Whether its trace is sampled; true when absent. */
  readonly sampled?: boolean;
}

/** What exporting log records needs. */
export interface LogExport {
  /** OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT and _VALUE_LENGTH_LIMIT. */
  readonly limits: LimitSettings;
  /** The engine's resource; one object, since serializers group records by it. */
  readonly resource: Resource;
  /** Takes a record in the SDK's form. */
  readonly emit: (record: ReadableLogRecord) => void;
  /** Takes the values away that must not be exported. */
  readonly redact?: Redact;
  /** The exported counterpart of a span of the journal; absent: the same. */
  readonly exported?: (span: SpanReference, runId: string | undefined) => ExportedSpan;
}

// https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
const NUMBERS: Readonly<Record<Severity, SeverityNumber>> = {
  debug: 5,
  info: 9,
  warn: 13,
  error: 17,
};
const SAMPLED = 1;

/** A consumer that hands each record on in the form that OpenTelemetry's SDK exports. */
export function exportLogs(ports: LogExport): LogConsumer {
  const { limits, resource, emit, redact = (same) => same, exported = (same) => same } = ports;
  const version = resource.attributes[keys.SERVICE_VERSION];
  // One object: the SDK groups by its identity.
  const scope = { name: "spanloop", ...(typeof version === "string" ? { version } : {}) };
  return (record) => {
    const { attributes, dropped } = limited(redact(attributesOf(record)), limits);
    const time = hrTime(record.time);
    const span: ExportedSpan | undefined = record.span && exported(record.span, record.runId);
    emit({
      hrTime: time,
      // The engine makes the record when it happens: there is no other moment at which it was observed.
      hrTimeObserved: time,
      ...(span === undefined ? {} : {
        spanContext: {
          traceId: span.traceId,
          spanId: span.spanId,
          traceFlags: span.sampled === false ? 0 : SAMPLED,
        },
      }),
      severityNumber: NUMBERS[record.severity],
      severityText: record.severity.toUpperCase(),
      body: shortened(record.body),
      ...(record.eventName === undefined ? {} : { eventName: record.eventName }),
      resource,
      instrumentationScope: scope,
      attributes,
      droppedAttributesCount: dropped,
    });
  };
}

// A queue is bounded by the number of its records: this bounds what one of them holds, in characters.
const LONGEST_BODY = 16_384;

function shortened(body: string): string {
  return body.length <= LONGEST_BODY ? body : `${body.slice(0, LONGEST_BODY - 1)}…`;
}

function attributesOf({ workflow, runId, stepId, attributes }: LogRecord): Attributes {
  return {
    ...(workflow === undefined ? {} : { [keys.CICD_PIPELINE_NAME]: workflow }),
    ...(runId === undefined ? {} : { [keys.CICD_PIPELINE_RUN_ID]: runId }),
    ...(stepId === undefined ? {} : { [keys.SPANLOOP_STEP_ID]: stepId }),
    ...attributes,
  };
}

function limited(
  all: Attributes,
  { attributeCount, attributeValueLength }: LimitSettings,
): { readonly attributes: ReadableLogRecord["attributes"]; readonly dropped: number } {
  const attributes: Record<string, string | number | boolean | (string | number | boolean)[]> = {};
  let [count, dropped] = [0, 0];
  for (const [key, value] of Object.entries(all)) {
    if (count === attributeCount) {
      dropped++;
      continue;
    }
    count++;
    attributes[key] = cut(value, attributeValueLength);
  }
  return { attributes, dropped };
}

function cut(
  value: AttributeValue,
  length: number = Infinity,
): string | number | boolean | (string | number | boolean)[] {
  if (typeof value === "string") return value.slice(0, length);
  if (typeof value !== "object") return value;
  return value.map((item) => typeof item === "string" ? item.slice(0, length) : item);
}

function hrTime(nanoseconds: bigint): HrTime {
  return [Number(nanoseconds / 1_000_000_000n), Number(nanoseconds % 1_000_000_000n)];
}
