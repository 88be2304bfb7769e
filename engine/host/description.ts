import { isObject, type Json, type JsonObject } from "../core/json.ts";
import { PLUGIN_PROTOCOL, type PluginRole, type Subscription } from "../core/plugin.ts";
import { isAttributeValue, type SpanRole } from "../core/span.ts";
import { oneLine } from "../sandbox/denial.ts";
import { PluginError } from "./plugin_error.ts";
import type { PluginDescription } from "./protocol.ts";

const NAME = /^[a-z][a-z0-9_-]*$/;
const ROLES: readonly PluginRole[] = ["analyzer", "optimizer", "agent"];
const ACTIONS = ["emit", "propose", "command"];
const SPAN_ROLES: readonly SpanRole[] = ["run", "step", "attempt", "skip", "emit", "resume"];
const MEMBERS = [
  "name",
  "version",
  "protocol",
  "description",
  "role",
  "subscribe",
  "actions",
  "config",
  "stateVersion",
  "steps",
];
const OF_SPANS = ["event", "name", "workflow", "role", "attributes", "where"];
const OF_TICKS = ["cron", "timezone"];
const MOST_SUBSCRIPTIONS = 100;

/**
 * Checks what a plugin says of itself, which may be anything. Conditions, schedules and schemas are checked where they
 * are compiled. Throws PluginError `plugin.definition` with a sentence that says what to do.
 */
export function readDescription(said: unknown): PluginDescription {
  if (!isObject(said)) throw wrong("It says nothing of itself; export what `definePlugin` gives");
  const { protocol } = said;
  // First: of another protocol everything else may look different.
  if (protocol !== PLUGIN_PROTOCOL) {
    const newer = typeof protocol === "number" && protocol > PLUGIN_PROTOCOL;
    throw wrong(
      `It was made for protocol ${shown(protocol)}, and this Spanloop speaks ${PLUGIN_PROTOCOL}; ` +
        (newer ? "update Spanloop" : `install a version of it for protocol ${PLUGIN_PROTOCOL}`),
    );
  }
  onlyMembers(said, MEMBERS, "A plugin");
  const { name, role, stateVersion, config } = said;
  if (typeof name !== "string" || !NAME.test(name) || name.length > 100) {
    throw wrong(
      `\`name\` must be lower-case letters, digits, \`_\` and \`-\`, and is ${shown(name)}`,
    );
  }
  if (!ROLES.some((one) => one === role)) {
    throw wrong(`\`role\` must be ${ROLES.join(", ")}, and is ${shown(role)}`);
  }
  if (!Number.isSafeInteger(stateVersion) || Number(stateVersion) < 1) {
    throw wrong(`\`stateVersion\` must be a whole number from 1, and is ${shown(stateVersion)}`);
  }
  if (config !== undefined && !isObject(config)) {
    throw wrong(
      "`config` must be a JSON Schema, such as { type: 'object', properties: { ... } }",
    );
  }
  const subscribe = listOf(said.subscribe, "subscribe").map(subscriptionOf);
  const steps = stepsOf(said.steps);
  if (subscribe.length === 0 && Object.keys(steps).length === 0) {
    throw wrong("It subscribes to nothing and brings no step types; add `subscribe` or `steps`");
  }
  return {
    name,
    protocol: PLUGIN_PROTOCOL,
    role: role as PluginRole,
    subscribe,
    actions: listOf(said.actions, "actions").map(actionOf),
    stateVersion: Number(stateVersion),
    steps,
    ...printable(textsOf(said, ["version", "description"], "A plugin's")),
    ...(config === undefined ? {} : { config }),
  };
}

function actionOf(action: Json): string {
  if (typeof action === "string" && ACTIONS.includes(action)) return action;
  throw wrong(`\`actions\` may list ${ACTIONS.join(", ")}, and lists ${shown(action)}`);
}

function subscriptionOf(said: Json): Subscription {
  if (!isObject(said)) {
    throw wrong(
      `A subscription must be an object such as { name: "orders.load" }, not ${shown(said)}`,
    );
  }
  if (Object.hasOwn(said, "cron")) {
    onlyMembers(said, OF_TICKS, "A subscription to ticks");
    return textsOf(said, OF_TICKS, "A subscription's") as unknown as Subscription;
  }
  onlyMembers(said, OF_SPANS, "A subscription to spans");
  const { event, role, attributes } = said;
  if (event !== undefined && event !== "started" && event !== "ended") {
    throw wrong(`A subscription's \`event\` must be started or ended, and is ${shown(event)}`);
  }
  if (role !== undefined && !SPAN_ROLES.some((one) => one === role)) {
    throw wrong(
      `A subscription's \`role\` must be ${SPAN_ROLES.join(", ")}, and is ${shown(role)}`,
    );
  }
  if (attributes !== undefined) {
    if (!isObject(attributes) || !Object.values(attributes).every(isAttributeValue)) {
      throw wrong(
        "A subscription's `attributes` must be texts, numbers, booleans or lists of them by key",
      );
    }
  }
  return {
    ...(event === undefined ? {} : { event }),
    ...(role === undefined ? {} : { role: role as SpanRole }),
    ...(attributes === undefined ? {} : { attributes: attributes as Record<string, string> }),
    ...textsOf(said, ["name", "workflow", "where"], "A subscription's"),
  };
}

function stepsOf(said: Json | undefined): Record<string, JsonObject | null> {
  if (!isObject(said)) throw wrong("`steps` must be an object of step types by their names");
  const steps: Record<string, JsonObject | null> = {};
  for (const [name, schema] of Object.entries(said)) {
    if (!NAME.test(name)) {
      throw wrong(
        `A step type's name must be lower-case letters, digits, \`_\` and \`-\`, and is ${
          shown(name)
        }`,
      );
    }
    if (schema !== null && !isObject(schema)) {
      throw wrong(`\`with\` of the step type ${name} must be a JSON Schema`);
    }
    steps[name] = schema;
  }
  return steps;
}

function listOf(said: Json | undefined, name: string): readonly Json[] {
  if (!Array.isArray(said)) throw wrong(`\`${name}\` must be a list`);
  if (said.length > MOST_SUBSCRIPTIONS) {
    throw wrong(`\`${name}\` may have ${MOST_SUBSCRIPTIONS} entries, and has ${said.length}`);
  }
  return said;
}

function textsOf(said: JsonObject, names: readonly string[], whose: string): JsonObject {
  const texts: Record<string, string> = {};
  for (const name of names) {
    const text = said[name];
    if (text === undefined) continue;
    if (typeof text !== "string") {
      throw wrong(`${whose} \`${name}\` must be text, and is ${shown(text)}`);
    }
    texts[name] = text;
  }
  return texts;
}

// These are shown as they are.
function printable(texts: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, oneLine(String(text)).slice(0, 1_000)]),
  );
}

function onlyMembers(said: JsonObject, known: readonly string[], what: string): void {
  const other = Object.keys(said).find((name) => !known.includes(name));
  if (other !== undefined) {
    throw wrong(`${what} has no \`${other.slice(0, 100)}\`; there are ${known.join(", ")}`);
  }
}

function shown(value: Json | undefined): string {
  const text = value === undefined ? "missing" : JSON.stringify(value);
  return text.length <= 80 ? text : `${text.slice(0, 80)}…`;
}

function wrong(message: string): PluginError {
  return new PluginError("plugin.definition", message);
}
