import type { Clock } from "../core/clock.ts";
import type { Propagation } from "../core/propagation.ts";
import type { RunPluginStep } from "../core/step.ts";

/** What the built-in step types need from outside; given by the composition root. */
export interface StepPorts {
  /** Time, for graces. */
  readonly clock: Clock;
  /** The engine's own environment, which shell steps inherit (without INIT_CWD, R3). */
  readonly environment: Readonly<Record<string, string>>;
  /** The operating system as `Deno.build.os` has it: `linux`, `darwin`, or one that shell steps refuse (R6). */
  readonly platform: string;
  /** The absolute path of the Deno executable, for scripts in a process of their own. */
  readonly deno: string;
  /** The file URL of mod.ts, which `spanloop` stands for in scripts. */
  readonly library: string;
  /** This process's id, which is never ended. */
  readonly pid: number;
  /** An absolute folder that sandboxed scripts' caches may stay in; made when it is needed. */
  readonly cacheFolder: string;
  /** Absolute paths of the store, which sandboxed scripts may neither read nor write whatever they are granted. */
  readonly store: readonly string[];
  /** Hands the trace context and the baggage on to processes and with requests. */
  readonly propagation: Propagation;
  /** Runs the step types that plugins bring. */
  readonly runPluginStep: RunPluginStep;
}
