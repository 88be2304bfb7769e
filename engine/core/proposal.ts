import type { Json } from "./json.ts";
import type { ParameterType } from "./parameter.ts";
import type { SpanReference } from "./span.ts";

/** The tuned values of a workflow, as one version of them. A run pins the one that it started with (P3). */
export interface Snapshot {
  /** The workflow's name. */
  readonly workflow: string;
  /** Grows by one with each change; 0 before the first. */
  readonly version: number;
  /** Tuned values by parameter; what is not in it has the file's default. */
  readonly values: Readonly<Record<string, Json>>;
  /** Parameters that no plugin changes until they are unfrozen. */
  readonly frozen: readonly string[];
  /** What the file said of each tuned parameter when it was tuned (A5). */
  readonly basis?: Readonly<Record<string, Basis>>;
  /** When it came about, nanoseconds since the epoch. */
  readonly at: bigint;
}

/** What a parameter was tuned against; the tuned value is retired once the file says something else (A5). */
export interface Basis {
  /** Its type. */
  readonly type: ParameterType;
  /** The file's default; null when it has none. */
  readonly default: Json;
  /** The workflow's objective as text; absent without one. */
  readonly objective?: string;
}

/** Who asks for a change: a plugin, a person, or the workflow's file, whose author has edited it (A5). */
export type Author =
  | { readonly kind: "plugin"; readonly name: string }
  | { readonly kind: "person" }
  | { readonly kind: "file" };

/** An atomic set of changes that somebody asks for: all of it is decided on at once (P2). */
export interface Proposal {
  /** The same id is the same proposal: it is decided once, whoever asks again (P2). */
  readonly id: string;
  /** The workflow's name. */
  readonly workflow: string;
  /** Who asks. */
  readonly author: Author;
  /** The wanted values by parameter; at least one. A person and the file may say null: back to the default. */
  readonly changes: Readonly<Record<string, Json>>;
  /** Freezes (true) or unfreezes the parameters that `changes` names, with the values that they have and keep. */
  readonly frozen?: boolean;
  /** Why, a sentence. */
  readonly reason: string;
  /** The spans that argue for it; they are in the store. */
  readonly evidence: readonly SpanReference[];
  /** The version of the snapshot that it was made against; a proposal against an older one is stale. */
  readonly version: number;
  /** When it was made, nanoseconds since the epoch; from the event that it answers, never from a clock (T4). */
  readonly at: bigint;
}

/** The rule that decided a proposal; every decision names one. */
export type Rule =
  /** Nothing speaks against it. */
  | "accepted"
  /** A person asked for it. */
  | "person"
  /** The author of the file changed what it was tuned against (A5). */
  | "file"
  /** It names a parameter that the workflow does not have, or that is not tunable. */
  | "not_tunable"
  /** A value is not of the parameter's type, or none of its choices. */
  | "invalid"
  /** It is outside of what the plugin was granted. */
  | "grant"
  /** `mode: off`. */
  | "off"
  /** `mode: recommend`: held for a person. */
  | "recommend"
  /** The parameter is frozen. */
  | "frozen"
  /** The snapshot has changed since. */
  | "stale"
  /** It came less than the cooldown after the last change. */
  | "cooldown"
  /** It came within a blackout window. */
  | "blackout"
  /** The day has had its changes. */
  | "daily_limit"
  /** Another proposal changes the same parameter, or is under measurement. */
  | "conflict"
  /** Evidence that is not in the store. */
  | "evidence"
  /** After bounds and max_step nothing is left to change. */
  | "no_change";

/** What became of a proposal. */
export interface Decision {
  /** `applied`: there is a new version; `held`: a person decides; `refused`. */
  readonly outcome: "applied" | "held" | "refused";
  /** Why. */
  readonly rule: Rule;
  /** The same for a person, a sentence. */
  readonly message: string;
  /** What was or would be applied, after bounds and max_step: the clamp is the last thing (P1). */
  readonly values: Readonly<Record<string, Json>>;
  /** Parameters whose value was cut to their bounds or max_step. */
  readonly clamped: readonly string[];
}

/** A proposal with its decision, and the snapshots before and after it: committed together or not at all (P2). */
export interface LedgerEntry {
  /** Grows; what people call it: change 12. */
  readonly number: number;
  /** What was asked. */
  readonly proposal: Proposal;
  /** What came of it. */
  readonly decision: Decision;
  /** The tuned values before it of the parameters that it names; null: the default. */
  readonly before: Readonly<Record<string, Json | null>>;
  /** The version that it made; absent when it made none. */
  readonly version?: number;
  /** The entry that it answers: a person's word on one that was held, or what takes one back. */
  readonly answers?: number;
}
