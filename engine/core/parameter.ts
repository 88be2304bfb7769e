import type { Json } from "./json.ts";

/** The types a parameter can have. */
export type ParameterType =
  | "string"
  | "integer"
  | "number"
  | "boolean"
  | "duration"
  | "enum"
  | "list"
  | "object"
  | "secret";

/** What may change a parameter, within which bounds (P1). */
export interface Tune {
  /** Least value, inclusive. */
  readonly min?: number;
  /** Greatest value, inclusive. */
  readonly max?: number;
  /** Granularity on a linear scale. */
  readonly step?: number;
  /** Whether neighbours differ by a factor or by an amount. */
  readonly scale: "linear" | "log";
  /** Largest change at once: a factor (`4x`) or an amount. */
  readonly maxStep?: { readonly factor: number } | { readonly amount: number };
  /** When a change takes effect (A3). */
  readonly apply: "next_run" | "live";
  /** Who may change it (A3). */
  readonly mode: "off" | "recommend" | "auto";
  /** For an enum: the values to choose from. */
  readonly choices?: readonly string[];
}

/** Where a secret's value comes from (V4). */
export type SecretSource = { readonly env: string } | { readonly file: string };

/** A declared parameter. */
export interface Parameter {
  /** Its name. */
  readonly name: string;
  /** Its type. */
  readonly type: ParameterType;
  /** For people. */
  readonly description?: string;
  /** Its default; without one a value must be given. A duration's is its text. */
  readonly default?: Json;
  /** Least value, inclusive; for integer and number. */
  readonly min?: number;
  /** Greatest value, inclusive; for integer and number. */
  readonly max?: number;
  /** For a string: an RE2 pattern that the whole value must match. */
  readonly pattern?: string;
  /** For an enum: its values. */
  readonly values?: readonly string[];
  /** For a secret. */
  readonly from?: SecretSource;
  /** The tuning contract. */
  readonly tune?: Tune;
}

/** Where a parameter's value in a run came from, in falling precedence (V3). */
export type ValueSource =
  | "command line"
  | "params file"
  | "environment"
  | "caller"
  | "tuned"
  | "default";
