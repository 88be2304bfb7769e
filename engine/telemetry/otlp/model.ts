import type { ReceivedAttributes, ReceivedScope, ReceivedValue } from "../../core/span.ts";

/** A received log record. Whatever has no word of its own here is as OTLP has it; zero and empty are absent. */
export interface ReceivedLog {
  /** When it happened, nanoseconds since the Unix epoch; absent when that is not known. */
  readonly time?: bigint;
  /** When it was seen, as `time`. */
  readonly observedTime?: bigint;
  /** OpenTelemetry's severity number, 1 to 24. */
  readonly severityNumber?: number;
  /** The severity as its maker calls it. */
  readonly severityText?: string;
  /** What it says. */
  readonly body?: ReceivedValue;
  /** Its attributes. */
  readonly attributes: ReceivedAttributes;
  /** For an event: its name. */
  readonly eventName?: string;
  /** The trace it belongs to. */
  readonly traceId?: string;
  /** The span it belongs to. */
  readonly spanId?: string;
  /** The program that made it. */
  readonly resource: ReceivedAttributes;
  /** The library that made it. */
  readonly scope: ReceivedScope;
}

/** A received number: a bigint where a number would not be exact. */
export type Exact = number | bigint;

/** One point of a received metric; which fields it has is the metric's type's matter. */
export interface ReceivedPoint {
  /** Its attributes. */
  readonly attributes: ReceivedAttributes;
  /** Since when it counts, nanoseconds since the Unix epoch. */
  readonly startTime?: bigint;
  /** When it was taken, as `startTime`. */
  readonly time?: bigint;
  /** Of a gauge or sum that is real. */
  readonly asDouble?: number;
  /** Of a gauge or sum that is whole. */
  readonly asInt?: Exact;
  /** Of a histogram or summary: how many values. */
  readonly count?: Exact;
  /** Of a histogram or summary: their sum. */
  readonly sum?: number;
  /** Of a histogram: the least value. */
  readonly min?: number;
  /** Of a histogram: the greatest value. */
  readonly max?: number;
  /** Of a histogram: values in each bucket. */
  readonly bucketCounts?: readonly Exact[];
  /** Of a histogram: the buckets' upper bounds. */
  readonly explicitBounds?: readonly number[];
  /** Of an exponential histogram: its resolution. */
  readonly scale?: number;
  /** Of an exponential histogram: values that count as zero. */
  readonly zeroCount?: Exact;
  /** Of an exponential histogram: up to which value. */
  readonly zeroThreshold?: number;
  /** Of an exponential histogram: values above zero. */
  readonly positive?: { readonly offset?: number; readonly bucketCounts: readonly Exact[] };
  /** Of an exponential histogram: values below zero. */
  readonly negative?: { readonly offset?: number; readonly bucketCounts: readonly Exact[] };
  /** Of a summary: quantiles (0 to 1) and their values. */
  readonly quantileValues?: readonly { readonly quantile?: number; readonly value?: number }[];
  /** 1: no value was recorded. */
  readonly flags?: number;
  /** Single values, with the spans in which they came up. */
  readonly exemplars?: readonly {
    readonly attributes: ReceivedAttributes;
    readonly time?: bigint;
    readonly asDouble?: number;
    readonly asInt?: Exact;
    readonly traceId?: string;
    readonly spanId?: string;
  }[];
}

/** Points of a metric that add up. */
export interface ReceivedPoints {
  /** Its points. */
  readonly dataPoints: readonly ReceivedPoint[];
  /** 1: delta, 2: cumulative; of a sum or histogram. */
  readonly aggregationTemporality?: number;
  /** Whether a sum only grows. */
  readonly isMonotonic?: boolean;
}

/** A received metric: one of its five kinds of points is there. */
export interface ReceivedMetric {
  /** Its name. */
  readonly name?: string;
  /** What it means. */
  readonly description?: string;
  /** Its unit, in UCUM. */
  readonly unit?: string;
  /** Values at moments. */
  readonly gauge?: ReceivedPoints;
  /** Sums. */
  readonly sum?: ReceivedPoints;
  /** Distributions over buckets that were chosen. */
  readonly histogram?: ReceivedPoints;
  /** Distributions over buckets that grow exponentially. */
  readonly exponentialHistogram?: ReceivedPoints;
  /** Quantiles. */
  readonly summary?: ReceivedPoints;
  /** What else is said of it. */
  readonly metadata: ReceivedAttributes;
  /** The program that made it. */
  readonly resource: ReceivedAttributes;
  /** The library that made it. */
  readonly scope: ReceivedScope;
}
