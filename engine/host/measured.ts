import type { EmitAction } from "../core/action.ts";
import type { Store } from "../core/store.ts";
import type { Workflow } from "../core/workflow.ts";
import type { EngineAction } from "./engine_action.ts";

/** What is measured of a workflow; plain JSON, so that a file that says something else begins anew. */
export interface Measured {
  /** The objective's step. */
  readonly of: string;
  /** How often a batch of each step is tried at most: of the objective's and the guards' steps. */
  readonly tries: Readonly<Record<string, number>>;
  /** The names of the tunable parameters. */
  readonly parameters: readonly string[];
}

/** What the experimenter asks of the engine. */
export interface ExperimenterPorts {
  /** The workflow's name. */
  readonly workflow: string;
  /** It as its file says it now; undefined while there is none that holds. */
  readonly contract: () => Promise<Workflow | undefined>;
  /** What is tuned and decided of it, and its runs. */
  readonly store: Pick<Store, "snapshot" | "ledger" | "run">;
}

/** What it asks for. */
export type Made = EmitAction | EngineAction;
