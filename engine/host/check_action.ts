import type { Action, CommandAction, EmitAction, ProposeAction } from "../core/action.ts";
import { messageOf } from "../core/errors.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Refusal } from "../core/plugin_report.ts";
import {
  type Attributes,
  type AttributeValue,
  isAttributeValue,
  type SpanReference,
} from "../core/span.ts";

/** What is wrong with what should have been an action. */
export interface Malformed {
  /** It has not the form of one, or is too large. */
  readonly why: Refusal & ("invalid" | "size");
  /** A sentence that names the field. */
  readonly message: string;
}

const LONGEST_NAME = 256;
const LONGEST_REASON = 2_000;
const MOST_ATTRIBUTES = 128;
const MOST_REFERENCES = 128;
const MOST_CHANGES = 100;
const LARGEST_TEXT = 8 * 1024;
// What attributes, changes or params may hold in all, bytes of JSON.
const LARGEST_VALUES = 64 * 1024;
const DEEPEST_VALUE = 32;

/**
 * Checks what a plugin gave back as an action: it may be anything, in process too. The action is a copy of plain own
 * properties, each read once: what the plugin does with its own afterwards, or in a getter, changes nothing. A property
 * that is undefined counts as absent, as in JSON.
 */
export function checkAction(value: unknown): Action | Malformed {
  try {
    return actionOf(value);
  } catch (thrown) {
    return malformed(thrown);
  }
}

// Unwinds the check; never leaves this module.
class Wrong extends Error {
  constructor(message: string, readonly why: Malformed["why"] = "invalid") {
    super(message);
  }
}

function malformed(thrown: unknown): Malformed {
  let message = "it throws";
  try {
    if (thrown instanceof Wrong) return { why: thrown.why, message: thrown.message };
    message = messageOf(thrown).slice(0, 200);
  } catch {
    // What a plugin's getter or proxy throws may itself throw when it is looked at.
  }
  return { why: "invalid", message: `the action cannot be read: ${message}` };
}

function actionOf(value: unknown): Action {
  const fields = ownOf(value, "the action");
  switch (fields.get("type")) {
    case "emit":
      return emitOf(fields);
    case "propose":
      return proposeOf(fields);
    case "command":
      return commandOf(fields);
    default:
      throw new Wrong("`type` must be emit, propose or command");
  }
}

function emitOf(fields: Own): EmitAction {
  only(fields, "an emit", ["type", "name", "attributes", "links"]);
  const attributes = fields.get("attributes");
  const links = fields.get("links");
  return {
    type: "emit",
    name: nameOf(fields.get("name"), "name"),
    ...(attributes !== undefined && { attributes: attributesOf(attributes) }),
    ...(links !== undefined && { links: referencesOf(links, "links") }),
  };
}

const PROPOSE = [
  "type",
  "workflow",
  "changes",
  "reason",
  "evidence",
  "version",
  "exposure",
  "immediate",
] as const;

function proposeOf(fields: Own): ProposeAction {
  only(fields, "a propose", PROPOSE);
  const workflow = fields.get("workflow");
  const evidence = fields.get("evidence");
  const version = fields.get("version");
  if (version !== undefined && !(Number.isSafeInteger(version) && version as number >= 0)) {
    throw new Wrong(`\`version\` must be a whole number from 0, not ${shown(version)}`);
  }
  const exposure = fields.get("exposure");
  if (exposure !== undefined && !(isNumber(exposure) && exposure > 0 && exposure <= 1)) {
    throw new Wrong(`\`exposure\` must be above 0 and at most 1, not ${shown(exposure)}`);
  }
  const immediate = fields.get("immediate");
  if (immediate !== undefined && typeof immediate !== "boolean") {
    throw new Wrong(`\`immediate\` must be true or false, not ${shown(immediate)}`);
  }
  return {
    type: "propose",
    ...(workflow !== undefined && { workflow: nameOf(workflow, "workflow") }),
    changes: changesOf(fields.get("changes")),
    reason: reasonOf(fields.get("reason")),
    ...(evidence !== undefined && { evidence: referencesOf(evidence, "evidence") }),
    ...(version !== undefined && { version: version as number }),
    ...(exposure !== undefined && { exposure }),
    ...(immediate !== undefined && { immediate }),
  };
}

function commandOf(fields: Own): CommandAction {
  only(fields, "a command", ["type", "name", "params", "reason"]);
  const params = fields.get("params");
  const reason = fields.get("reason");
  return {
    type: "command",
    name: nameOf(fields.get("name"), "name"),
    ...(params !== undefined && {
      params: objectOf(ownOf(params, "`params`"), "params", 1, new Budget("params")),
    }),
    ...(reason !== undefined && { reason: reasonOf(reason) }),
  };
}

function attributesOf(value: unknown): Attributes {
  const given = ownOf(value, "`attributes`");
  if (given.size > MOST_ATTRIBUTES) {
    throw new Wrong(`\`attributes\` has more than ${MOST_ATTRIBUTES} of them`, "size");
  }
  const budget = new Budget("attributes");
  return fromEntries([...given].map(([key, one]) => {
    const at = `attributes.${cut(key)}`;
    nameOf(key, at);
    budget.charge(bytesOf(key) + 3);
    return [key, attributeOf(one, at, budget)];
  }));
}

function attributeOf(value: unknown, at: string, budget: Budget): AttributeValue {
  if (!Array.isArray(value)) return scalarOf(value, at, budget);
  const list = elementsOf(value, at).map((one, i) => scalarOf(one, `${at}[${i}]`, budget));
  if (isAttributeValue(list)) return list;
  throw new Wrong(`\`${at}\` must hold values of one kind, all text, all numbers, or all booleans`);
}

function scalarOf(value: unknown, at: string, budget: Budget): string | number | boolean {
  if (typeof value === "boolean" || typeof value === "string" || isNumber(value)) {
    return jsonOf(value, at, 0, budget) as string | number | boolean;
  }
  throw new Wrong(
    `\`${at}\` must be text, a finite number, true or false, or a list of one of these kinds, ` +
      `not ${shown(value)}`,
  );
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function changesOf(value: unknown): ProposeAction["changes"] {
  const given = ownOf(value, "`changes`");
  if (given.size === 0) throw new Wrong("`changes` must name at least one parameter");
  if (given.size > MOST_CHANGES) {
    throw new Wrong(`\`changes\` names more than ${MOST_CHANGES} parameters`, "size");
  }
  for (const [name, wanted] of given) {
    const at = `changes.${cut(name)}`;
    nameOf(name, at);
    if (wanted === null) throw new Wrong(`\`${at}\` must be a value, not null`);
  }
  return objectOf(given, "changes", 1, new Budget("changes"));
}

function referencesOf(value: unknown, at: string): readonly SpanReference[] {
  if (!Array.isArray(value)) throw new Wrong(`\`${at}\` must be a list of spans`);
  return elementsOf(value, at, MOST_REFERENCES).map((one, index) => {
    // Whole spans will do: their other properties are left out.
    const given = ownOf(one, `\`${at}[${index}]\``);
    return {
      traceId: idOf(given.get("traceId"), 32, `${at}[${index}].traceId`),
      spanId: idOf(given.get("spanId"), 16, `${at}[${index}].spanId`),
    };
  });
}

function idOf(value: unknown, digits: number, at: string): string {
  if (
    typeof value === "string" && value.length === digits && /^[0-9a-f]+$/.test(value) &&
    !/^0+$/.test(value)
  ) return value;
  throw new Wrong(
    `\`${at}\` must be ${digits} lower-case hex digits, not all zero, not ${shown(value)}`,
  );
}

function nameOf(value: unknown, at: string): string {
  if (typeof value !== "string" || value === "") {
    throw new Wrong(`\`${at}\` must be a text, not ${shown(value)}`);
  }
  if (value.length > LONGEST_NAME) {
    throw new Wrong(`\`${at}\` is longer than ${LONGEST_NAME} characters`, "size");
  }
  // deno-lint-ignore no-control-regex -- that is what it looks for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(value) || !value.isWellFormed()) {
    throw new Wrong(`\`${at}\` must not hold control characters or half characters`);
  }
  return value;
}

function reasonOf(value: unknown): string {
  if (typeof value !== "string" || value.trim() === "") {
    throw new Wrong(`\`reason\` must be a sentence, not ${shown(value)}`);
  }
  if (value.length > LONGEST_REASON) {
    throw new Wrong(`\`reason\` is longer than ${LONGEST_REASON} characters`, "size");
  }
  return value.toWellFormed();
}

type Own = ReadonlyMap<string, unknown>;

// A plain object's own properties, each read once.
function ownOf(value: unknown, what: string): Own {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Wrong(`${what} must be an object, not ${shown(value)}`);
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) {
    throw new Wrong(`${what} must be a plain object of JSON, not an instance of a class`);
  }
  const keys = Object.keys(value);
  if (keys.length > LARGEST_VALUES) throw new Wrong(`${what} has too many properties`, "size");
  const own = new Map<string, unknown>();
  for (const key of keys) {
    const one: unknown = (value as Record<string, unknown>)[key];
    if (one !== undefined) own.set(key, one);
  }
  return own;
}

function only(fields: Own, what: string, names: readonly string[]): void {
  const other = [...fields.keys()].find((name) => !names.includes(name));
  if (other === undefined) return;
  throw new Wrong(`${what} has no \`${cut(other)}\`; it has ${names.join(", ")}`);
}

// How much more there may be, in bytes of JSON without its escapes, so that copying ends before memory does.
class Budget {
  #left = LARGEST_VALUES;

  constructor(readonly what: string) {}

  charge(bytes: number): void {
    if ((this.#left -= bytes) >= 0) return;
    throw new Wrong(`\`${this.what}\` is larger than ${LARGEST_VALUES / 1024} KiB`, "size");
  }
}

function jsonOf(value: unknown, at: string, depth: number, budget: Budget): Json {
  switch (typeof value) {
    case "string":
      return textOf(value, at, budget);
    case "boolean":
      budget.charge(6);
      return value;
    case "number":
      if (!isNumber(value)) break;
      budget.charge(String(value).length + 1);
      // Minus zero is zero in JSON.
      return value + 0;
    case "object":
      budget.charge(3);
      if (value === null) return null;
      if (depth >= DEEPEST_VALUE) {
        throw new Wrong(`\`${at}\` is nested deeper than ${DEEPEST_VALUE} levels`, "size");
      }
      if (!Array.isArray(value)) {
        return objectOf(ownOf(value, `\`${at}\``), at, depth + 1, budget);
      }
      return elementsOf(value, at).map((one, index) =>
        jsonOf(one, `${at}[${index}]`, depth + 1, budget)
      );
  }
  throw new Wrong(`\`${at}\` must be a value of JSON, not ${shown(value)}`);
}

// A list's elements, each read once.
function elementsOf(
  value: readonly unknown[],
  at: string,
  most = LARGEST_VALUES,
): readonly unknown[] {
  const { length } = value;
  if (!(length <= most)) throw new Wrong(`\`${at}\` has more than ${most} elements`, "size");
  return Array.from({ length }, (_, index) => value[index]);
}

function objectOf(own: Own, at: string, depth: number, budget: Budget): JsonObject {
  return fromEntries([...own].map(([key, one]) => {
    budget.charge(bytesOf(key) + 3);
    return [key.toWellFormed(), jsonOf(one, `${at}.${cut(key)}`, depth, budget)];
  }));
}

function textOf(value: string, at: string, budget: Budget): string {
  const bytes = bytesOf(value);
  if (bytes > LARGEST_TEXT) {
    throw new Wrong(`\`${at}\` is longer than ${LARGEST_TEXT / 1024} KiB`, "size");
  }
  budget.charge(bytes + 3);
  return value.toWellFormed();
}

const encoder = new TextEncoder();

// Bytes in UTF-8; a text that is too long for anything here is not encoded first.
function bytesOf(text: string): number {
  return text.length > LARGEST_VALUES ? text.length : encoder.encode(text).length;
}

// Defines own properties, so that `__proto__` is a key like any other.
function fromEntries<Value>(
  entries: readonly (readonly [string, Value])[],
): Readonly<Record<string, Value>> {
  return Object.fromEntries(entries);
}

function cut(text: string): string {
  const beginning = text.length <= 60 ? text : `${text.slice(0, 57)}...`;
  return beginning.replaceAll(/[^\x20-\x7e]/g, "?");
}

function shown(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value === "" ? "an empty text" : `\`${cut(value)}\``;
    case "number":
    case "boolean":
      return String(value);
    case "undefined":
      return "nothing";
    case "object":
      return value === null ? "null" : Array.isArray(value) ? "a list" : "an object";
    default:
      return `a ${typeof value}`;
  }
}
