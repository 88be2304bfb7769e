import type { Meter, Observable } from "@opentelemetry/api";
import { ValueType } from "@opentelemetry/api";
import type { Attributes, SpanReference } from "../../core/span.ts";
import * as definitions from "../../../semconv/metrics.ts";
import { Exemplars } from "./exemplars.ts";
import { Tally } from "./tally.ts";

/** The span that an exemplar of a measurement in a span refers to; undefined: it becomes none. */
export type ExemplarFilter = (span: SpanReference) => SpanReference | undefined;

/** A histogram with its exemplars. */
export class Distribution {
  /** The metric's name. */
  readonly name: string;
  /** Its exemplars. */
  readonly exemplars: Exemplars;
  readonly #record: (value: number, attributes: Attributes) => void;
  readonly #filter: ExemplarFilter | undefined;

  /** Makes the histogram of `definition` with `meter`; without a filter it has no exemplars. */
  constructor(
    meter: Meter,
    definition: definitions.MetricDefinition,
    bounds: readonly number[],
    filter: ExemplarFilter | undefined,
  ) {
    const histogram = meter.createHistogram(definition.name, {
      ...described(definition),
      valueType: ValueType.DOUBLE,
      advice: { explicitBucketBoundaries: [...bounds] },
    });
    this.#record = (value, attributes) =>
      histogram.record(value, attributes as Record<string, string>);
    this.#filter = filter;
    this.name = definition.name;
    this.exemplars = new Exemplars(bounds);
  }

  /** Records a value that was measured at `time` in a span. */
  record(value: number, attributes: Attributes, span: SpanReference, time: bigint): void {
    this.#record(value, attributes);
    const shown = this.#filter?.(span);
    if (shown !== undefined) this.exemplars.offer(attributes, value, shown, time);
  }

  /** Records a value that was measured in no span. */
  recordAlone(value: number, attributes: Attributes): void {
    this.#record(value, attributes);
  }
}

/** All that is measured. */
export interface Instruments {
  /** cicd.pipeline.run.duration. */
  readonly runDuration: Distribution;
  /** cicd.pipeline.run.active. */
  readonly runActive: Observable;
  /** cicd.pipeline.run.errors. */
  readonly runErrors: Tally;
  /** cicd.worker.count. */
  readonly workers: Observable;
  /** cicd.system.errors. */
  readonly systemErrors: Tally;
  /** spanloop.span.count. */
  readonly spans: Tally;
  /** spanloop.attempt.duration. */
  readonly attemptDuration: Distribution;
  /** spanloop.batch.count. */
  readonly batches: Tally;
  /** spanloop.item.count. */
  readonly items: Tally;
  /** spanloop.queue.depth. */
  readonly queued: Observable;
  /** spanloop.bus.lag. */
  readonly busLag: Distribution;
  /** spanloop.plugin.duration. */
  readonly pluginDuration: Distribution;
  /** spanloop.plugin.action.count. */
  readonly pluginActions: Tally;
  /** spanloop.export.dropped. */
  readonly dropped: Tally;
  /** spanloop.receiver.accepted. */
  readonly accepted: Tally;
  /** spanloop.receiver.rejected. */
  readonly rejected: Tally;
}

// In seconds. Runs and attempts last from a millisecond to hours; a delivery in process takes microseconds.
const WORK = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];
const DELIVERY = [1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.1, 1];

/** Makes them with `meter`. */
export function makeInstruments(meter: Meter, filter: ExemplarFilter | undefined): Instruments {
  const counter = (definition: definitions.MetricDefinition) =>
    new Tally(
      meter.createCounter(definition.name, { ...described(definition), valueType: ValueType.INT }),
    );
  const observed = (definition: definitions.MetricDefinition) =>
    meter.createObservableUpDownCounter(definition.name, {
      ...described(definition),
      valueType: ValueType.INT,
    });
  const distribution = (definition: definitions.MetricDefinition, bounds: readonly number[]) =>
    new Distribution(meter, definition, bounds, filter);
  return {
    runDuration: distribution(definitions.METRIC_CICD_PIPELINE_RUN_DURATION, WORK),
    runActive: observed(definitions.METRIC_CICD_PIPELINE_RUN_ACTIVE),
    runErrors: counter(definitions.METRIC_CICD_PIPELINE_RUN_ERRORS),
    workers: observed(definitions.METRIC_CICD_WORKER_COUNT),
    systemErrors: counter(definitions.METRIC_CICD_SYSTEM_ERRORS),
    spans: counter(definitions.METRIC_SPANLOOP_SPAN_COUNT),
    attemptDuration: distribution(definitions.METRIC_SPANLOOP_ATTEMPT_DURATION, WORK),
    batches: counter(definitions.METRIC_SPANLOOP_BATCH_COUNT),
    items: counter(definitions.METRIC_SPANLOOP_ITEM_COUNT),
    queued: observed(definitions.METRIC_SPANLOOP_QUEUE_DEPTH),
    busLag: distribution(definitions.METRIC_SPANLOOP_BUS_LAG, DELIVERY),
    pluginDuration: distribution(definitions.METRIC_SPANLOOP_PLUGIN_DURATION, DELIVERY),
    pluginActions: counter(definitions.METRIC_SPANLOOP_PLUGIN_ACTION_COUNT),
    dropped: counter(definitions.METRIC_SPANLOOP_EXPORT_DROPPED),
    accepted: counter(definitions.METRIC_SPANLOOP_RECEIVER_ACCEPTED),
    rejected: counter(definitions.METRIC_SPANLOOP_RECEIVER_REJECTED),
  };
}

// The generated definitions of OpenTelemetry's own metrics have no text: these are for people who scrape.
const THEIRS: Readonly<Record<string, string>> = {
  [definitions.METRIC_CICD_PIPELINE_RUN_DURATION.name]: "How long runs took, by state and result.",
  [definitions.METRIC_CICD_PIPELINE_RUN_ACTIVE.name]: "Runs in this process, by state.",
  [definitions.METRIC_CICD_PIPELINE_RUN_ERRORS.name]: "Errors that attempts and runs met.",
  [definitions.METRIC_CICD_WORKER_COUNT.name]: "Engine processes, by state.",
  [definitions.METRIC_CICD_SYSTEM_ERRORS.name]: "Errors of the engine's own parts.",
};

function described({ name, description, unit }: definitions.MetricDefinition) {
  return { description: description || THEIRS[name], unit };
}
