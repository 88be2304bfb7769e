import { ValueType } from "@opentelemetry/api";
import {
  AggregationTemporality,
  DataPointType,
  InstrumentType,
  type MetricData,
  MetricReader,
} from "@opentelemetry/sdk-metrics";
import type { Clock } from "../../core/clock.ts";
import type { Attributes } from "../../core/span.ts";
import type { TelemetrySettings } from "../settings.ts";
import type { HistogramPoint, Metric, MetricsBatch, NumberPoint, Temporality } from "./batch.ts";
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
  readonly #clock: Pick<Clock, "now">;
  readonly #startTime: bigint;
  // When this reader collected last.
  #lastTime: bigint;
  // Up to where this reader has taken a histogram's exemplars, by the metric's name.
  readonly #marks = new Map<string, number>();

  /**
   * Reads metrics of `resource`, measured from now on. `exemplars` gives its histograms' by the metric's name; `onError` hears what
   * whoever is asked for a value throws.
   */
  constructor({ preference, resource, clock, exemplars, onError }: {
    readonly preference: Preference;
    readonly resource: Attributes;
    readonly clock: Pick<Clock, "now">;
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
    this.#clock = clock;
    this.#startTime = clock.now();
    this.#lastTime = this.#startTime;
    this.#exemplars = exemplars;
    this.#onError = onError;
  }

  /** Collects what there is since the last time, or since the start. Rejects after `shutdown`. */
  async read(): Promise<MetricsBatch> {
    const exemplars = this.#exemplars();
    const marks = new Map([...exemplars].map(([name, { mark }]) => [name, mark]));
    const { resourceMetrics, errors } = await this.collect();
    errors.forEach(this.#onError);
    const time = this.#clock.now();
    const [scope] = resourceMetrics.scopeMetrics;
    const metrics = (scope?.metrics ?? []).map((data) => this.#metric(data, time, exemplars));
    this.#lastTime = time;
    for (const [name, mark] of marks) this.#marks.set(name, mark);
    return {
      resource: this.#resource,
      scope: { name: scope?.scope.name ?? "", version: scope?.scope.version || undefined },
      metrics,
    };
  }

  #metric(data: MetricData, time: bigint, all: ReadonlyMap<string, Exemplars>): Metric {
    const { name, description, unit, valueType } = data.descriptor;
    const delta = data.aggregationTemporality === AggregationTemporality.DELTA;
    const temporality = delta ? "delta" : "cumulative";
    // The SDK's points begin at the first measurement that it heard of, which tallies hand on late.
    const startTime = delta ? this.#lastTime : this.#startTime;
    const common = { name, description, unit, temporality } as const;
    if (data.dataPointType === DataPointType.HISTOGRAM) {
      // A cumulative point has the exemplars of all its time, a delta one those of its interval.
      const mark = delta ? this.#marks.get(name) ?? 0 : 0;
      return {
        ...common,
        kind: "histogram",
        points: data.dataPoints.map(({ attributes, value }): HistogramPoint => {
          const { buckets: { boundaries, counts }, count, sum = 0, min, max } = value;
          const set = attributes as Attributes;
          const exemplars = all.get(name)?.after(mark, set, counts) ?? [];
          const point = { attributes: set, startTime, time, count, sum, min, max };
          return { ...point, bounds: boundaries, counts, exemplars };
        }),
      };
    }
    if (data.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM) {
      throw new TypeError(`${name} is an exponential histogram, which nothing here makes`);
    }
    return {
      ...common,
      kind: data.dataPointType === DataPointType.GAUGE ? "gauge" : "sum",
      monotonic: data.dataPointType === DataPointType.SUM && data.isMonotonic,
      integer: valueType === ValueType.INT,
      points: data.dataPoints.map(({ attributes, value }): NumberPoint => (
        { attributes: attributes as Attributes, startTime, time, value }
      )),
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
