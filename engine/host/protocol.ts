/**
 * What the host and a plugin say to one another: the same messages in process and over a sandbox's pipes, where each is
 * a frame of JSON. What comes from a plugin is checked by whoever reads it: it may be anything.
 */
import type { Action, ProposeAction } from "../core/action.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { PluginStepCall } from "../core/step.ts";
import type { PluginRole, SpanEvent, SpanQuery, Subscription } from "../core/plugin.ts";

/** What a plugin says of itself once its module is loaded. */
export interface PluginDescription {
  /** Its name. */
  readonly name: string;
  /** Its own version. */
  readonly version?: string;
  /** The protocol that it was made for. */
  readonly protocol: number;
  /** What it is for, a sentence. */
  readonly description?: string;
  /** What it is for. */
  readonly role: PluginRole;
  /** What it hears of. */
  readonly subscribe: readonly Subscription[];
  /** All kinds of actions that it may give back. */
  readonly actions: readonly string[];
  /** The JSON Schema of its configuration. */
  readonly config?: JsonObject;
  /** The version of what it keeps in its state. */
  readonly stateVersion: number;
  /** The JSON Schemas of its step types' `with:`, by name; null without one. */
  readonly steps: Readonly<Record<string, JsonObject | null>>;
}

/** What a handler is called with: `now` is the event's time, seconds since the Unix epoch (T4). */
export type HandlerCall =
  | { readonly kind: "span"; readonly event: SpanEvent; readonly now: number }
  | { readonly kind: "tick"; readonly now: number };

/** A failure of a plugin's own code. */
export interface Thrown {
  /** The error's name. */
  readonly name: string;
  /** Its message. */
  readonly message: string;
  /** The first place in its stack that is the plugin's: `plugin.ts:12:8`. */
  readonly place?: string;
  /** Whether it asks for another try. */
  readonly transient: boolean;
}

/** What the handlers of some calls gave, up to the first that threw. */
export interface Handled {
  /** How many calls were handled; of a batch that takes long it may be fewer than were given, without a failure. */
  readonly count: number;
  /**
   * What they returned, by the call's index; those that returned nothing are left out. `{ type: "invalid", message }`
   * stands for what JSON cannot carry, and null for each beyond `MOST_ACTIONS`, so that they can be counted.
   */
  readonly actions: readonly { readonly index: number; readonly actions: readonly Action[] }[];
  /** State that they changed, all together; null: taken away. */
  readonly state: Readonly<Record<string, Json | null>>;
  /** Why the next one was not handled; it has changed nothing. */
  readonly failure?: Thrown;
}

/** What a plugin asks the host while a handler runs. */
export type Question =
  & {
    /** The time of the event that is handled, seconds since the Unix epoch (T4). */
    readonly now: number;
    /** The workflow that is asked about: that of the event, where the plugin names none. */
    readonly workflow?: string;
  }
  & ({ readonly ask: "query"; readonly query: SpanQuery } | { readonly ask: "parameters" });

/** What a step of a plugin asks the host during an attempt. */
export type StepQuestion =
  & {
    /** The attempt, by the id of its `step`. */
    readonly step: number;
    /** The workflow that is asked about; that whose step it is when absent. A proposal names it in its action. */
    readonly workflow?: string;
  }
  & (
    | { readonly ask: "query"; readonly query: SpanQuery }
    | { readonly ask: "parameters" }
    | { readonly ask: "kept" }
    | { readonly ask: "propose"; readonly action: Omit<ProposeAction, "type"> }
  );

/** From the host to the plugin. `id` ties an answer to its question, in each direction by itself. */
export type ToPlugin =
  /** Import the module at this URL; once, first. Answered by `loaded` or `failed`. */
  | { readonly type: "load"; readonly url: string }
  /** The plugin begins, with this configuration and state; once, before the first `handle` or `step`. Not answered. */
  | {
    readonly type: "start";
    readonly config: JsonObject;
    readonly state: Readonly<Record<string, Json>>;
    readonly workflow?: string;
  }
  /**
   * Call the handlers, one after the other, until one throws. Answered by `handled`, in order. The next may come before
   * that: an answer to a part of the calls ends the round, and what still comes of that round is answered with nothing
   * handled, so that no event overtakes another (J4).
   */
  | {
    readonly type: "handle";
    readonly id: number;
    /** A number that grows once the host has seen an answer to a part of the calls. */
    readonly round: number;
    readonly calls: readonly HandlerCall[];
  }
  /** The answer to a question. */
  | { readonly type: "answer"; readonly id: number; readonly value: Json }
  /** The question cannot be answered. */
  | {
    readonly type: "refusal";
    readonly id: number;
    readonly message: string;
    /** Asking again later may help. */
    readonly transient: boolean;
  }
  /** Run an attempt at a step. Answered by `stepped`; several may be under way. */
  | { readonly type: "step"; readonly id: number; readonly call: PluginStepCall }
  /** Abort that attempt's signal. */
  | { readonly type: "abort"; readonly id: number };

/** From the plugin to the host. */
export type FromPlugin =
  | { readonly type: "loaded"; readonly description: PluginDescription }
  /** `import`: the module cannot be loaded; `definition`: its default export is no plugin. */
  | { readonly type: "failed"; readonly during: "import" | "definition"; readonly thrown: Thrown }
  | { readonly type: "handled"; readonly id: number; readonly handled: Handled }
  | { readonly type: "question"; readonly id: number; readonly question: Question | StepQuestion }
  /** A line of the plugin's log; `step`: of that attempt's. */
  | { readonly type: "log"; readonly line: string; readonly step?: number }
  | {
    readonly type: "stepped";
    readonly id: number;
    readonly outputs?: JsonObject;
    readonly thrown?: Thrown;
  };

/** A way to a plugin, in process or in a sandbox. */
export interface Channel {
  /** Says something to the plugin. Never throws; what cannot be said ends the channel. */
  send(message: ToPlugin): void;
  /** Hears what it says, in order. Set once, before the first `send`. */
  onMessage: (message: FromPlugin) => void;
  /** Hears once, with a sentence, that it is gone without having been closed: crashed, killed, or garbled. */
  onGone: (why: Gone) => void;
  /** Ends it now, whatever it does; resolves once it is gone. Safe to call twice. */
  close(): Promise<void>;
}

/** Why a channel ended by itself. */
export interface Gone {
  /** A stable name: `plugin.exit`, `plugin.memory`, `plugin.frame`, `plugin.time`. */
  readonly code: string;
  /** The same for a person, a sentence, with what to do. */
  readonly message: string;
}

/** The most that one frame may hold, bytes; in both directions. */
export const LARGEST_FRAME = 16 * 1024 * 1024;
/** The most actions that one event's handler may give back. */
export const MOST_ACTIONS = 1_000;
