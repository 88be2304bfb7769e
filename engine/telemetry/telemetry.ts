import type { Clock, Random } from "../core/clock.ts";
import type { Attributes, SpanReference } from "../core/span.ts";
import type { Bus } from "./bus.ts";
import { logExceptions } from "./exceptions.ts";
import { DropLog } from "./export/drop_log.ts";
import { ExportQueue, type QueueStatus } from "./export/queue.ts";
import { logSenders, spanSenders } from "./export/senders.ts";
import type { Sender } from "./export/sender.ts";
import type { EngineLog } from "./log.ts";
import { type Redact, redactor } from "./redact.ts";
import { sampler } from "./sampler.ts";
import type { BatchSettings, TelemetrySettings } from "./settings.ts";
import { TraceExport } from "./traces.ts";

/** How long the end of a process waits for what is not exported yet, in milliseconds. */
export const SHUTDOWN_MS = 5_000;

/** What exporting needs. */
export interface TelemetryPorts {
  /** What the environment asks for. */
  readonly settings: TelemetrySettings;
  /** What this process is. */
  readonly resource: Attributes;
  /** Where spans come from. */
  readonly bus: Bus;
  /** Time. */
  readonly clock: Clock;
  /** For jitter. */
  readonly random: Random;
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

  private constructor(ports: TelemetryPorts) {
    this.#ports = ports;
    this.#drops = new DropLog(ports.log, ports.clock);
  }

  /** Starts exporting. Throws SpanloopError for what the settings name and cannot be read. */
  static async start(ports: TelemetryPorts): Promise<Telemetry> {
    const telemetry = new Telemetry(ports);
    await telemetry.#start();
    return telemetry;
  }

  /** How each queue is doing. */
  status(): readonly QueueStatus[] {
    return this.#queues.map((queue) => queue.status());
  }

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
    for (const stop of this.#stops) stop();
    await Promise.all(this.#queues.map((queue) => queue.shutdown(SHUTDOWN_MS)));
    this.#drops.flush();
  }

  async #start(): Promise<void> {
    const { settings, resource } = this.#ports;
    const redact = redactor(settings.denyAttributes);
    // A span that ends is forgotten by the traces: whoever wants its place hears the bus before them.
    await this.#startLogs(redact(resource), redact);
    await this.#startTraces(redact(resource), redact);
  }

  async #startLogs(resource: Attributes, redact: Redact): Promise<void> {
    const { settings, bus, clock, log } = this.#ports;
    const queues = (await logSenders(settings, clock))
      .map((sender) => this.#queue(sender, settings.logs.batch));
    if (queues.length === 0) return;
    const [{ exportLogs }, { resourceFromAttributes }] = await Promise.all([
      import("./log_export.ts"),
      import("@opentelemetry/resources"),
    ]);
    this.#stops.push(log.addConsumer(exportLogs({
      limits: settings.logs.limits,
      resource: resourceFromAttributes(resource as Record<string, string>),
      emit: (record) => queues.forEach((queue) => queue.add(record)),
      redact,
      exported: (span) => ({ ...this.exported(span), sampled: this.sampled(span.spanId) }),
    })));
    if (settings.exceptions !== "spans") this.#stops.push(bus.subscribe(logExceptions(log)));
  }

  async #startTraces(resource: Attributes, redact: Redact): Promise<void> {
    const { settings, bus, clock } = this.#ports;
    const queues = (await spanSenders(settings, clock))
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
      },
    });
    this.#queues.push(queue as ExportQueue<unknown>);
    return queue;
  }
}
