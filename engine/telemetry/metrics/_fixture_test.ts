import type { Clock } from "../../core/clock.ts";
import type {
  EndRecord,
  ItemCount,
  ItemRange,
  Outcome,
  SpanRole,
  StartRecord,
} from "../../core/span.ts";
import type { RunHeader } from "../../core/store.ts";
import {
  runAttributes,
  runEndAttributes,
  runName,
  taskAttributes,
  taskEndAttributes,
} from "../attributes.ts";
import { Bus } from "../bus.ts";
import type { HistogramMetric, Metric, MetricsBatch, NumberMetric } from "./batch.ts";
import { type Metering, type MetricsPorts, startMetrics } from "./start.ts";

/** A clock that a test turns: its timers fire when it has come to them. */
export class TestClock implements Clock {
  #ms = 0;
  readonly #timers = new Map<() => void, number>();

  now(): bigint {
    return 1_700_000_000_000_000_000n + BigInt(Math.round(this.#ms * 1e6));
  }

  monotonic(): number {
    return this.#ms;
  }

  after(ms: number, fire: () => void): () => void {
    const timer = () => fire();
    this.#timers.set(timer, this.#ms + ms);
    return () => void this.#timers.delete(timer);
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.size;
  }

  turn(ms: number): void {
    this.#ms += ms;
    for (const [timer, at] of [...this.#timers]) {
      if (at <= this.#ms && this.#timers.delete(timer)) timer();
    }
  }
}

/** What a journalled span is in a test. */
export interface Spanned {
  readonly role?: SpanRole;
  readonly workflow?: string;
  readonly stepId?: string;
  readonly name?: string;
  /** Tells its ids from others'. */
  readonly number: number;
  /** Nanoseconds since the clock's beginning. */
  readonly at?: bigint;
  readonly range?: ItemRange;
  /** UUIDv7. */
  readonly runId?: string;
}

/** The run id of runs that were created at the test clock's beginning. */
export const RUN =
  `${(1_700_000_000_000).toString(16).padStart(12, "0").replace(/^(.{8})/, "$1-")}` +
  "-7000-8000-000000000001";

/** A committed start. */
export function started(one: Spanned): StartRecord {
  const { role = "attempt", workflow = "orders", stepId = "load", number, range, runId = RUN } =
    one;
  const task = { runId, workflow, key: stepId, stepId, type: "shell", attempt: 1 };
  const header = {
    runId,
    workflow,
    definition: "0",
    priority: 5,
  } as RunHeader;
  return {
    type: "start",
    runId,
    role,
    key: role === "run" ? "run" : stepId,
    ...(role === "run" ? {} : { stepId, attempt: 1 }),
    range,
    position: number * 2,
    span: {
      traceId: number.toString(16).padStart(32, "a"),
      spanId: number.toString(16).padStart(16, "b"),
      name: one.name ?? (role === "run" ? runName(workflow) : stepId),
      kind: role === "run" ? "server" : "internal",
      startTime: 1_700_000_000_000_000_000n + (one.at ?? 0n),
      attributes: role === "run" ? runAttributes(header) : taskAttributes(task),
    },
  };
}

/** Its end after so many seconds. */
export function ended(start: StartRecord, seconds: number, end: {
  readonly outcome?: Outcome;
  readonly code?: string;
  readonly items?: ItemCount;
  readonly retryAt?: bigint;
} = {}): EndRecord {
  const { outcome = "succeeded", code, items, retryAt } = end;
  const failure = code === undefined
    ? undefined
    : { code, message: code, errorClass: "error" as const };
  return {
    type: "end",
    runId: start.runId,
    role: start.role,
    key: start.key,
    stepId: start.stepId,
    spanId: start.span.spanId,
    outcome,
    failure,
    items,
    retryAt,
    position: start.position + 1,
    end: {
      endTime: start.span.startTime + BigInt(Math.round(seconds * 1e9)),
      error: failure !== undefined,
      attributes: start.role === "run"
        ? runEndAttributes(outcome, failure)
        : taskEndAttributes(outcome, failure, items),
    },
  };
}

/** Measuring, a bus to feed it, and what it collected. */
export interface Measured extends Metering {
  readonly bus: Bus;
  readonly clock: TestClock;
  readonly batches: MetricsBatch[];
  readonly warnings: string[];
  /** Publishes a start and its end. */
  span(one: Spanned, seconds: number, end?: Parameters<typeof ended>[2]): void;
}

/** Starts to measure with a clock that stands still. */
export function measure(
  settings: Partial<MetricsPorts["settings"]> = {},
  ports: Partial<MetricsPorts> = {},
): Measured {
  const bus = new Bus((thrown) => {
    throw thrown;
  });
  const clock = new TestClock();
  const batches: MetricsBatch[] = [];
  const warnings: string[] = [];
  const metering = startMetrics({
    settings: {
      exporters: ["otlp"],
      intervalMs: 60_000,
      temporality: "cumulative",
      exemplars: "always_on",
      prometheus: { host: "127.0.0.1", port: 0 },
      ...settings,
    },
    resource: { "service.name": "spanloop", "process.pid": 7 },
    clock,
    emit: (batch) => batches.push(batch),
    warn: (message) => warnings.push(message),
    ...ports,
  });
  metering.metrics.listen(bus);
  return {
    ...metering,
    bus,
    clock,
    batches,
    warnings,
    span(one, seconds, end) {
      const start = started(one);
      bus.publish([start, ended(start, seconds, end)]);
    },
  };
}

/** The metric of that name, or undefined. */
export function metricOf(batch: MetricsBatch, name: string): Metric | undefined {
  return batch.metrics.find((metric) => metric.name === name);
}

/** A sum's points as `value: "attribute values"`. */
export function values(batch: MetricsBatch, name: string): Record<string, number> {
  const { points } = metricOf(batch, name) as NumberMetric;
  return Object.fromEntries(points.map(({ attributes, value }) => [
    Object.values(attributes).join(" "),
    value,
  ]));
}

/** The histogram of that name. */
export function histogramOf(batch: MetricsBatch, name: string): HistogramMetric {
  const metric = metricOf(batch, name);
  if (metric?.kind !== "histogram") throw new Error(`there is no histogram ${name}`);
  return metric;
}
