/**
 * What the environment asks of telemetry, as OpenTelemetry's specification names it. Pure: it is given the
 * environment and gives back settings and the warnings that a person should see.
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */

/** The signals. */
export type Signal = "traces" | "metrics" | "logs";

/** Where a signal goes; several at once. */
export type ExporterName = "otlp" | "console" | "otlp_file" | "prometheus";

/** How OTLP is sent for one signal. */
export interface OtlpSettings {
  /** The encoding and transport. */
  readonly protocol: "http/protobuf" | "http/json" | "grpc";
  /** For http the full URL of the signal; for grpc the server's URL. */
  readonly endpoint: string;
  /** Sent with every request; may hold credentials. */
  readonly headers: Readonly<Record<string, string>>;
  /** For one export with its retries, in milliseconds. */
  readonly timeoutMs: number;
  /** Of the request body. */
  readonly compression: "gzip" | "none";
  /** A PEM file of certificates to trust. */
  readonly certificate?: string;
  /** A PEM file: the client's certificate, for mutual TLS. */
  readonly clientCertificate?: string;
  /** A PEM file: the client's key. */
  readonly clientKey?: string;
  /** For grpc: whether to do without TLS. */
  readonly insecure: boolean;
}

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

/** All that the environment says of telemetry. */
export interface TelemetrySettings {
  /** OTEL_SDK_DISABLED: nothing is exported. */
  readonly disabled: boolean;
  /** OTEL_SERVICE_NAME, else of OTEL_RESOURCE_ATTRIBUTES, else `spanloop`. */
  readonly serviceName: string;
  /** OTEL_RESOURCE_ATTRIBUTES and DEPLOYMENT_ENV. */
  readonly resourceAttributes: Readonly<Record<string, string>>;
  /** OTEL_PROPAGATORS. */
  readonly propagators: readonly ("tracecontext" | "baggage")[];
  /** SPANLOOP_OTEL_DENY_ATTRIBUTES: keys, `*` matching any characters, whose values are exported as `[redacted]`. */
  readonly denyAttributes: readonly string[];
  /** OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN: whether exceptions are span events, log records, or both. */
  readonly exceptions: "spans" | "logs" | "both";
  /** Where `otlp_file` writes: SPANLOOP_OTLP_FILE; and when it rotates. */
  readonly file: { readonly path: string; readonly maxBytes: number; readonly keep: number };
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
