import type { BatchObservableResult, Meter } from "@opentelemetry/api";
import type { Clock } from "../../core/clock.ts";
import type { Attributes, BusEvent, EndRecord, StartEntry, StartRecord } from "../../core/span.ts";
import * as keys from "../../../semconv/attributes.ts";
import type { Activity, RunState } from "../activity.ts";
import type { OnDropped } from "../export/sender.ts";
import type { Bus } from "../bus.ts";
import type { PluginMeasure } from "../plugin_measure.ts";
import type { Redact } from "../redact.ts";
import type { Signal } from "../settings.ts";
import { AttributeSets, MOST_SETS } from "./attribute_sets.ts";
import type { Exemplars } from "./exemplars.ts";
import { type ExemplarFilter, type Instruments, makeInstruments } from "./instruments.ts";
import { Tally } from "./tally.ts";

const NONE: Attributes = Object.freeze({});
const STATES: readonly RunState[] = ["pending", "executing", "finalizing"];

/** Items that the receiver took or did not take. */
export interface Received {
  /** What they are. */
  readonly signal: Signal;
  /** How many it took. */
  readonly accepted?: number;
  /** How many it did not take. */
  readonly rejected?: number;
  /** Why it did not take them: a word, such as `duplicate` or `invalid`. */
  readonly reason?: string;
}

/**
 * Measures what the bus tells and what it is told.
 *
 * Invariants:
 * - J5: nothing here throws for what it is given, and nothing waits.
 * - The number of attribute sets is bounded, whatever names come.
 */
export class Metrics {
  readonly #clock: Clock;
  readonly #instruments: Instruments;
  readonly #sources = new Set<() => Activity>();
  // Workflows that were seen: one of which nothing is left counts as 0, and does not vanish.
  readonly #workflows = new Set<string>();
  // When the records that are told of were committed, as `clock.monotonic` reads.
  #published: number | undefined;

  readonly #sets: Sets;

  /** Records with `meter`; without a filter there are no exemplars. */
  constructor(ports: {
    readonly meter: Meter;
    readonly clock: Clock;
    readonly filter?: ExemplarFilter;
    readonly redact?: Redact;
  }) {
    const { meter, clock, filter, redact = (same) => same } = ports;
    this.#clock = clock;
    this.#sets = makeSets(redact);
    this.#instruments = makeInstruments(meter, filter);
    const { runActive, workers, queued } = this.#instruments;
    meter.addBatchObservableCallback((result) => this.#observe(result), [
      runActive,
      workers,
      queued,
    ]);
  }

  /** The exemplars of its histograms, by the metric's name. */
  exemplars(): ReadonlyMap<string, Exemplars> {
    const { runDuration, attemptDuration, busLag } = this.#instruments;
    return new Map([runDuration, attemptDuration, busLag].map((one) => [one.name, one.exemplars]));
  }

  /** Asks a runner what it has in hand at each collection; the returned function stops that. */
  observe(source: () => Activity): () => void {
    this.#sources.add(source);
    return () => void this.#sources.delete(source);
  }

  /** Listens to a bus; the returned function stops that. */
  listen(bus: Bus): () => void {
    const stops = [
      bus.onPublish(() => this.#published = this.#clock.monotonic()),
      bus.subscribe((event) => this.hear(event)),
    ];
    return () => stops.forEach((stop) => stop());
  }

  /** Hears an event of the bus. */
  hear(event: BusEvent): void {
    if (event.event === "started") {
      this.#lag(event.record.span, event.record.span.startTime);
      if (event.record.role === "run") this.#begun(event.record);
    } else if (event.event === "ended") {
      const { record, start } = event;
      this.#lag(start.span, record.end.endTime);
      this.#instruments.spans.add(1, this.#sets.span.get(start.span.name, record.outcome));
      if (record.role === "run") this.#runEnded(record, start);
      else if (record.role === "attempt") this.#attemptEnded(record, start);
      else if (record.role === "skip") this.#failure(record, start);
      // A for_each step fails by its batches, which are counted, unless it got none.
      else if (record.role === "step" && record.items === undefined) this.#failure(record, start);
    }
  }

  /** Counts what an exporter lost. */
  readonly dropped: OnDropped = ({ signal, sender, count, reason }) =>
    this.#instruments.dropped.add(count, this.#sets.drop.get(signal, sender, reason));

  /** Counts a fault of one of the engine's own parts, such as `telemetry`; `type` is its error's code. */
  systemError(component: string, type: string): void {
    this.#instruments.systemErrors.add(1, this.#sets.system.get(component, type));
  }

  /** Counts what came to the receiver. */
  received({ signal, accepted = 0, rejected = 0, reason = "invalid" }: Received): void {
    const { accepted: taken, rejected: refused } = this.#instruments;
    if (accepted > 0) taken.add(accepted, this.#sets.accepted.get(signal));
    if (rejected > 0) refused.add(rejected, this.#sets.rejected.get(signal, reason));
  }

  /** Measures what plugins do. */
  readonly plugins: PluginMeasure = {
    called: (plugin, seconds) =>
      this.#instruments.pluginDuration.recordAlone(
        Math.max(0, seconds),
        this.#sets.plugin.get(plugin),
      ),
    acted: (plugin, outcome, count) => {
      if (count > 0) {
        this.#instruments.pluginActions.add(count, this.#sets.acted.get(plugin, outcome));
      }
    },
  };

  #lag(span: StartEntry["span"], time: bigint): void {
    if (this.#published === undefined) return;
    const seconds = Math.max(0, this.#clock.monotonic() - this.#published) / 1e3;
    this.#instruments.busLag.record(seconds, NONE, span, time);
  }

  // A run id is a UUIDv7 (R2): its first 48 bits are when the run was created, in milliseconds.
  #begun({ runId, span }: StartRecord): void {
    const workflow = textOf(span.attributes, keys.CICD_PIPELINE_NAME);
    if (this.#workflows.size < MOST_SETS) this.#workflows.add(workflow);
    const created = parseInt(runId.slice(0, 8) + runId.slice(9, 13), 16);
    if (!Number.isInteger(created)) return;
    const waited = Number(span.startTime - BigInt(created) * 1_000_000n) / 1e9;
    const attributes = this.#sets.run.get(workflow, keys.CICD_PIPELINE_RUN_STATE_VALUE_PENDING);
    this.#instruments.runDuration.record(Math.max(0, waited), attributes, span, span.startTime);
  }

  #runEnded(record: EndRecord, { span }: StartEntry): void {
    const { end, outcome } = record;
    const workflow = textOf(span.attributes, keys.CICD_PIPELINE_NAME);
    const attributes = this.#sets.run.get(
      workflow,
      keys.CICD_PIPELINE_RUN_STATE_VALUE_EXECUTING,
      textOf(end.attributes, keys.CICD_PIPELINE_RESULT),
      textOf(end.attributes, keys.ERROR_TYPE),
    );
    this.#instruments.runDuration.record(
      seconds(span.startTime, end.endTime),
      attributes,
      span,
      end.endTime,
    );
    // A run fails because of its steps, whose errors are counted; what is its own is its timeout.
    if (outcome === "timed_out") this.#runError(workflow, record);
  }

  #attemptEnded(record: EndRecord, start: StartEntry): void {
    const { end } = record;
    const { span } = start;
    const workflow = textOf(span.attributes, keys.CICD_PIPELINE_NAME);
    const step = start.stepId ?? "";
    const result = textOf(end.attributes, keys.CICD_PIPELINE_TASK_RUN_RESULT);
    const attributes = this.#sets.task.get(workflow, step, result);
    if (record.outcome === "interrupted") {
      // Its engine ended, nobody knows when: no error of the run's, and the batch is still to be settled.
      this.systemError("engine", textOf(end.attributes, keys.ERROR_TYPE) || "interrupted");
      return;
    }
    const { attemptDuration, batches, items } = this.#instruments;
    attemptDuration.record(seconds(span.startTime, end.endTime), attributes, span, end.endTime);
    if (record.outcome !== "succeeded") this.#failure(record, start);
    if (start.range === undefined || record.retryAt !== undefined) return;
    batches.add(1, attributes);
    if (record.items === undefined) return;
    const { processed, failed } = record.items;
    if (processed > 0) {
      const set = this.#sets.item.get(workflow, step, keys.SPANLOOP_ITEM_OUTCOME_VALUE_PROCESSED);
      items.add(processed, set);
    }
    if (failed > 0) {
      const set = this.#sets.item.get(workflow, step, keys.SPANLOOP_ITEM_OUTCOME_VALUE_FAILED);
      items.add(failed, set);
    }
  }

  #failure(record: EndRecord, { span }: StartEntry): void {
    if (record.outcome !== "failed" && record.outcome !== "timed_out") return;
    this.#runError(textOf(span.attributes, keys.CICD_PIPELINE_NAME), record);
  }

  #runError(workflow: string, { end, outcome }: EndRecord): void {
    const type = textOf(end.attributes, keys.ERROR_TYPE) || outcome;
    this.#instruments.runErrors.add(1, this.#sets.error.get(workflow, type));
  }

  // The SDK asks for these before it looks at its counters.
  #observe(result: BatchObservableResult): void {
    for (const one of Object.values(this.#instruments)) if (one instanceof Tally) one.flush();
    const activities = [...this.#sources].map((source) => source());
    const counts = new Map<string, number[]>();
    for (const workflow of this.#workflows) counts.set(workflow, [0, 0, 0]);
    let busy = false;
    let pending = 0;
    let attempts = 0;
    for (const { runs, waitingAttempts } of activities) {
      attempts += waitingAttempts;
      for (const { workflow, state } of runs) {
        let count = counts.get(workflow);
        if (count === undefined) {
          if (this.#workflows.size < MOST_SETS) this.#workflows.add(workflow);
          counts.set(workflow, count = [0, 0, 0]);
        }
        count[STATES.indexOf(state)] += 1;
        if (state === "pending") pending += 1;
        else busy = true;
      }
    }
    const { runActive, workers, queued } = this.#instruments;
    // Several workflows may share the set of what came after the limit.
    const active = new Map<Attributes, number>();
    for (const [workflow, byState] of counts) {
      byState.forEach((count, index) => {
        const set = this.#sets.active.get(workflow, STATES[index]);
        active.set(set, (active.get(set) ?? 0) + count);
      });
    }
    for (const [set, count] of active) result.observe(runActive, count, flat(set));
    const worker = (state: string, is: boolean) =>
      result.observe(workers, is ? 1 : 0, { [keys.CICD_WORKER_STATE]: state });
    worker(keys.CICD_WORKER_STATE_VALUE_BUSY, busy);
    worker(keys.CICD_WORKER_STATE_VALUE_AVAILABLE, !busy);
    const depth = (kind: string, count: number) =>
      result.observe(queued, count, { [keys.SPANLOOP_QUEUE_KIND]: kind });
    depth(keys.SPANLOOP_QUEUE_KIND_VALUE_RUN, pending);
    depth(keys.SPANLOOP_QUEUE_KIND_VALUE_ATTEMPT, attempts);
  }
}

type Sets = ReturnType<typeof makeSets>;

function makeSets(redact: Redact) {
  const of = (...names: readonly string[]) => new AttributeSets(names, redact);
  const pipeline = keys.CICD_PIPELINE_NAME;
  const task = keys.CICD_PIPELINE_TASK_NAME;
  return {
    run: of(pipeline, keys.CICD_PIPELINE_RUN_STATE, keys.CICD_PIPELINE_RESULT, keys.ERROR_TYPE),
    active: of(pipeline, keys.CICD_PIPELINE_RUN_STATE),
    error: of(pipeline, keys.ERROR_TYPE),
    system: of(keys.CICD_SYSTEM_COMPONENT, keys.ERROR_TYPE),
    span: of(keys.SPANLOOP_SPAN_NAME, keys.SPANLOOP_OUTCOME),
    task: of(pipeline, task, keys.CICD_PIPELINE_TASK_RUN_RESULT),
    item: of(pipeline, task, keys.SPANLOOP_ITEM_OUTCOME),
    plugin: of(keys.SPANLOOP_PLUGIN_NAME),
    acted: of(keys.SPANLOOP_PLUGIN_NAME, keys.SPANLOOP_ACTION_OUTCOME),
    drop: of(keys.SPANLOOP_SIGNAL, keys.SPANLOOP_EXPORTER, keys.SPANLOOP_DROP_REASON),
    accepted: of(keys.SPANLOOP_SIGNAL),
    rejected: of(keys.SPANLOOP_SIGNAL, keys.SPANLOOP_REJECT_REASON),
  };
}

function seconds(from: bigint, to: bigint): number {
  // Wall clocks may be set back between the two.
  return Math.max(0, Number(to - from)) / 1e9;
}

function textOf(attributes: Attributes, key: string): string {
  const value = attributes[key];
  return typeof value === "string" ? value : "";
}

// The API's type has mutable arrays.
function flat(attributes: Attributes): Record<string, string> {
  return attributes as Record<string, string>;
}
