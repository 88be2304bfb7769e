import type { Attributes } from "../../core/span.ts";

/**
 * One collection of one reader: what is exported, in whatever encoding. Times are nanoseconds since the Unix
 * epoch.
 */
export interface MetricsBatch {
  /** What made the measurements. */
  readonly resource: Attributes;
  /** The library that made them. */
  readonly scope: {
    /** Its name. */
    readonly name: string;
    /** Its version, if it has one. */
    readonly version?: string;
  };
  /** One a metric that has points. */
  readonly metrics: readonly Metric[];
}

/** What a metric's points are since: the process's start, or the collection before. */
export type Temporality = "cumulative" | "delta";

/** A metric with its points. */
export type Metric = NumberMetric | HistogramMetric;

interface Described {
  /** Its name. */
  readonly name: string;
  /** What it measures. */
  readonly description: string;
  /** In UCUM's notation. */
  readonly unit: string;
}

/** A sum or a gauge. */
export interface NumberMetric extends Described {
  /** A sum of what was added, or the last value. */
  readonly kind: "sum" | "gauge";
  /** For a sum: whether it only grows. */
  readonly monotonic: boolean;
  /** For a sum. */
  readonly temporality: Temporality;
  /** Whether its values are whole numbers. */
  readonly integer: boolean;
  /** One an attribute set. */
  readonly points: readonly NumberPoint[];
}

/** A distribution over fixed buckets. */
export interface HistogramMetric extends Described {
  /** Discriminates metrics. */
  readonly kind: "histogram";
  /** Of its points. */
  readonly temporality: Temporality;
  /** One an attribute set. */
  readonly points: readonly HistogramPoint[];
}

interface Point {
  /** What tells it from the metric's other points. */
  readonly attributes: Attributes;
  /** What it counts from. */
  readonly startTime: bigint;
  /** When it was collected. */
  readonly time: bigint;
}

/** A value. */
export interface NumberPoint extends Point {
  /** In the metric's unit. */
  readonly value: number;
}

/** A distribution. */
export interface HistogramPoint extends Point {
  /** How many measurements. */
  readonly count: number;
  /** Their sum. */
  readonly sum: number;
  /** The least, if known. */
  readonly min?: number;
  /** The greatest, if known. */
  readonly max?: number;
  /** The buckets' upper bounds, inclusive, ascending; one bucket more than bounds. */
  readonly bounds: readonly number[];
  /** How many measurements fell into each bucket. */
  readonly counts: readonly number[];
  /** Measurements with their spans, at most one a bucket. */
  readonly exemplars: readonly Exemplar[];
}

/** A measurement and the span that it was made in. */
export interface Exemplar {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** When it was measured. */
  readonly time: bigint;
  /** In the metric's unit. */
  readonly value: number;
}
