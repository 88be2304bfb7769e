import type { AnalysisReport, AnalyzeOptions } from "./analysis.ts";
import type { ActionOutcome, PluginReport } from "./plugin_report.ts";

/** Where the spans of a replay come from. */
export interface ReplayOptions {
  /** The plugin: a name that the workflow, or spanloop.yaml, uses, or a path. */
  readonly plugin: string;
  /** A workflow file that uses it; absolute. Without one the plugin is used with its defaults. */
  readonly workflow?: string;
  /** The id of a run of the store, or a file of spans in JSON lines; absolute. */
  readonly from: { readonly runId: string } | { readonly file: string };
}

/** What people see of plugins. Errors: SpanloopError with a sentence, StoreError. */
export interface Plugins {
  /**
   * The plugins of a workflow file and of spanloop.yaml, and those that the store knows of; of the file's workflow alone
   * when there is one.
   */
  list(file?: string, display?: string): Promise<readonly PluginReport[]>;
  /** Lets plugins of that name that were set aside try again; gives how many there are. */
  retry(name: string): Promise<number>;
  /**
   * What the analyzer knows, once it has heard what is new; it is used for all workflows where nothing names it. It makes
   * no store.
   */
  analyze(options?: AnalyzeOptions): Promise<AnalysisReport>;
  /**
   * What a plugin would have done about spans of the past: it changes nothing, and the same spans give the same
   * answers, byte for byte (T4).
   */
  replay(options: ReplayOptions): AsyncIterable<ActionOutcome>;
}
