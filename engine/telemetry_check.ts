import { Ids } from "./core/ids.ts";
import type { Random } from "./core/clock.ts";
import type { Attributes } from "./core/span.ts";
import type { TelemetryReport, TelemetryTest } from "./core/telemetry_report.ts";
import { readResourceFacts } from "./resource_facts.ts";
import { standardStreams, systemClock, systemRandom } from "./system.ts";
import type { Sender } from "./telemetry/export/sender.ts";
import { logSenders, metricSenders, spanSenders } from "./telemetry/export/senders.ts";
import { sampleItems } from "./telemetry/sample_items.ts";
import { detectResource } from "./telemetry/resource.ts";
import { readTelemetrySettings, type TelemetrySettings } from "./telemetry/settings.ts";
import { version } from "./version.ts";

type Environment = Readonly<Record<string, string>>;

/** What the environment asks of telemetry. Throws SpanloopError for a certificate that cannot be read. */
export async function reportTelemetry(environment: Environment): Promise<TelemetryReport> {
  const { settings, warnings } = readTelemetrySettings(environment);
  const senders = await sendersOf(settings);
  await Promise.all(senders.map((sender) => sender.close()));
  const names = (signal: Sender<never>["signal"]) =>
    senders.filter((sender) => sender.signal === signal).map(({ name }) => name);
  const { host, port } = settings.metrics.prometheus;
  const scraped = settings.metrics.exporters.includes("prometheus")
    ? [`prometheus http://${host}:${port}/metrics`]
    : [];
  return {
    warnings,
    disabled: settings.disabled,
    resource: resourceOf(settings),
    sampled: settings.traces.sampler.ratio,
    parentBased: settings.traces.sampler.parentBased,
    propagators: settings.propagators,
    signals: {
      traces: names("traces"),
      metrics: [...names("metrics"), ...scraped],
      logs: names("logs"),
    },
  };
}

/**
 * Sends a span, a metric and a log record to wherever each signal goes, once, and says what happened. Throws
 * SpanloopError for a certificate that cannot be read.
 */
export async function testTelemetry(environment: Environment): Promise<readonly TelemetryTest[]> {
  const { settings } = readTelemetrySettings(environment);
  const clock = systemClock();
  const random: Random = systemRandom();
  const items = sampleItems(resourceOf(settings), new Ids(clock, random), clock.now());
  const senders = await sendersOf(settings);
  return await Promise.all(senders.map(async (sender) => {
    const began = clock.monotonic();
    const sent = await sender.send([items[sender.signal] as never]);
    const ms = clock.monotonic() - began;
    await sender.close();
    const { signal, name: exporter } = sender;
    const refused = sent.status === "ok" && (sent.rejected ?? 0) > 0;
    const ok = sent.status === "ok" && !refused;
    const message = ok ? undefined : sent.message ?? "It was refused without a reason";
    return { signal, exporter, ok, ms, message };
  }));
}

async function sendersOf(settings: TelemetrySettings): Promise<readonly Sender<never>[]> {
  const ports = { settings, clock: systemClock(), ...standardStreams() };
  const all = await Promise.all([spanSenders(ports), metricSenders(ports), logSenders(ports)]);
  return all.flat() as Sender<never>[];
}

function resourceOf(settings: TelemetrySettings): Attributes {
  return detectResource(settings, readResourceFacts(version()));
}
