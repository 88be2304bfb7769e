import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { SERVICE_VERSION } from "../../../semconv/attributes.ts";
import type { Clock } from "../../core/clock.ts";
import type { Attributes, SpanReference } from "../../core/span.ts";
import type { Redact } from "../redact.ts";
import type { TelemetrySettings } from "../settings.ts";
import type { MetricsBatch } from "./batch.ts";
import type { ExemplarFilter } from "./instruments.ts";
import { Metrics } from "./metrics.ts";
import { PeriodicCollection } from "./periodic.ts";
import { type PrometheusServer, servePrometheus } from "./prometheus_server.ts";
import { Reader } from "./reader.ts";

/** What measuring needs. */
export interface MetricsPorts {
  /** What the environment asks for. */
  readonly settings: Pick<
    TelemetrySettings["metrics"],
    "exporters" | "intervalMs" | "temporality" | "exemplars" | "prometheus"
  >;
  /** What this process is, redacted. */
  readonly resource: Attributes;
  /** Time. */
  readonly clock: Clock;
  /** Takes each collection, to send it on; absent: nothing is collected but by Prometheus. Must not throw. */
  readonly emit?: (batch: MetricsBatch) => void;
  /** Takes the values away that must not be exported. */
  readonly redact?: Redact;
  /** The exported counterpart of a span, and whether it is sampled: what exemplars refer to. */
  readonly exported?: (span: SpanReference) => SpanReference & { readonly sampled?: boolean };
  /** Tells a person what does not work. */
  readonly warn: (message: string) => void;
}

/** Measuring under way. */
export interface Metering {
  /** What is measured with. */
  readonly metrics: Metrics;
  /** The page that Prometheus scrapes, if there is one. */
  readonly prometheusUrl?: string;
  /** Collects now and hands it to `emit`. Never rejects. */
  collect(): Promise<void>;
  /** Collects a last time and closes the page, within `timeoutMs`. Never rejects. */
  shutdown(timeoutMs: number): Promise<void>;
}

/**
 * Starts to measure. The SDK's provider is held here and never registered as a global one: under
 * OTEL_DENO=true, and in an application that has its own, the globals are taken.
 */
export function startMetrics(ports: MetricsPorts): Metering {
  const { settings, resource, clock, emit, redact, warn } = ports;
  const read = (preference: typeof settings.temporality): Reader =>
    new Reader({
      preference,
      resource,
      clock,
      exemplars: () => metrics.exemplars(),
      onError: (thrown) => metrics.systemError("telemetry", codeOf(thrown)),
    });
  const pushed = emit === undefined ? undefined : read(settings.temporality);
  // Each reader costs half a microsecond a span; what is cumulative can be read by several.
  const scraped = !settings.exporters.includes("prometheus")
    ? undefined
    : settings.temporality === "cumulative" && pushed !== undefined
    ? pushed
    : read("cumulative");
  const readers = [...new Set([pushed, scraped])].filter((reader) => reader !== undefined);
  const provider = new MeterProvider({ readers });
  const metrics: Metrics = new Metrics({
    meter: provider.getMeter("spanloop", textOf(resource[SERVICE_VERSION])),
    clock,
    redact,
    filter: exemplarFilter(settings.exemplars, ports.exported ?? ((span) => span)),
  });
  const periodic = pushed === undefined || emit === undefined ? undefined : new PeriodicCollection({
    clock,
    intervalMs: settings.intervalMs,
    collect: async () => emit(await pushed.read()),
    onError: (thrown) => metrics.systemError("telemetry", codeOf(thrown)),
  });
  const page: PrometheusServer | undefined = scraped === undefined
    ? undefined
    : servePrometheus(settings.prometheus, () => scraped.read(), warn);
  return {
    metrics,
    prometheusUrl: page?.url,
    collect: () => periodic?.now() ?? Promise.resolve(),
    async shutdown(timeoutMs) {
      await within(clock, timeoutMs, Promise.allSettled([periodic?.stop(), page?.close()]));
      await Promise.allSettled([provider.shutdown()]);
    },
  };
}

function exemplarFilter(
  which: TelemetrySettings["metrics"]["exemplars"],
  exported: NonNullable<MetricsPorts["exported"]>,
): ExemplarFilter | undefined {
  if (which === "always_off") return undefined;
  if (which === "always_on") return exported;
  return (span) => {
    const place = exported(span);
    return place.sampled === true ? place : undefined;
  };
}

function textOf(value: Attributes[string] | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function codeOf(thrown: unknown): string {
  if (thrown instanceof Error) return "code" in thrown ? String(thrown.code) : thrown.name;
  return typeof thrown;
}

async function within(clock: Clock, ms: number, done: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const cancel = clock.after(ms, late.resolve);
  await Promise.race([done, late.promise]);
  cancel();
}
