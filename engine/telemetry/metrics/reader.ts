import { type HrTime, ValueType } from "@opentelemetry/api";
import {
  AggregationTemporality,
  DataPointType,
  InstrumentType,
  type MetricData,
  MetricReader,
} from "@opentelemetry/sdk-metrics";
import type { Attributes } from "../../core/span.ts";
import type { TelemetrySettings } from "../settings.ts";
import type { Metric, MetricsBatch, NumberPoint, Temporality } from "./batch.ts";
import type { Exemplars } from "./exemplars.ts";

/** How a reader wants its temporality: as OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE says. */
export type Preference = TelemetrySettings["metrics"]["temporality"];

/**
 * The temporality of an instrument under a preference.
 * https://opentelemetry.io/docs/specs/otel/metrics/sdk_exporters/otlp/#additional-environment-variable-configuration
 */
export function temporalityOf(preference: Preference, instrument: InstrumentType): Temporality {
  if (preference === "cumulative") return "cumulative";
  const delta = instrument === InstrumentType.COUNTER || instrument === InstrumentType.HISTOGRAM ||
    (preference === "delta" && instrument === InstrumentType.OBSERVABLE_COUNTER);
  return delta ? "delta" : "cumulative";
}

/** Reads the SDK's metrics with one temporality preference, with exemplars. */
export class Reader extends MetricReader {
  readonly #resource: Attributes;
  readonly #exemplars: () => ReadonlyMap<string, Exemplars>;
  readonly #onError: (thrown: unknown) => void;
  // Up to where this reader has taken a histogram's exemplars, by the metric's name.
  readonly #marks = new Map<string, number>();

  /**
   * Reads metrics of `resource`. `exemplars` gives its histograms' by the metric's name; `onError` hears what
   * whoever is asked for a value throws.
   */
  constructor({ preference, resource, exemplars, onError }: {
    readonly preference: Preference;
    readonly resource: Attributes;
    readonly exemplars: () => ReadonlyMap<string, Exemplars>;
    readonly onError: (thrown: unknown) => void;
  }) {
    super({
      aggregationTemporalitySelector: (instrument) =>
        temporalityOf(preference, instrument) === "delta"
          ? AggregationTemporality.DELTA
          : AggregationTemporality.CUMULATIVE,
    });
    this.#resource = resource;
    this.#exemplars = exemplars;
    this.#onError = onError;
  }

  /** Collects what there is since the last time, or since the start. Rejects after `shutdown`. */
  async read(): Promise<MetricsBatch> {
    const exemplars = this.#exemplars();
    const marks = new Map([...exemplars].map(([name, { mark }]) => [name, mark]));
    const { resourceMetrics, errors } = await this.collect();
    errors.forEach(this.#onError);
    const [scope] = resourceMetrics.scopeMetrics;
    const metrics = (scope?.metrics ?? []).map((data) => this.#metric(data, exemplars));
    for (const [name, mark] of marks) this.#marks.set(name, mark);
    return {
      resource: this.#resource,
      scope: { name: scope?.scope.name ?? "", version: scope?.scope.version || undefined },
      metrics,
    };
  }

  #metric(data: MetricData, all: ReadonlyMap<string, Exemplars>): Metric {
    const { name, description, unit, valueType } = data.descriptor;
    const temporality = data.aggregationTemporality === AggregationTemporality.DELTA
      ? "delta"
      : "cumulative";
    if (data.dataPointType === DataPointType.HISTOGRAM) {
      // A cumulative point has those of all its time, a delta one those of its interval.
      const mark = temporality === "delta" ? this.#marks.get(name) ?? 0 : 0;
      return {
        kind: "histogram",
        name,
        description,
        unit,
        temporality,
        points: data.dataPoints.map((point) => {
          const { buckets, count, sum = 0, min, max } = point.value;
          return {
            ...common(point),
            count,
            sum,
            min,
            max,
            bounds: buckets.boundaries,
            counts: buckets.counts,
            exemplars: all.get(name)?.after(mark, point.attributes as Attributes, buckets.counts) ??
              [],
          };
        }),
      };
    }
    if (data.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM) {
      throw new TypeError(`${name} is an exponential histogram, which nothing here makes`);
    }
    return {
      kind: data.dataPointType === DataPointType.GAUGE ? "gauge" : "sum",
      name,
      description,
      unit,
      temporality,
      monotonic: data.dataPointType === DataPointType.SUM && data.isMonotonic,
      integer: valueType === ValueType.INT,
      points: data.dataPoints.map((point): NumberPoint => ({
        ...common(point),
        value: point.value,
      })),
    };
  }

  /** Nothing is held back. */
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }

  /** There is nothing to let go of. */
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

function common(point: { attributes: object; startTime: HrTime; endTime: HrTime }) {
  return {
    attributes: point.attributes as Attributes,
    startTime: nanoseconds(point.startTime),
    time: nanoseconds(point.endTime),
  };
}

function nanoseconds([seconds, rest]: HrTime): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(rest);
}
