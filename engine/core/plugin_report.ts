import type { Action } from "./action.ts";
import type { Decision, LedgerEntry } from "./proposal.ts";
import type { PluginRole } from "./plugin.ts";
import type { Grant } from "./plugin_use.ts";

/** What became of a plugin. */
export type PluginStanding =
  /** It hears events. */
  | "active"
  /** Nobody hosts it now; what it has not heard waits. */
  | "waiting"
  /** It failed too often, and hears nothing until it changes or is tried again. */
  | "set_aside";

/** Why an action was refused. */
export type Refusal =
  /** It is of a kind that the plugin does not list in `actions`. */
  | "undeclared"
  /** It goes past the grant. */
  | "grant"
  /** Its rate is used up. */
  | "rate"
  /** A chain of reactions is as long as it may get (H2). */
  | "depth"
  /** It has not the form of an action. */
  | "invalid"
  /** There are too many at once, or it is too large. */
  | "size";

/** A plugin as `plugins list` shows it. */
export interface PluginReport {
  /** Its name. */
  readonly name: string;
  /** The workflow that uses it; null: all. */
  readonly workflow: string | null;
  /** Where it is from, as it is written. */
  readonly use: string;
  /** What it is for; null while it was never loaded. */
  readonly role: PluginRole | null;
  /** Its own version. */
  readonly version: string | null;
  /** Where it runs. */
  readonly isolation: "in process" | "sandbox";
  /** What became of it. */
  readonly state: PluginStanding;
  /** Why it was set aside, or cannot be loaded. */
  readonly why: string | null;
  /** Events of the store that it has not passed yet, whether it wants them or not. */
  readonly lag: number;
  /** Events that it has handled. */
  readonly handled: number;
  /** Actions that were carried out. */
  readonly actions: number;
  /** Actions that were refused, by why. */
  readonly refused: Readonly<Partial<Record<Refusal, number>>>;
  /** What it was granted, in full. */
  readonly grant: Grant;
}

/** What a plugin did, or would have done, with one action. */
export interface ActionOutcome {
  /** The action's id: derived from the plugin, the event and its index (T3). */
  readonly id: string;
  /** The event's place in the store's order, or null for a tick. */
  readonly position: number | null;
  /** When, seconds since the Unix epoch; the event's time. */
  readonly time: number;
  /** The action. */
  readonly action: Action;
  /** Why it was refused; absent when it was carried out. */
  readonly refused?: { readonly why: Refusal; readonly message: string };
  /** Of a proposal: what was decided. */
  readonly decision?: Decision;
}

/** An action outcome of a plugin that runs, with the ledger entry that a proposal made. */
export interface CarriedOut extends ActionOutcome {
  /** The entry. */
  readonly entry?: LedgerEntry;
}
