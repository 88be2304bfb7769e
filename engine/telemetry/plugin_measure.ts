import type { Refusal } from "../core/plugin_report.ts";

/** Measures what plugins do. Costs nothing where no metrics are exported, and never throws (J5). */
export interface PluginMeasure {
  /** A call of a plugin, for one event or several in a row, took so many seconds. */
  called(plugin: string, seconds: number): void;
  /** So many of its actions were carried out, or refused for this reason. */
  acted(plugin: string, outcome: "carried_out" | Refusal, count: number): void;
}
