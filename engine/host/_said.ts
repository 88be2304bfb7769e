/** Reads what a plugin says, which may be anything. Each throws PluginError `plugin.protocol` for what it may not be. */
import type { Action, ProposeAction } from "../core/action.ts";
import { copyJson, isObject, type Json, type JsonObject, NotJsonError } from "../core/json.ts";
import type { SpanQuery } from "../core/plugin.ts";
import type { SpanRole } from "../core/span.ts";
import { missingPermission, oneLine, plainMessage } from "../sandbox/denial.ts";
import type { Whose } from "../sandbox/error.ts";
import { PluginError } from "./plugin_error.ts";
import {
  type Handled,
  MOST_ACTIONS,
  type Question,
  type StepQuestion,
  type Thrown,
} from "./protocol.ts";

/** Whose process a sandbox's is. */
export const PLUGIN: Whose = { noun: "plugin", key: "grant.permissions" };

const LONGEST_MESSAGE = 2_000;
const TEXTS = ["workflow", "stepId", "name", "role", "plugin"] as const;
const NUMBERS = ["since", "limit"] as const;

/** What the handlers of `calls` calls gave; of more actions than `MOST_ACTIONS` only the number is to be trusted. */
export function readHandled(said: unknown, calls: number, isOver: boolean): Handled {
  if (!isObject(said)) throw broken("an answer that is no object");
  const { count, actions, state, failure } = said;
  if (!isIndex(count, calls + 1)) {
    throw broken(`that it handled ${String(count)} of ${calls} events`);
  }
  if (!Array.isArray(actions)) throw broken("actions that are no list");
  let last = -1;
  const given = actions.map((entry: Json) => {
    if (!isObject(entry) || !isIndex(entry.index, count) || entry.index <= last) {
      throw broken("actions of an event that it was not given");
    }
    last = entry.index;
    return { index: last, actions: actionsOf(entry.actions) };
  });
  if (!isObject(state)) throw broken("a state that is no object");
  const thrown = failure === undefined ? undefined : readThrown(failure);
  if (thrown !== undefined && count === calls) {
    throw broken("a failure of an event that it was not given");
  }
  if (isOver ? count > 0 : thrown === undefined && count === 0 && calls > 0) {
    throw broken(`that it handled ${count === 0 ? "nothing" : "what it was not to handle"}`);
  }
  return {
    count,
    actions: given,
    state: plain(state, "state") as Record<string, Json>,
    ...(thrown === undefined ? {} : { failure: thrown }),
  };
}

/** A failure of the plugin's own code; a permission that it lacks is named as its grant names it. */
export function readThrown(said: unknown): Thrown {
  if (!isObject(said)) throw broken("a failure that is no object");
  const { name, message, place, transient } = said;
  return {
    name: oneLine(textOf(name)),
    message: missingPermission(textOf(message), PLUGIN, []) ??
      oneLine(withoutStack(textOf(message))),
    ...(typeof place === "string" ? { place: oneLine(textOf(place)) } : {}),
    transient: transient === true,
  };
}

/** A question of a handler's, or of a step's. */
export function readQuestion(said: unknown): Question | StepQuestion {
  if (!isObject(said)) throw broken("a question that is no object");
  const { now, step, workflow } = said;
  if (workflow !== undefined && typeof workflow !== "string") {
    throw broken("a question about a workflow whose name is no text");
  }
  const about = workflow === undefined ? {} : { workflow };
  const asked = said.ask === "parameters"
    ? { ask: "parameters" as const }
    : said.ask === "query" && isObject(said.query)
    ? { ask: "query" as const, query: queryOf(said.query) }
    : undefined;
  if (step === undefined) {
    if (typeof now !== "number" || !Number.isFinite(now)) throw broken("a question without a time");
    if (asked !== undefined) return { ...asked, now, ...about };
  } else {
    if (typeof step !== "number") throw broken("a question of a step without its number");
    if (asked !== undefined) return { ...asked, step, ...about };
    if (said.ask === "kept") return { ask: "kept", step, ...about };
    if (said.ask === "propose" && isObject(said.action)) {
      // What is in it is judged like any other action.
      const action = plain(said.action, "action") as unknown as Omit<ProposeAction, "type">;
      return { ask: "propose", action, step, ...about };
    }
  }
  throw broken("a question that there is not");
}

/** The outputs of an attempt at a step. */
export function readOutputs(said: unknown): JsonObject {
  if (!isObject(said)) throw broken("outputs that are no object");
  return plain(said, "outputs") as JsonObject;
}

/** What a plugin said is not what the protocol has there. */
export function broken(what: string): PluginError {
  return new PluginError(
    "plugin.protocol",
    `The plugin sent ${what}; it must leave its stdin and stdout to the engine`,
  );
}

function queryOf(said: JsonObject): SpanQuery {
  const query: Record<string, string | number> = {};
  for (const name of TEXTS) {
    const value = said[name];
    if (typeof value === "string") query[name] = value;
    else if (value !== undefined) throw broken(`a query whose ${name} is no text`);
  }
  for (const name of NUMBERS) {
    const value = said[name];
    if (typeof value === "number" && Number.isFinite(value)) query[name] = value;
    else if (value !== undefined) throw broken(`a query whose ${name} is no number`);
  }
  return query as SpanQuery & { readonly role?: SpanRole };
}

function actionsOf(said: Json | undefined): readonly Action[] {
  if (!Array.isArray(said)) throw broken("actions that are no list");
  const copied = said.slice(0, MOST_ACTIONS).map((action: Json, i) =>
    plain(action, `actions[${i}]`)
  );
  // What is beyond is never looked at: its number is told.
  const beyond = said.length - copied.length;
  const all = beyond > 0 ? copied.concat(new Array<Json>(beyond).fill(null)) : copied;
  return all as unknown as readonly Action[];
}

// In process it might still be the plugin's own object; from a sandbox it might be nested without end.
function plain(value: unknown, path: string): Json {
  try {
    return copyJson(value, path);
  } catch (error) {
    if (error instanceof NotJsonError) throw broken(`what JSON cannot carry: ${error.message}`);
    throw error;
  }
}

// Deno's loader puts the place, which is told anyhow, into the message.
function withoutStack(message: string): string {
  return plainMessage(message).replace(/\n\s+at file:.*$/s, "");
}

function isIndex(value: unknown, below: number): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) < below;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value.slice(0, LONGEST_MESSAGE) : "";
}
