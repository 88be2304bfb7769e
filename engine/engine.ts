import type { Engine } from "./core/engine.ts";
import type { TelemetryReport, TelemetryTest } from "./core/telemetry_report.ts";
import { locateStore } from "./locate_store.ts";
import type { SpanProcessor } from "./telemetry/provider.ts";

export type { Engine } from "./core/engine.ts";
export type { GivenValues, RunOptions } from "./core/run_options.ts";
// What an embedder's types need to be written down.
export type * from "./core/diagnostic.ts";
export type * from "./core/improve.ts";
export type * from "./core/json.ts";
export type * from "./core/log.ts";
export type * from "./core/action.ts";
export type * from "./core/analysis.ts";
export type * from "./core/parameter.ts";
export type { PluginRole, PluginSpan, SpanEvent, SpanQuery, Subscription } from "./core/plugin.ts";
export type * from "./core/plugin_report.ts";
export type * from "./core/plugin_use.ts";
export type * from "./core/plugins.ts";
export type * from "./core/proposal.ts";
export type * from "./core/received.ts";
export type * from "./core/report.ts";
export type * from "./core/scope.ts";
export type * from "./core/span.ts";
export type * from "./core/store.ts";
export type * from "./core/telemetry_report.ts";
export type * from "./core/tuning.ts";
export type * from "./core/tuning_report.ts";
export type * from "./core/workflow.ts";
export type { ErrorClass } from "./core/errors.ts";
export type { SpanProcessor } from "./telemetry/provider.ts";

/** What this process's environment asks of telemetry. Throws SpanloopError. */
export async function reportTelemetry(): Promise<TelemetryReport> {
  return await (await import("./telemetry_check.ts")).reportTelemetry(Deno.env.toObject());
}

/**
 * Sends a span, a metric and a log record to wherever this process's environment has each signal go, and says
 * what happened to them. Throws SpanloopError.
 */
export async function testTelemetry(): Promise<readonly TelemetryTest[]> {
  return await (await import("./telemetry_check.ts")).testTelemetry(Deno.env.toObject());
}

/** How an engine is set up. */
export interface EngineOptions {
  /**
   * A workflow file or a folder that the store is looked for near (R3); absolute. The nearest spanloop.yaml
   * above it, else the nearest deno.json, else the workflow's own folder gets `.spanloop/store.db`.
   */
  readonly near: string;
  /** `sqlite:FILE` or `memory:`; overrides what `near` finds. Processes of steps get it as SPANLOOP_STORE. */
  readonly store?: string;
  /** `full`: a commit survives the machine; `normal`: the process. Default: spanloop.yaml's, else `full`. */
  readonly durability?: "full" | "normal";
  /**
   * Span processors of OpenTelemetry's SDK; they see every span of the engine, each with its ids in the
   * journal. Without any the SDK is not loaded.
   */
  readonly spanProcessors?: readonly SpanProcessor[];
  /** How long `close` lets plugins hear what is left, milliseconds; 5,000 when absent (R8). */
  readonly drainMs?: number;
}

/** Makes an engine. Its store is opened on first use; `validate` and `plan` need none. */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const place = await locateStore(options.near, options);
  const { LocalEngine } = await import("./local_engine.ts");
  return new LocalEngine(place, options);
}
