import type { Action, ActionType, ProposeAction } from "./action.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Decision } from "./proposal.ts";
import type { Attributes, Outcome, SpanKind, SpanReference, SpanRole } from "./span.ts";

/** The version of the protocol between the host and plugins; a plugin made for another one is refused. */
export const PLUGIN_PROTOCOL = 1;

/**
 * A span as plugins see it: attributes and its place in the run, no inputs and no outputs (T1). It is plain JSON,
 * the same in process, in a sandbox, in a fixture and in a replay. Do not change it: others may hold it too.
 */
export interface PluginSpan extends SpanReference {
  /** The span around it. */
  readonly parentSpanId?: string;
  /** Its name. */
  readonly name: string;
  /** Its kind. */
  readonly kind: SpanKind;
  /** Seconds since the Unix epoch. */
  readonly startTime: number;
  /** Seconds since the Unix epoch; absent while it is open. */
  readonly endTime?: number;
  /** Seconds from start to end; absent while it is open. */
  readonly duration?: number;
  /** OpenTelemetry's status. */
  readonly status: "unset" | "ok" | "error";
  /** The status description. */
  readonly message?: string;
  /** Its attributes; of a received span also lists and maps of values. */
  readonly attributes: JsonObject;
  /** Spans that it points at. */
  readonly links: readonly SpanReference[];
  /** Whether another program sent it (T2). */
  readonly external: boolean;
  /** The plugin that emitted it; absent for all others. */
  readonly plugin?: string;
  /** Its workflow's name; of an emitted span that of the event it answers; absent for a received one. */
  readonly workflow?: string;
  /** Its run, likewise. */
  readonly runId?: string;
  /** What it stands for in the run; only of a run's own. */
  readonly role?: SpanRole;
  /** Its step. */
  readonly stepId?: string;
  /** Which try it is, from 1; of an attempt. */
  readonly attempt?: number;
  /** How it ended. */
  readonly outcome?: Outcome;
  /** The code of the failure that ended it. */
  readonly error?: string;
  /** Items processed and failed, where it counted any. */
  readonly items?: { readonly processed: number; readonly failed: number };
}

/** What a plugin hears of: a span's start or end, at its place in the store's order. */
export interface SpanEvent {
  /** Started or ended; what was received or emitted has ended. */
  readonly event: "started" | "ended";
  /** Its place in the store's order. */
  readonly position: number;
  /** The span. */
  readonly span: PluginSpan;
}

/** A tick of a plugin's own schedule. */
export interface TickEvent {
  /** When it was due, seconds since the Unix epoch. */
  readonly time: number;
}

/** Which spans a plugin hears of, as data: the host filters before anything crosses a boundary. All that is given must hold. */
export interface SpanSubscription {
  /** Which moment of a span; `ended` when absent. */
  readonly event?: "started" | "ended";
  /** The span's name; `*` stands for any characters. */
  readonly name?: string;
  /** The workflow's name; `*` stands for any characters. */
  readonly workflow?: string;
  /** What the span stands for in its run; received and emitted spans have none. */
  readonly role?: SpanRole;
  /** Attributes that must have these values. */
  readonly attributes?: Attributes;
  /** A condition in CEL over `span`, `attributes` and `duration` (seconds), such as `duration > 2.0`. */
  readonly where?: string;
}

/** When a plugin's `onTick` is called. */
export interface TickSubscription {
  /** Five or six cron fields. */
  readonly cron: string;
  /** An IANA time zone; UTC when absent. */
  readonly timezone?: string;
}

/** What a plugin subscribes to. */
export type Subscription = SpanSubscription | TickSubscription;

/**
 * A plugin's own values, kept by key over restarts. What an event's handler changes is kept if it returns, and
 * together with the note that the event was handled: never one without the other.
 */
export interface PluginState {
  /** Whether there is a value of a key. */
  has(key: string): boolean;
  /** The value of a key. Changing it in place changes nothing: set it. */
  get(key: string): Json | undefined;
  /** Sets it; JSON of at most 64 KiB a key and 1 MiB in all. */
  set(key: string, value: Json): void;
  /** Takes it away. */
  delete(key: string): void;
  /** Its keys, in the order of the text. */
  keys(): readonly string[];
  /**
   * A key's value as an object that lives on from event to event, for what is too large to be read and written at each:
   * it is written once for all events that were handled together. Change it in place, and only when nothing can throw
   * any more: what a handler that throws changed of it is not taken back.
   */
  hold<T>(key: string, form: HeldForm<T>): T;
}

/** How an object that a plugin holds is made of what is kept of it, and kept. */
export interface HeldForm<T> {
  /** Makes it; of undefined when nothing is kept. */
  read(kept: Json | undefined): T;
  /** What to keep of it: JSON of at most 64 KiB, not null. */
  write(value: T): Json;
}

/** What to look for among stored spans: of runs that have ended, or of a plugin; newest first. */
export interface SpanQuery {
  /** Of this workflow; the event's own when absent. */
  readonly workflow?: string;
  /** Of this step. */
  readonly stepId?: string;
  /** With this name. */
  readonly name?: string;
  /** That stand for this in their run. */
  readonly role?: SpanRole;
  /** That this plugin emitted, instead of those of runs themselves; `experiments` is the engine's own. */
  readonly plugin?: string;
  /** That ended at or after, seconds since the Unix epoch. */
  readonly since?: number;
  /** At most so many; 100 when absent, at most 1,000. */
  readonly limit?: number;
}

/** A tunable parameter as a plugin sees it. */
export interface TunableParameter {
  /** Its type. */
  readonly type: "integer" | "number" | "enum";
  /** The value that rules: the tuned one, else the file's default; null when there is neither. */
  readonly value: Json;
  /** The file's default; null without one. */
  readonly default: Json;
  /** Least value, inclusive. */
  readonly min?: number;
  /** Greatest value, inclusive. */
  readonly max?: number;
  /** Granularity on a linear scale. */
  readonly step?: number;
  /** Largest change at once, a factor or an amount; no limit when absent (A3). */
  readonly maxStep?: { readonly factor: number } | { readonly amount: number };
  /** Whether neighbours differ by a factor or by an amount. */
  readonly scale: "linear" | "log";
  /** For an enum: the values to choose from. */
  readonly choices?: readonly string[];
  /** When a change takes effect (A3). */
  readonly apply: "next_run" | "live";
  /** Who may change it (A3). */
  readonly mode: "off" | "recommend" | "auto";
  /** Whether a person has frozen it. */
  readonly frozen: boolean;
}

/** A workflow's tunable parameters, as they are now. */
export interface TunableParameters {
  /** The version of the tuned values; a proposal may name it. */
  readonly version: number;
  /** By name. */
  readonly parameters: Readonly<Record<string, TunableParameter>>;
  /** What the workflow is tuned for; absent without an objective. */
  readonly objective?: {
    readonly direction: "minimize" | "maximize";
    /** The expression's text, of duration (seconds), items, failed, attempts, queue_time (seconds). */
    readonly expression: string;
    /** The step that it is of. */
    readonly of: string;
  };
  /** A change is tried in whole runs, `live` or not: a share of one does not tell all that it is judged by. */
  readonly whole?: true;
  /** What no change may break. */
  readonly guards: readonly {
    readonly metric: string;
    readonly of: string;
    readonly below?: number;
    readonly above?: number;
  }[];
  /** The change that is under measurement; absent for none. */
  readonly experiment?: {
    /** The proposal's id. */
    readonly id: string;
    /** The candidate's values. */
    readonly values: Readonly<Record<string, Json>>;
    /** The incumbent's. */
    readonly incumbent: Readonly<Record<string, Json>>;
    /** The candidate's share of the items in its first run, in (0, 0.5]. */
    readonly exposure: number;
    /** Since when, seconds since the Unix epoch. */
    readonly since: number;
  };
}

/** What a plugin's handlers are given beside the event. */
export interface PluginContext<Config extends JsonObject = JsonObject> {
  /** Its configuration, checked against its schema, with defaults filled in. */
  readonly config: Config;
  /** The time of the event, seconds since the Unix epoch: the only time that there is (T4). */
  readonly now: number;
  /** The workflow that uses the plugin; absent for one that is used for all. */
  readonly workflow?: string;
  /** Its own values. */
  readonly state: PluginState;
  /** Stored spans that it may see. */
  query(query: SpanQuery): Promise<readonly PluginSpan[]>;
  /** A workflow's tunable parameters; the event's workflow when absent. */
  parameters(workflow?: string): Promise<TunableParameters>;
  /** Writes a line to the engine's log, under the plugin's name. */
  log(line: string): void;
}

/** A step type that a plugin brings: workflows use it as `uses: plugin/step`. */
export interface PluginStep {
  /** The JSON Schema of its `with:`. */
  readonly with?: JsonObject;
  /** Runs one attempt; what it returns are the outputs. Throw TransientError where trying again may help. */
  run(context: PluginStepContext): JsonObject | void | Promise<JsonObject | void>;
}

/** What a plugin's step type gets for one attempt. */
export interface PluginStepContext {
  /** The step's resolved `with:`. */
  readonly with: JsonObject;
  /** The plugin's configuration. */
  readonly config: JsonObject;
  /** A batch's items; empty outside for_each. */
  readonly items: readonly Json[];
  /** Which try this is, from 1. */
  readonly attempt: number;
  /** The same over all attempts at this run's step and range (R6). */
  readonly idempotencyKey: string;
  /** When the attempt began, seconds since the Unix epoch. */
  readonly now: number;
  /** Aborted when the attempt is cancelled or its time is up. */
  readonly signal: AbortSignal;
  /** Writes a line to the step's log. */
  log(line: string): void;
  /** Stored spans that it may see; of `query.workflow`, else of the workflow whose step it is. */
  query(query: SpanQuery): Promise<readonly PluginSpan[]>;
  /** A workflow's tunable parameters; those of the workflow whose step it is when absent. */
  parameters(workflow?: string): Promise<TunableParameters>;
  /**
   * What the plugin keeps of its own: what its handlers have set, as far as it is written. Where they have set nothing as
   * the step's workflow uses it, as that workflow does, else as spanloop.yaml does. Empty when none has yet.
   */
  kept(workflow?: string): Promise<Readonly<Record<string, Json>>>;
  /** Asks for changes, and resolves once that is decided; asking again in another attempt gives the same answer. */
  propose(action: Omit<ProposeAction, "type">): Promise<StepDecision>;
}

/** What became of a proposal that a plugin's step made. */
export interface StepDecision {
  /** See `Decision.outcome`. */
  readonly outcome: Decision["outcome"];
  /** Which rule decided. */
  readonly rule: Decision["rule"];
  /** The same for a person, a sentence. */
  readonly message: string;
  /** What people call it: change 12. */
  readonly change: number;
}

/** What a plugin is for: it says what spans show, finds better values, or starts work. */
export type PluginRole = "analyzer" | "optimizer" | "agent";

/** What a handler gives back: effects as data, or nothing. */
export type Returned<Allowed extends ActionType> =
  | readonly Extract<Action, { readonly type: Allowed }>[]
  | void;

/** The type of a value that a JSON Schema describes, as far as TypeScript can say it. */
export type SchemaValue<Schema> = Schema extends { readonly enum: readonly (infer Value)[] } ? Value
  : Schema extends { readonly type: "string" } ? string
  : Schema extends { readonly type: "number" | "integer" } ? number
  : Schema extends { readonly type: "boolean" } ? boolean
  : Schema extends { readonly type: "array"; readonly items: infer Item }
    ? readonly SchemaValue<Item>[]
  : Schema extends { readonly type: "object"; readonly properties: infer Properties } ?
      & {
        readonly [Name in keyof Properties as AlwaysThere<Schema, Properties, Name>]: SchemaValue<
          Properties[Name]
        >;
      }
      & {
        readonly [
          Name in keyof Properties as Name extends AlwaysThere<Schema, Properties, Name> ? never
            : Name
        ]?: SchemaValue<Properties[Name]>;
      }
  : Json;

/** The name of a property, if it is there in any case: it is required, or has a default. */
export type AlwaysThere<Schema, Properties, Name extends keyof Properties> = Schema extends
  { readonly required: readonly (infer Required)[] } ? Name extends Required ? Name
  : Properties[Name] extends { readonly default: unknown } ? Name
  : never
  : Properties[Name] extends { readonly default: unknown } ? Name
  : never;

/** The type of a plugin's configuration. */
export type ConfigOf<Schema> = SchemaValue<Schema> extends JsonObject ? SchemaValue<Schema>
  : JsonObject;

/** A plugin, as its author defines it. */
export interface PluginDefinition<
  Allowed extends ActionType = ActionType,
  Schema extends JsonObject = JsonObject,
> {
  /** Its name: lower-case letters, digits, `_` and `-`; that of its folder or file. */
  readonly name: string;
  /** Its own version, for people. */
  readonly version?: string;
  /** The protocol that it was made for; the engine's when absent. */
  readonly protocol?: number;
  /** What it is for, a sentence. */
  readonly description?: string;
  /** What it is for. */
  readonly role: PluginRole;
  /** What it hears of. */
  readonly subscribe?: Subscription | readonly Subscription[];
  /** All kinds of actions that it may ever give back; none when absent. */
  readonly actions?: readonly Allowed[];
  /** The JSON Schema of its configuration, with defaults. */
  readonly config?: Schema;
  /** The version of what it keeps in its state, 1 when absent: of another version it starts with none. */
  readonly stateVersion?: number;
  /** Called for each event that a subscription wants, in order, one after the other. */
  onSpan?(
    event: SpanEvent,
    context: PluginContext<ConfigOf<NoInfer<Schema>>>,
  ): Returned<NoInfer<Allowed>> | Promise<Returned<NoInfer<Allowed>>>;
  /** Called for each tick of a subscription's schedule. */
  onTick?(
    event: TickEvent,
    context: PluginContext<ConfigOf<NoInfer<Schema>>>,
  ): Returned<NoInfer<Allowed>> | Promise<Returned<NoInfer<Allowed>>>;
  /** Step types by name. */
  readonly steps?: Readonly<Record<string, PluginStep>>;
}

/**
 * Defines a plugin; its module's default export. A handler that returns an action which `actions` does not list, or
 * reads what `config` does not have, does not compile.
 */
export function definePlugin<
  const Allowed extends ActionType = never,
  const Schema extends JsonObject = JsonObject,
>(definition: PluginDefinition<Allowed, Schema>): PluginDefinition<Allowed, Schema> {
  return definition;
}
