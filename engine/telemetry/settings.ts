/**
 * What the environment asks of telemetry, as OpenTelemetry's specification names it. Pure: it is given the
 * environment and gives back settings and the warnings that a person should see.
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */

import { EnvironmentReader, readPairs } from "./_environment.ts";
import { type OtlpSettings, readOtlpSettings, type Signal } from "./otlp_settings.ts";
import { DEPLOYMENT_ENVIRONMENT_NAME, SERVICE_NAME } from "../../semconv/attributes.ts";

export type { OtlpSettings, Signal } from "./otlp_settings.ts";

/** Where a signal goes; several at once. `otlp_stdout` is the specification's `otlp/stdout`. */
export type ExporterName = "otlp" | "console" | "otlp_file" | "otlp_stdout" | "prometheus";

/** How a queue of a signal is sent. */
export interface BatchSettings {
  /** How many wait at most; what comes beyond is dropped and counted. */
  readonly maxQueue: number;
  /** How many go into one request at most. */
  readonly maxBatch: number;
  /** How long one may wait for others, in milliseconds. */
  readonly delayMs: number;
  /** How long a flush may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** Limits on what is exported; absent is unlimited. */
export interface LimitSettings {
  /** Attributes of a span or log record. */
  readonly attributeCount: number;
  /** Characters of an attribute's text. */
  readonly attributeValueLength?: number;
}

/** What is sampled for export (T1). */
export interface SamplerSettings {
  /** Whether a parent in another process decides. */
  readonly parentBased: boolean;
  /** What decides otherwise: the share of traces, 0 to 1. */
  readonly ratio: number;
}

/** Where the exporter `otlp_file` writes, and when it rotates. */
export interface FileSettings {
  /**
   * SPANLOOP_OTLP_FILE; under a task relative to the caller's folder. `{signal}` in it is the signal's name: OpenTelemetry's
   * file exporter asks for one kind of data a file. Without it all signals share the file.
   */
  readonly path: string;
  /** SPANLOOP_OTLP_FILE_MAX_BYTES: a file that has more is set aside. */
  readonly maxBytes: number;
  /** SPANLOOP_OTLP_FILE_KEEP: how many files that were set aside are kept. */
  readonly keep: number;
}

/** All that the environment says of telemetry. */
export interface TelemetrySettings {
  /** OTEL_SDK_DISABLED: nothing is exported; no signal has an exporter then. */
  readonly disabled: boolean;
  /** OTEL_SERVICE_NAME, else of OTEL_RESOURCE_ATTRIBUTES, else `spanloop`. */
  readonly serviceName: string;
  /** OTEL_RESOURCE_ATTRIBUTES without its service.name, and DEPLOYMENT_ENV. */
  readonly resourceAttributes: Readonly<Record<string, string>>;
  /** OTEL_PROPAGATORS. */
  readonly propagators: readonly ("tracecontext" | "baggage")[];
  /** SPANLOOP_OTEL_DENY_ATTRIBUTES: keys, `*` matching any characters, whose values are exported as `[redacted]`. */
  readonly denyAttributes: readonly string[];
  /** OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN: whether exceptions are span events, log records, or both. */
  readonly exceptions: "spans" | "logs" | "both";
  /** How `otlp_file` writes. */
  readonly file: FileSettings;
  /** How `console` writes; `tree`: SPANLOOP_CONSOLE_SPANS, each trace as a tree when its root has ended. */
  readonly console: { readonly tree: boolean };
  /** The signal traces. */
  readonly traces: {
    readonly exporters: readonly ExporterName[];
    readonly otlp: OtlpSettings;
    readonly sampler: SamplerSettings;
    readonly batch: BatchSettings;
    readonly limits: LimitSettings & {
      /** Of a span. */
      readonly eventCount: number;
      /** Of a span. */
      readonly linkCount: number;
      /** Attributes of an event. */
      readonly attributePerEventCount: number;
      /** Attributes of a link. */
      readonly attributePerLinkCount: number;
    };
  };
  /** The signal metrics. */
  readonly metrics: {
    readonly exporters: readonly ExporterName[];
    readonly otlp: OtlpSettings;
    /** OTEL_METRIC_EXPORT_INTERVAL, in milliseconds. */
    readonly intervalMs: number;
    /** OTEL_METRIC_EXPORT_TIMEOUT, in milliseconds. */
    readonly timeoutMs: number;
    /** OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE. */
    readonly temporality: "cumulative" | "delta" | "lowmemory";
    /** OTEL_METRICS_EXEMPLAR_FILTER. */
    readonly exemplars: "always_on" | "always_off" | "trace_based";
    /** Where Prometheus scrapes: OTEL_EXPORTER_PROMETHEUS_HOST and _PORT. */
    readonly prometheus: { readonly host: string; readonly port: number };
  };
  /** The signal logs. */
  readonly logs: {
    readonly exporters: readonly ExporterName[];
    readonly otlp: OtlpSettings;
    readonly batch: BatchSettings;
    readonly limits: LimitSettings;
  };
}

const DEFAULT_SERVICE = "spanloop";
const DEFAULT_FILE = "spanloop-{signal}.jsonl";
const DEFAULT_FILE_BYTES = 100 * 2 ** 20;
const DEFAULT_FILES_KEPT = 5;
const DEFAULT_COUNT = 128;

const EXPORTERS: readonly (readonly [string, ExporterName])[] = [
  ["otlp", "otlp"],
  ["console", "console"],
  // What `console` was called before; deprecated.
  ["logging", "console"],
  ["otlp_file", "otlp_file"],
  // As OpenTelemetry's declarative configuration names it.
  ["otlp_file/development", "otlp_file"],
  ["otlp/stdout", "otlp_stdout"],
];
const METRIC_EXPORTERS = new Map([...EXPORTERS, ["prometheus", "prometheus"] as const]);

const PROPAGATORS = new Map([["tracecontext", "tracecontext"], ["baggage", "baggage"]] as const);

const SAMPLERS: Readonly<Record<string, SamplerSettings>> = {
  always_on: { parentBased: false, ratio: 1 },
  always_off: { parentBased: false, ratio: 0 },
  traceidratio: { parentBased: false, ratio: 1 },
  parentbased_always_on: { parentBased: true, ratio: 1 },
  parentbased_always_off: { parentBased: true, ratio: 0 },
  parentbased_traceidratio: { parentBased: true, ratio: 1 },
};

/**
 * Reads what the environment asks of telemetry. Nothing throws: what is not understood is warned of and taken as
 * not set. No warning shows a header, a key or an endpoint.
 */
export function readTelemetrySettings(
  environment: Readonly<Record<string, string>>,
): { readonly settings: TelemetrySettings; readonly warnings: readonly string[] } {
  const reader = new EnvironmentReader(environment);
  const disabled = reader.boolean("OTEL_SDK_DISABLED");
  const path = reader.path("SPANLOOP_OTLP_FILE");
  const signal = (name: Signal) => {
    const { otlp, hasEndpoint } = readOtlpSettings(reader, name);
    const asked = reader.choices(
      `OTEL_${name.toUpperCase()}_EXPORTER`,
      name === "metrics" ? METRIC_EXPORTERS : new Map(EXPORTERS),
    );
    // OpenTelemetry's own default is `otlp` always; an engine that nobody asked for telemetry sends none.
    const byDefault: ExporterName[] = hasEndpoint ? ["otlp"] : [];
    if (path !== undefined) byDefault.push("otlp_file");
    return { otlp, exporters: disabled ? [] : asked ?? byDefault };
  };
  if (reader.text("OTEL_CONFIG_FILE") !== undefined) {
    reader.warn("OTEL_CONFIG_FILE is not supported: ignored; use environment variables");
  }
  const settings: TelemetrySettings = {
    disabled,
    ...resourceOf(reader),
    propagators: reader.choices("OTEL_PROPAGATORS", PROPAGATORS) ?? ["tracecontext", "baggage"],
    denyAttributes: denied(reader),
    exceptions: exceptionsOf(reader),
    file: {
      path: path ?? reader.fromCaller(DEFAULT_FILE),
      maxBytes: reader.integer("SPANLOOP_OTLP_FILE_MAX_BYTES", DEFAULT_FILE_BYTES, { least: 1 }),
      keep: reader.integer("SPANLOOP_OTLP_FILE_KEEP", DEFAULT_FILES_KEPT, { most: 1_000 }),
    },
    console: { tree: reader.choice("SPANLOOP_CONSOLE_SPANS", ["lines", "tree"]) === "tree" },
    traces: {
      ...signal("traces"),
      sampler: samplerOf(reader),
      batch: batchOf(reader, "BSP", 5_000),
      limits: {
        ...limitsOf(reader, "SPAN"),
        eventCount: reader.integer("OTEL_SPAN_EVENT_COUNT_LIMIT", DEFAULT_COUNT),
        linkCount: reader.integer("OTEL_SPAN_LINK_COUNT_LIMIT", DEFAULT_COUNT),
        attributePerEventCount: reader.integer("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", DEFAULT_COUNT),
        attributePerLinkCount: reader.integer("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", DEFAULT_COUNT),
      },
    },
    metrics: {
      ...signal("metrics"),
      intervalMs: reader.integer("OTEL_METRIC_EXPORT_INTERVAL", 60_000, { least: 1 }),
      timeoutMs: reader.timeout("OTEL_METRIC_EXPORT_TIMEOUT", 30_000),
      temporality: reader.choice("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", [
        "cumulative",
        "delta",
        "lowmemory",
      ]) ?? "cumulative",
      exemplars: reader.choice("OTEL_METRICS_EXEMPLAR_FILTER", [
        "always_on",
        "always_off",
        "trace_based",
      ]) ?? "trace_based",
      prometheus: {
        host: reader.text("OTEL_EXPORTER_PROMETHEUS_HOST") ?? "localhost",
        port: reader.integer("OTEL_EXPORTER_PROMETHEUS_PORT", 9464, { most: 65_535 }),
      },
    },
    logs: {
      ...signal("logs"),
      batch: batchOf(reader, "BLRP", 1_000),
      limits: limitsOf(reader, "LOGRECORD"),
    },
  };
  return { settings, warnings: reader.warnings };
}

function resourceOf(
  reader: EnvironmentReader,
): Pick<TelemetrySettings, "serviceName" | "resourceAttributes"> {
  const { pairs, faults } = readPairs(reader.text("OTEL_RESOURCE_ATTRIBUTES") ?? "", {
    strict: true,
  });
  for (const { entry, fault } of faults) {
    // "In case of any error … the entire environment variable value SHOULD be discarded."
    reader.warn(`OTEL_RESOURCE_ATTRIBUTES: entry ${entry} ${fault}: the whole variable is ignored`);
  }
  const given = new Map(faults.length === 0 ? pairs : []);
  const serviceName = reader.text("OTEL_SERVICE_NAME") || given.get(SERVICE_NAME) ||
    DEFAULT_SERVICE;
  given.delete(SERVICE_NAME);
  const deployment = reader.text("DEPLOYMENT_ENV");
  if (deployment !== undefined && !given.has(DEPLOYMENT_ENVIRONMENT_NAME)) {
    given.set(DEPLOYMENT_ENVIRONMENT_NAME, deployment);
  }
  return { serviceName, resourceAttributes: Object.fromEntries(given) };
}

function denied(reader: EnvironmentReader): readonly string[] {
  // Not `list`: keys are case-sensitive.
  const keys = (reader.text("SPANLOOP_OTEL_DENY_ATTRIBUTES") ?? "").split(",");
  return [...new Set(keys.map((key) => key.trim()).filter((key) => key !== ""))];
}

// https://opentelemetry.io/docs/specs/semconv/exceptions/; a list, as other opt-ins of its kind are.
function exceptionsOf(reader: EnvironmentReader): TelemetrySettings["exceptions"] {
  const name = "OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN";
  const words = reader.list(name) ?? [];
  const known = ["logs", "logs/dup"];
  for (const word of words) if (!known.includes(word)) reader.unknown(name, word, known);
  return words.includes("logs/dup") ? "both" : words.includes("logs") ? "logs" : "spans";
}

function samplerOf(reader: EnvironmentReader): SamplerSettings {
  const name = reader.choice("OTEL_TRACES_SAMPLER", Object.keys(SAMPLERS));
  const sampler = SAMPLERS[name ?? "parentbased_always_on"];
  const argument = reader.text("OTEL_TRACES_SAMPLER_ARG");
  if (argument === undefined) return sampler;
  if (name === undefined || !name.endsWith("traceidratio")) {
    reader.warn(
      "OTEL_TRACES_SAMPLER_ARG is ignored: OTEL_TRACES_SAMPLER names no sampler that takes it",
    );
    return sampler;
  }
  const ratio = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(argument) ? Number(argument) : NaN;
  if (ratio >= 0 && ratio <= 1) return { ...sampler, ratio };
  reader.warn("OTEL_TRACES_SAMPLER_ARG is not a number from 0 to 1: ignored, all are sampled");
  return sampler;
}

function batchOf(
  reader: EnvironmentReader,
  prefix: "BSP" | "BLRP",
  delayMs: number,
): BatchSettings {
  const maxQueue = reader.integer(`OTEL_${prefix}_MAX_QUEUE_SIZE`, 2_048, { least: 1 });
  return {
    maxQueue,
    maxBatch: reader.integer(`OTEL_${prefix}_MAX_EXPORT_BATCH_SIZE`, Math.min(512, maxQueue), {
      least: 1,
      most: maxQueue,
    }),
    delayMs: reader.integer(`OTEL_${prefix}_SCHEDULE_DELAY`, delayMs),
    timeoutMs: reader.timeout(`OTEL_${prefix}_EXPORT_TIMEOUT`, 30_000),
  };
}

function limitsOf(reader: EnvironmentReader, prefix: "SPAN" | "LOGRECORD"): LimitSettings {
  const length = reader.integer<undefined>([
    `OTEL_${prefix}_ATTRIBUTE_VALUE_LENGTH_LIMIT`,
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
  ], undefined);
  return {
    attributeCount: reader.integer([
      `OTEL_${prefix}_ATTRIBUTE_COUNT_LIMIT`,
      "OTEL_ATTRIBUTE_COUNT_LIMIT",
    ], DEFAULT_COUNT),
    ...(length === undefined ? {} : { attributeValueLength: length }),
  };
}
