import type { JsonObject } from "./json.ts";
import type { RunEvent } from "./report.ts";

/** Values given for one run (V3). */
export interface GivenValues {
  /** From the command line, as text, by name. */
  readonly text?: Readonly<Record<string, string>>;
  /** From a `--params` file. */
  readonly file?: JsonObject;
}

/** How a run is followed and stopped. */
export interface RunOptions {
  /** Called for every event, in order. */
  readonly onEvent?: (event: RunEvent) => void;
  /**
   * Cancels gently: attempts under way are cancelled, finally steps run. Aborting `force` as well ends
   * everything at once, finally steps included.
   */
  readonly signal?: AbortSignal;
  /** See `signal`. */
  readonly force?: AbortSignal;
}
