import { createHash } from "node:crypto";
import type { Action } from "../core/action.ts";
import type { Grant } from "../core/plugin_use.ts";
import type { Refusal } from "../core/plugin_report.ts";
import { isObject } from "../core/json.ts";
import { matches } from "../core/wildcard.ts";
import { checkAction } from "./check_action.ts";
import { type EngineAction, engineAction } from "./engine_action.ts";
import { reaches } from "./grant.ts";
import { MOST_ACTIONS } from "./protocol.ts";

/** The longest chain of reactions: what answers one that is as deep is refused (H2). */
export const DEEPEST_REACTION = 8;

/** What a plugin answers, as far as judging it goes. */
export interface Occasion {
  /** What makes ids of it: the event's position, or `tick@SECONDS`. */
  readonly key: string;
  /** When, nanoseconds since the Unix epoch; the event's time (T4). */
  readonly at: bigint;
  /** How many reactions led to it; 0 for none. */
  readonly depth: number;
  /** Its workflow; absent for none. */
  readonly workflow?: string;
}

/** An action that may be carried out, or why it is refused. */
export type Judged =
  | {
    readonly id: string;
    readonly action: Action;
    readonly refused?: { readonly why: Refusal; readonly message: string };
  }
  | { readonly id: string; readonly action: EngineAction; readonly refused?: undefined };

/** What is judged: a plugin as it is used. */
export interface Judgeable {
  /** Its instance's id. */
  readonly id: string;
  /** The workflow that uses it; absent: all. */
  readonly workflow?: string;
  /** The kinds of actions that it lists. */
  readonly declared: readonly string[];
  /** What it was granted. */
  readonly grant: Grant;
  /** Whether it is the engine's own, which may ask for what no other may. */
  readonly engine?: boolean;
}

/** A token bucket, a minute's worth of actions deep. */
export interface Bucket {
  /** Actions that it may still have carried out. */
  readonly tokens: number;
  /** The latest time that it was filled up to, nanoseconds since the Unix epoch; undefined: not yet. */
  readonly filled: bigint | undefined;
}

/**
 * Judges what a plugin asks for before anything is done: its form, what the plugin lists and was granted, its rate, and
 * how deep the chain of reactions is. What only the workflow's contract can say of a proposal is the policy's.
 *
 * Invariants: H2 (the depth has a limit), T3 (ids are derived), T4 (the rate goes by the events' time: a replay judges
 * alike).
 */
export class Judge {
  readonly #plugin: Judgeable;
  #tokens: number;
  #filled: bigint | undefined;

  /** Judges one instance's actions. */
  constructor(plugin: Judgeable) {
    this.#plugin = plugin;
    this.#tokens = plugin.grant.rate;
  }

  /** What is left of its rate; to be kept with how far the plugin has heard, so that all judge alike (T3). */
  get bucket(): Bucket {
    return { tokens: this.#tokens, filled: this.#filled };
  }

  /** Goes on with what was left. */
  set bucket({ tokens, filled }: Bucket) {
    this.#tokens = Math.min(tokens, this.#plugin.grant.rate);
    this.#filled = filled;
  }

  /** Judges the actions that answer one event, in order. */
  judge(occasion: Occasion, actions: readonly unknown[]): readonly Judged[] {
    this.#refill(occasion.at);
    const judged = actions.slice(0, MOST_ACTIONS).map((action, index) =>
      this.#judge(occasion, action, index)
    );
    const more = actions.length - judged.length;
    if (more > 0) {
      judged.push({
        id: `${this.#plugin.id}/${occasion.key}/${MOST_ACTIONS}`,
        action: NOTHING,
        refused: {
          why: "size",
          message: `${more} actions beyond the ${MOST_ACTIONS} that one event may be answered with`,
        },
      });
    }
    return judged;
  }

  #judge(occasion: Occasion, given: unknown, index: number): Judged {
    const id = `${this.#plugin.id}/${occasion.key}/${index}`;
    const own = this.#plugin.engine ? engineAction(given) : undefined;
    if (own !== undefined) return { id, action: own };
    const checked = readAction(given);
    if ("why" in checked) return { id, action: NOTHING, refused: checked };
    const message = this.#objection(checked, occasion);
    return message === undefined
      ? { id, action: checked }
      : { id, action: checked, refused: message };
  }

  #objection(action: Action, { depth, workflow: of }: Occasion): Judged["refused"] {
    const { declared, grant, workflow: own } = this.#plugin;
    if (!declared.includes(action.type)) {
      return {
        why: "undeclared",
        message: `it does not list \`${action.type}\` in its \`actions\``,
      };
    }
    const past = (what: string) => ({
      why: "grant" as const,
      message: `it was not granted ${what}`,
    });
    if (!grant.actions.includes(action.type)) return past(`to ${action.type}`);
    if (action.type === "command" && !grant.command.some((name) => matches(name, action.name))) {
      return past(`the command ${action.name}`);
    }
    if (action.type === "propose") {
      const workflow = action.workflow ?? of ?? own;
      if (workflow === undefined) {
        return {
          why: "invalid",
          message: "its proposal names no workflow, and the event has none",
        };
      }
      if (!reaches(own, grant, workflow)) {
        return past(`to propose anything for ${workflow}: ${own} uses it`);
      }
    } else if (depth >= DEEPEST_REACTION) {
      return {
        why: "depth",
        message: `${depth} reactions led to this event, which is where a chain ends`,
      };
    }
    if (this.#tokens < 1) {
      return { why: "rate", message: `it has used up its ${grant.rate} actions a minute` };
    }
    this.#tokens--;
  }

  #refill(at: bigint): void {
    const { rate } = this.#plugin.grant;
    // Events of several processes are not in the order of their times.
    const passed = this.#filled === undefined || at < this.#filled ? 0n : at - this.#filled;
    if (this.#filled === undefined || at > this.#filled) this.#filled = at;
    this.#tokens = Math.min(rate, this.#tokens + (Number(passed) / 60e9) * rate);
  }
}

// What the plugin's own side could not read comes with the reason why not.
function readAction(given: unknown): ReturnType<typeof checkAction> {
  if (isObject(given) && given.type === "invalid") {
    return { why: "invalid", message: String(given.message) };
  }
  return checkAction(given);
}

// What stands for an action that has not the form of one.
const NOTHING: Action = { type: "emit", name: "" };

/** The span id of what an action emits: the first 64 bits of its id's SHA-256 (T3). */
export function emittedSpanId(id: string): string {
  const hex = createHash("sha256").update(id).digest("hex").slice(0, 16);
  return /^0+$/.test(hex) ? "0000000000000001" : hex;
}

/** The trace id of what answers no span: 128 bits of the SHA-256 of what it answers. */
export function emittedTraceId(id: string): string {
  return createHash("sha256").update(id).digest("hex").slice(0, 32);
}
