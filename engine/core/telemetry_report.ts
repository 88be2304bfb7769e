import type { Attributes } from "./span.ts";

/** A signal, as OpenTelemetry names them. */
export type SignalName = "traces" | "metrics" | "logs";

/** What the environment asks of telemetry, as it was understood. Holds no credentials. */
export interface TelemetryReport {
  /** What was not understood, each a sentence. */
  readonly warnings: readonly string[];
  /** Whether OTEL_SDK_DISABLED turns all of it off. */
  readonly disabled: boolean;
  /** What this process says it is. */
  readonly resource: Attributes;
  /** The share of runs whose spans are exported, 0 to 1. */
  readonly sampled: number;
  /** Whether a caller in another process decides instead, where there is one. */
  readonly parentBased: boolean;
  /** What is handed to children and called servers. */
  readonly propagators: readonly string[];
  /** Where each signal goes. */
  readonly signals: Readonly<Record<SignalName, readonly string[]>>;
}

/** What happened to one thing of each signal that was sent as a test. */
export interface TelemetryTest {
  /** The signal. */
  readonly signal: SignalName;
  /** Where it went. */
  readonly exporter: string;
  /** Whether it arrived. */
  readonly ok: boolean;
  /** How long it took, in milliseconds. */
  readonly ms: number;
  /** Why it did not arrive. */
  readonly message?: string;
}
