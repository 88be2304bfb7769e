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
  /** The change that is under measurement; absent for none. A workflow has one at a time. */
  readonly experiment?: Experiment;
  /** When it came about, nanoseconds since the epoch. */
  readonly at: bigint;
}

/** A change under measurement: until its verdict the candidate has a share of the work, the incumbent the rest. */
export interface Experiment {
  /** The id of the proposal that it tests. */
  readonly id: string;
  /** The candidate's values, by the parameters that it changes. */
  readonly values: Readonly<Record<string, Json>>;
  /** The incumbent's values of the same parameters as it began; null where there was neither value nor default. */
  readonly incumbent: Readonly<Record<string, Json>>;
  /** The share of the items that the candidate gets in its first run, in (0, 0.5]; see `exposureIn`. */
  readonly exposure: number;
  /** When it began, nanoseconds since the epoch. */
  readonly since: bigint;
  /** What it is judged by: the workflow's objective as it began, its expression as text. */
  readonly objective?: {
    readonly direction: "minimize" | "maximize";
    readonly expression: string;
    readonly of: string;
  };
}

/** One of the two sides of an experiment. */
export type Arm = "incumbent" | "candidate";

/** What an experiment came to: an interval on what was applied, never a bare number (P4). */
export interface Verdict {
  /** What the interval says of the candidate. */
  readonly outcome: "improved" | "regressed" | "inconclusive";
  /** What was done about it: the candidate rules from now on, or the incumbent does as before. */
  readonly action: "kept" | "rolled_back";
  /**
   * What ended it: the interval left zero, a guard was breached or is not believed to be kept, a harm was clear before the interval was, it could
   * not come to more than is worth having, its work was used up, or somebody changed the values meanwhile.
   */
  readonly ended: "interval" | "guard" | "harm" | "futile" | "budget" | "withdrawn";
  /**
   * How many times better the candidate is by the objective, with its always-valid interval; above 1 is better.
   * Absent when nothing could be compared.
   */
  readonly effect?: { readonly ratio: number; readonly low: number; readonly high: number };
  /** The coverage of the interval at every look, in (0, 1). */
  readonly confidence: number;
  /** Pairs of arms that were compared. */
  readonly pairs: number;
  /** What each guard's metric was with the candidate. */
  readonly guards: readonly {
    readonly metric: string;
    readonly of: string;
    /** Its estimate; absent where nothing was measured. */
    readonly value?: number;
    /** Whether the evidence says that it is broken. */
    readonly breached: boolean;
  }[];
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

/**
 * Who asks for a change: a plugin, a person, the workflow's file, whose author has edited it (A5), or the engine, which
 * ends an experiment with its verdict, and takes a change back that has come to break a guard.
 */
export type Author =
  | { readonly kind: "plugin"; readonly name: string }
  | { readonly kind: "person" }
  | { readonly kind: "file" }
  | { readonly kind: "engine" };

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
  /** The share of the items that its experiment should have, in (0, 1]; see `Experiment.exposure`. */
  readonly exposure?: number;
  /** It is applied without an experiment. */
  readonly immediate?: boolean;
}

/** The rule that decided a proposal; every decision names one. */
export type Rule =
  /** Nothing speaks against it. */
  | "accepted"
  /** Nothing speaks against trying it: it is measured first, or waits until another change has been. */
  | "experiment"
  /** Its experiment has ended. */
  | "verdict"
  /** What rules has come to break a guard. */
  | "guard"
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
  /**
   * `applied`: there is a new version with its values; `testing`: there is a new version with its experiment;
   * `waiting`: it is to be tested after the change that is under measurement; `held`: a person decides; `refused`;
   * `ended`: an experiment ended, and its candidate was not kept.
   */
  readonly outcome: "applied" | "testing" | "waiting" | "held" | "refused" | "ended";
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
  /** The entry that it answers: a person's word on one that was held, what takes one back, an experiment's verdict. */
  readonly answers?: number;
  /** Of an experiment's end: what it came to. The decision's message is the same in words. */
  readonly verdict?: Verdict;
}

/** Whether an entry took back a change that had been kept, since what rules came to break a guard. */
export function isRollBack({ decision }: Pick<LedgerEntry, "decision">): boolean {
  return decision.outcome === "applied" && decision.rule === "guard";
}
