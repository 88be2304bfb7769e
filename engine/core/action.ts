import type { Json, JsonObject } from "./json.ts";
import type { Attributes, SpanReference } from "./span.ts";

/** Emits a span of no length: a finding, a transition. Other plugins may subscribe to it like to any span. */
export interface EmitAction {
  /** Discriminates actions. */
  readonly type: "emit";
  /** The span's name; low cardinality. */
  readonly name: string;
  /** Its attributes. */
  readonly attributes?: Attributes;
  /** The spans that it is about; the event's own when absent. */
  readonly links?: readonly SpanReference[];
}

/** Asks for an atomic set of changes of tunable parameters. */
export interface ProposeAction {
  /** Discriminates actions. */
  readonly type: "propose";
  /** The workflow; that of the event's span when absent. */
  readonly workflow?: string;
  /** The wanted values by parameter; at least one. */
  readonly changes: Readonly<Record<string, Json>>;
  /** Why: a sentence for the person who reads the ledger. */
  readonly reason: string;
  /** The spans that argue for it; the event's own when absent. */
  readonly evidence?: readonly SpanReference[];
  /** The version of the values that it was worked out from; the newest when absent. */
  readonly version?: number;
  /**
   * The share of the items that should run with these values to begin with, in (0, 1]; it doubles from run to run, and no
   * more than half of them do. A tenth when absent.
   */
  readonly exposure?: number;
  /**
   * Applies it without measuring it first: for what protects, or follows a load. Otherwise a change of a workflow with
   * an objective is tried on a share of the work, and kept only if it proves better.
   */
  readonly immediate?: boolean;
}

/** Starts what listens to a command: workflows with `on: { command: NAME }`. */
export interface CommandAction {
  /** Discriminates actions. */
  readonly type: "command";
  /** The command's name. */
  readonly name: string;
  /** Parameter values for what it starts. */
  readonly params?: JsonObject;
  /** Why, a sentence. */
  readonly reason?: string;
}

/** What a plugin asks for: data, so that it is logged, replayed, tested and refused. */
export type Action = EmitAction | ProposeAction | CommandAction;

/** The kinds of actions. */
export type ActionType = Action["type"];
