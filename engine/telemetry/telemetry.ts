import type { Random } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import type { Attributes, SpanReference } from "../core/span.ts";
import * as keys from "../../semconv/attributes.ts";
import type { Activity } from "./activity.ts";
import type { Bus } from "./bus.ts";
import { logExceptions } from "./exceptions.ts";
import { DropLog } from "./export/drop_log.ts";
import { ExportQueue } from "./export/queue.ts";
import { FORWARD_QUEUE, Forwarder } from "./forward.ts";
import {
  forwardSenders,
  logSenders,
  metricSenders,
  type SenderPorts,
  spanSenders,
} from "./export/senders.ts";
import type { Sender } from "./export/sender.ts";
import type { EngineLog } from "./log.ts";
import type { Received } from "./metrics/metrics.ts";
import type { Metering } from "./metrics/start.ts";
import type { Forward } from "./forwarded.ts";
import type { PluginMeasure } from "./plugin_measure.ts";
import { type Redact, redactor } from "./redact.ts";
import { sampler } from "./sampler.ts";
import type { BatchSettings, Signal } from "./settings.ts";
import { TraceExport } from "./traces.ts";

// How long the end of a process waits for what is not exported yet, in milliseconds.
const SHUTDOWN_MS = 5_000;

// A collection is a request of its own; what a collector that is away has missed is of little use to it later.
const METRIC_QUEUE = { maxQueue: 8, maxBatch: 1, delayMs: 0 };

/** What exporting needs. */
export interface TelemetryPorts extends SenderPorts {
  /** What this process is. */
  readonly resource: Attributes;
  /** Where spans come from. */
  readonly bus: Bus;
  /** For jitter. */
  readonly random: Random;
  /** What the runner has in hand. */
  readonly activity: () => Activity;
  /** Where log records come from, and where telemetry itself says what it has to. */
  readonly log: EngineLog;
}

/** All that is exported from this process. */
export class Telemetry {
  readonly #ports: TelemetryPorts;
  readonly #queues: ExportQueue<unknown>[] = [];
  readonly #drops: DropLog;
  readonly #stops: (() => void)[] = [];
  #traces: TraceExport | undefined;
  #metering: Metering | undefined;

  private constructor(ports: TelemetryPorts) {
    this.#ports = ports;
    this.#drops = new DropLog(ports.log, ports.clock);
  }

  /** Starts exporting; a signal that cannot be exported is logged. */
  static async start(ports: TelemetryPorts): Promise<Telemetry> {
    const telemetry = new Telemetry(ports);
    await telemetry.#start();
    return telemetry;
  }

  /** Takes received metrics and logs on to where the engine's own go; undefined: nowhere. */
  async forwarding(): Promise<Forward | undefined> {
    const forwarder = new Forwarder();
    for (const signal of ["metrics", "logs"] as const) {
      const settings = { ...FORWARD_QUEUE, timeoutMs: SHUTDOWN_MS };
      for (const [encoding, sender] of await forwardSenders(this.#ports, signal)) {
        forwarder.add({ signal, encoding }, sender, (counted) => this.#queue(counted, settings));
      }
    }
    return forwarder.idle ? undefined : forwarder.forward;
  }

  /** Counts what the receiver took or did not take. */
  received(items: Received): void {
    this.#metering?.metrics.received(items);
  }

  /** Measures what plugins do. */
  readonly plugins: PluginMeasure = {
    called: (plugin, seconds) => this.#metering?.metrics.plugins.called(plugin, seconds),
    acted: (plugin, outcome, count) =>
      this.#metering?.metrics.plugins.acted(plugin, outcome, count),
  };

  /** The ids under which an open span is exported, or the nearest one around it that is. */
  exported(span: SpanReference): SpanReference {
    return this.#traces?.exported(span) ?? span;
  }

  /** Whether an open span is sampled; undefined: nothing is exported of it here. */
  sampled(spanId: string): boolean | undefined {
    return this.#traces?.sampled(spanId);
  }

  /** Sends what waits, within SHUTDOWN_MS, and stops. Never rejects (J5). */
  async shutdown(): Promise<void> {
    const { clock } = this.#ports;
    const deadline = clock.monotonic() + SHUTDOWN_MS;
    // A last collection of metrics comes before the queues' end; what has been measured is in it.
    await this.#metering?.shutdown(SHUTDOWN_MS);
    for (const stop of this.#stops) stop();
    const left = Math.max(0, deadline - clock.monotonic());
    await Promise.all(this.#queues.map((queue) => queue.shutdown(left)));
    this.#drops.flush();
  }

  async #start(): Promise<void> {
    const { settings, resource } = this.#ports;
    const redact = redactor(settings.denyAttributes);
    // A span that ends is forgotten by the traces: whoever wants its place hears the bus before them.
    const exported = redact(resource);
    await this.#contained("logs", this.#startLogs(exported, redact));
    await this.#contained("metrics", this.#startMetrics(exported, redact));
    await this.#contained("traces", this.#startTraces(exported, redact));
  }

  // What one signal's settings name and cannot be read does not keep the others from being exported.
  async #contained(signal: Signal, starting: Promise<void>): Promise<void> {
    try {
      await starting;
    } catch (thrown) {
      const body = `No ${signal} are exported: ${messageOf(thrown)}`;
      this.#ports.log.log({ severity: "error", body });
    }
  }

  async #startLogs(resource: Attributes, redact: Redact): Promise<void> {
    const { settings, bus, log } = this.#ports;
    const queues = (await logSenders(this.#ports))
      .map((sender) => this.#queue(sender, settings.logs.batch));
    if (queues.length === 0) return;
    const [{ exportLogs }, { resourceFromAttributes }] = await Promise.all([
      import("./log_export.ts"),
      import("@opentelemetry/resources"),
    ]);
    this.#stops.push(log.addConsumer(
      exportLogs({
        limits: settings.logs.limits,
        resource: resourceFromAttributes(resource as Record<string, string>),
        emit: (record) => queues.forEach((queue) => queue.add(record)),
        redact,
        exported: (span) => ({ ...this.exported(span), sampled: this.sampled(span.spanId) }),
      }),
      "info",
    ));
    if (settings.exceptions !== "spans") this.#stops.push(bus.subscribe(logExceptions(log)));
  }

  async #startMetrics(resource: Attributes, redact: Redact): Promise<void> {
    const { settings, bus, log, clock, activity } = this.#ports;
    const senders = await metricSenders(this.#ports);
    if (settings.metrics.exporters.length === 0) return;
    const batch = { ...METRIC_QUEUE, timeoutMs: settings.metrics.timeoutMs };
    const queues = senders.map((sender) => this.#queue(sender, batch));
    const { startMetrics } = await import("./metrics/start.ts");
    const metering = startMetrics({
      settings: settings.metrics,
      resource,
      redact,
      clock,
      emit: queues.length === 0
        ? undefined
        : (collection) => queues.forEach((queue) => queue.add(collection)),
      exported: (span) => ({ ...this.exported(span), sampled: this.sampled(span.spanId) }),
      warn: (body) => log.log({ severity: "warn", body }),
    });
    this.#metering = metering;
    const { metrics } = metering;
    this.#stops.push(
      metrics.observe(activity),
      metrics.listen(bus),
      log.addConsumer(({ runId, attributes }) => {
        if (runId !== undefined) return;
        metrics.systemError("engine", String(attributes?.[keys.ERROR_TYPE] ?? "_OTHER"));
      }, "error"),
    );
  }

  async #startTraces(resource: Attributes, redact: Redact): Promise<void> {
    const { settings, bus } = this.#ports;
    const queues = (await spanSenders(this.#ports))
      .map((sender) => this.#queue(sender, settings.traces.batch));
    if (queues.length === 0) return;
    const sampled = sampler(settings.traces.sampler);
    const traces = new TraceExport({ queues, settings, resource, sampled, redact });
    this.#traces = traces;
    this.#stops.push(bus.subscribe((event) => traces.hear(event)));
  }

  #queue<T>(sender: Sender<T>, settings: BatchSettings): ExportQueue<T> {
    const { clock, random } = this.#ports;
    const queue = new ExportQueue<T>({
      sender,
      settings,
      clock,
      random,
      onDropped: (drop) => {
        this.#drops.hear(drop);
        this.#metering?.metrics.dropped(drop);
      },
    });
    this.#queues.push(queue as ExportQueue<unknown>);
    return queue;
  }
}
