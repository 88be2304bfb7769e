import { SpanloopError } from "../core/errors.ts";
import type { Gone, Thrown } from "./protocol.ts";

/** What went wrong with a plugin. */
export type PluginErrorCode =
  /** Its module cannot be loaded. */
  | "plugin.import"
  /** Its default export is no plugin that this engine can use. */
  | "plugin.definition"
  /** It said what the protocol does not allow. */
  | "plugin.protocol"
  /** Its code threw. */
  | "plugin.threw"
  /** It took too long. */
  | "plugin.time"
  /** It took too much memory. */
  | "plugin.memory"
  /** Its process ended. */
  | "plugin.exit"
  /** What it sent cannot be read, or is too large. */
  | "plugin.frame"
  /** The engine closed it while something was still asked of it. */
  | "plugin.closed";

/** A plugin that failed: a sentence for whoever operates the engine, with the place where one is known. */
export class PluginError extends SpanloopError {
  declare readonly code: PluginErrorCode;
  /** The place in the plugin's folder: `plugin.ts:12:8`. */
  readonly place: string | undefined;

  /** Makes one; the place is put at the sentence's end. */
  constructor(
    code: PluginErrorCode,
    message: string,
    options: { readonly place?: string; readonly cause?: unknown } = {},
  ) {
    super(code, options.place === undefined ? message : `${message} (${options.place})`, options);
    this.place = options.place;
  }
}

/** The error for why a channel ended; a code that is not known is taken for an exit. */
export function goneError(gone: Gone): PluginError {
  const known = ["plugin.time", "plugin.memory", "plugin.exit", "plugin.frame"] as const;
  return new PluginError(known.find((code) => code === gone.code) ?? "plugin.exit", gone.message);
}

/** The error for what a plugin's own code threw: `Handled.failure`, for a line in the log. */
export function threwError(thrown: Thrown): PluginError {
  const named = thrown.name === "" || thrown.name === "Error" ? "" : `${thrown.name}: `;
  return new PluginError("plugin.threw", `${named}${thrown.message || "it threw nothing"}`, {
    place: thrown.place,
  });
}
