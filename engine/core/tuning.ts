import type { Json } from "./json.ts";
import type { Parameter, ValueSource } from "./parameter.ts";
import type { LedgerEntry } from "./proposal.ts";

/** A tunable parameter as it is now. */
export interface ParameterState {
  /** What the file says of it. */
  readonly parameter: Parameter;
  /** The value that a run takes when none is given; null when there is none. */
  readonly value: Json;
  /** Where that comes from: the environment, tuned, or the default. */
  readonly source: ValueSource;
  /** Whether no plugin may change it. */
  readonly frozen: boolean;
  /** The change that made its tuned value; absent without one. */
  readonly change?: LedgerEntry;
}

/** A workflow's tunable parameters as they are now. */
export interface TunedWorkflow {
  /** Its name. */
  readonly workflow: string;
  /** The version of its snapshot; 0 before the first change. */
  readonly version: number;
  /** In the order of the file. */
  readonly parameters: readonly ParameterState[];
  /** Changes that wait for a person, oldest first. */
  readonly held: readonly LedgerEntry[];
  /** The change that is under measurement; absent for none. */
  readonly tested?: LedgerEntry;
}

/** What belongs to a person's order. */
export interface OrderOptions {
  /** The file's path as the person wrote it. */
  readonly display?: string;
  /** Why, for the ledger. */
  readonly reason?: string;
}

/** What `pin` would write, or has written. */
export interface Pinned {
  /** The new defaults; none where the file has them already. */
  readonly values: Readonly<Record<string, Json>>;
  /** The file's text before. */
  readonly before: string;
  /** And after. */
  readonly after: string;
  /** Whether it was written. */
  readonly written: boolean;
}

/**
 * What people see and say of parameters that change. Files that do not hold throw InvalidError, orders that do not
 * hold SpanloopError `params.…`, and the store StoreError; nothing is half done then.
 */
export interface Tuning {
  /** The tunable parameters of a workflow file. */
  list(file: string, display?: string): Promise<TunedWorkflow>;
  /** Entries of the ledger, newest first: of one parameter, at most `limit` of them (100 when absent). */
  history(
    file: string,
    options?: {
      readonly parameter?: string;
      readonly limit?: number;
      readonly display?: string;
    },
  ): Promise<readonly LedgerEntry[]>;
  /** Sets values, given as text. */
  set(
    file: string,
    values: Readonly<Record<string, string>>,
    options?: OrderOptions,
  ): Promise<LedgerEntry>;
  /** Freezes parameters with the values that they have, or unfreezes them. */
  freeze(
    file: string,
    names: readonly string[],
    frozen: boolean,
    options?: OrderOptions,
  ): Promise<LedgerEntry>;
  /** Takes an applied change back. */
  revert(file: string, number: number, options?: OrderOptions): Promise<LedgerEntry>;
  /** Accepts or rejects a change that is held for a person. */
  answer(
    file: string,
    number: number,
    accept: boolean,
    options?: OrderOptions,
  ): Promise<LedgerEntry>;
  /**
   * Writes tuned values (of `names`; all when there are none) into the file as its defaults, if `confirm` says so;
   * the characters of these values change and nothing else does. The tuned values are retired with that (A5).
   */
  pin(
    file: string,
    names: readonly string[],
    confirm: (pinned: Pinned) => boolean | Promise<boolean>,
    display?: string,
  ): Promise<Pinned>;
}
