import { CronSchedule } from "../core/cron_schedule.ts";
import { messageOf, SpanloopError } from "../core/errors.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { Subscription, TickSubscription } from "../core/plugin.ts";
import { type AttributeValue, isAttributeValue, type SpanRole } from "../core/span.ts";
import { matcherOf } from "../core/wildcard.ts";
import { workflowOf } from "./plugin_span.ts";
import { compileWhere, type Facts, type Where } from "./where.ts";

/** A subscription that does not hold. Code `plugin.subscription`. */
export class SubscriptionError extends SpanloopError {
  /** Says which subscription it is, from 1, and what is wrong with it. */
  constructor(number: number, problem: string, options: { cause?: unknown } = {}) {
    super("plugin.subscription", `Cannot use the plugin's subscription ${number}: ${problem}`, {
      exitCode: 2,
      ...options,
    });
  }
}

/** A subscription to spans, compiled. */
export interface SpanMatcher {
  /** The moment of a span that it wants. */
  readonly event: "started" | "ended";
  /** Whether it wants spans of that name; the answer is always the same. */
  wantsName(name: string): boolean;
  /** Whether it wants that one, its event and name left out of account. */
  wants(facts: Facts): boolean;
  /** An attribute and the value that it must have, text, number or boolean; absent when it asks for none. */
  readonly attribute?: readonly [key: string, value: Json];
  /** What came of its `where`; absent without one. */
  readonly condition?: Where;
}

const MOST_SUBSCRIPTIONS = 100;
const MOST_ATTRIBUTES = 128;
const LONGEST_TEXT = 256;

/** What a journalled span can stand for. */
export const SPAN_ROLES: readonly SpanRole[] = [
  "run",
  "step",
  "attempt",
  "skip",
  "emit",
  "resume",
];
const SPAN_FIELDS = ["event", "name", "workflow", "role", "attributes", "where"];
const TICK_FIELDS = ["cron", "timezone"];

/**
 * Compiles what a plugin subscribes to; it comes from the plugin and may be anything. What needs no CEL becomes closures
 * over the heard event.
 *
 * Errors: SubscriptionError at the first that does not hold.
 */
export function compileSubscriptions(
  subscriptions: readonly Subscription[],
): { readonly spans: readonly SpanMatcher[]; readonly ticks: readonly TickSubscription[] } {
  if (subscriptions.length > MOST_SUBSCRIPTIONS) {
    throw new SubscriptionError(
      MOST_SUBSCRIPTIONS + 1,
      `at most ${MOST_SUBSCRIPTIONS} are possible; put a \`*\` in a name, or a condition in \`where\``,
    );
  }
  const spans: SpanMatcher[] = [];
  const ticks: TickSubscription[] = [];
  subscriptions.forEach((given: unknown, index) => {
    const fields = new Fields(given, index + 1);
    if (fields.value("cron") !== undefined) ticks.push(tickOf(fields));
    else spans.push(matcherOfSpans(fields));
  });
  return { spans, ticks };
}

// A subscription's fields, checked as they are read.
class Fields {
  readonly #given: JsonObject;
  readonly #number: number;

  constructor(given: unknown, number: number) {
    this.#number = number;
    if (!isObject(given)) this.refuse('it must be an object, such as `{ name: "orders.load" }`');
    this.#given = given;
  }

  value(name: string): Json | undefined {
    return Object.hasOwn(this.#given, name) ? this.#given[name] : undefined;
  }

  text(name: string, longest = LONGEST_TEXT): string | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (typeof value === "string" && value !== "" && value.length <= longest) return value;
    this.refuse(`its \`${name}\` must be a text of 1 to ${longest} characters`);
  }

  oneOf(name: string, choices: readonly string[]): string | undefined {
    const value = this.value(name);
    if (value === undefined || (typeof value === "string" && choices.includes(value))) return value;
    this.refuse(`its \`${name}\` must be one of ${choices.join(", ")}`);
  }

  only(names: readonly string[]): void {
    const other = Object.keys(this.#given).find((name) => !names.includes(name));
    if (other === undefined) return;
    this.refuse(`there is no \`${other.slice(0, 60)}\`; it has ${names.join(", ")}`);
  }

  refuse(problem: string, cause?: unknown): never {
    throw new SubscriptionError(this.#number, problem, { cause });
  }
}

function tickOf(fields: Fields): TickSubscription {
  fields.only(TICK_FIELDS);
  const cron = fields.text("cron") ?? "";
  const timezone = fields.text("timezone");
  const tick = timezone === undefined ? { cron } : { cron, timezone };
  try {
    new CronSchedule(tick, "UTC");
  } catch (error) {
    fields.refuse(messageOf(error), error);
  }
  return tick;
}

type Test = (facts: Facts) => boolean;

function matcherOfSpans(fields: Fields): SpanMatcher {
  fields.only(SPAN_FIELDS);
  const tests: Test[] = [];
  const workflow = fields.text("workflow");
  if (workflow !== undefined) tests.push(workflowTest(workflow));
  const role = fields.oneOf("role", SPAN_ROLES);
  if (role !== undefined) {
    tests.push(({ heard }) => heard.kind === "journal" && heard.start.role === role);
  }
  const attributes = attributesWanted(fields);
  const attribute = attributes.find(([, wanted]) => typeof wanted !== "object");
  for (const [key, wanted] of attributes) {
    tests.push((facts) => isSame(facts.attribute(key), wanted));
  }
  const condition = conditionOf(fields);
  if (condition !== undefined) tests.push((facts) => condition.holds(facts));
  const name = fields.text("name");
  return {
    event: (fields.oneOf("event", ["started", "ended"]) ?? "ended") as SpanMatcher["event"],
    wantsName: name === undefined ? () => true : matcherOf([name]),
    wants(facts) {
      for (const test of tests) if (!test(facts)) return false;
      return true;
    },
    ...(attribute === undefined ? {} : { attribute: attribute as readonly [string, Json] }),
    ...(condition === undefined ? {} : { condition }),
  };
}

function workflowTest(pattern: string): Test {
  const matches = matcherOf([pattern]);
  return ({ heard }) => {
    const workflow = workflowOf(heard);
    return workflow !== undefined && matches(workflow);
  };
}

function attributesWanted(fields: Fields): readonly (readonly [string, AttributeValue])[] {
  const given = fields.value("attributes");
  if (given === undefined) return [];
  if (!isObject(given)) fields.refuse("its `attributes` must be an object of values by key");
  const wanted = Object.entries(given);
  if (wanted.length > MOST_ATTRIBUTES) {
    fields.refuse(`its \`attributes\` are more than ${MOST_ATTRIBUTES}`);
  }
  return wanted.map(([key, value]) => {
    if (value !== undefined && isAttributeValue(value) && isFiniteNumbers(value)) {
      return [key, value];
    }
    fields.refuse(
      `its \`attributes.${
        key.slice(0, 60)
      }\` must be text, a finite number, true or false, or a list of ` +
        "one of these kinds",
    );
  });
}

function isFiniteNumbers(value: AttributeValue): boolean {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.every((one) => typeof one !== "number" || Number.isFinite(one));
}

function isSame(value: Json | undefined, wanted: AttributeValue): boolean {
  if (typeof wanted !== "object") return value === wanted;
  return Array.isArray(value) && value.length === wanted.length &&
    wanted.every((one, index) => one === value[index]);
}

function conditionOf(fields: Fields): Where | undefined {
  const source = fields.value("where");
  if (source === undefined) return undefined;
  if (typeof source !== "string") fields.refuse("its `where` must be a text, a condition in CEL");
  const compiled = compileWhere(source);
  if ("problem" in compiled) fields.refuse(`its \`where\` ${compiled.problem}`);
  return compiled;
}
