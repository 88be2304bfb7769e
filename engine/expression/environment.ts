import type { ParameterType } from "../core/parameter.ts";

/** What names an expression may use at its place in the file (V1). */
export interface Environment {
  /** The declared parameters and their types. */
  readonly params: ReadonlyMap<string, ParameterType>;
  /** The declared `env` names. */
  readonly env: ReadonlySet<string>;
  /** The ids of steps that have settled before this place is evaluated. */
  readonly steps: ReadonlySet<string>;
  /** Ids that exist but are not upstream; they get a message of their own. */
  readonly otherSteps: ReadonlySet<string>;
  /** Which roots of for_each there are: none; items, index, from and to; or these and item (batch of 1). */
  readonly batch: "none" | "item" | "items";
  /** Whether always(), failed() and cancelled() are allowed: only in `if`. */
  readonly conditions: boolean;
  /**
   * Further bare names, read from the scope object's own properties: numbers (an objective's `duration`,
   * `items`), save `attributes`, which is an object, and `span`, a plugin's (`where`). They take precedence over
   * the roots.
   */
  readonly variables?: ReadonlySet<string>;
  /** Whether `variables` are all the names that there are. */
  readonly variablesOnly?: boolean;
  /** Why no secret may be read here; absent where it may. */
  readonly noSecrets?: string;
}
