import type { Attributes } from "../../core/span.ts";
import type { Redact } from "../redact.ts";

/** How many attribute sets an instrument has at most, beside the one for all further ones. */
export const MOST_SETS = 1_000;

/**
 * The attributes of all that came after the limit, as the specification has it.
 * https://opentelemetry.io/docs/specs/otel/metrics/sdk/#overflow-attribute
 */
export const OVERFLOW: Attributes = Object.freeze({ "otel.metric.overflow": true });

/**
 * The attribute sets of one instrument: one object a combination of values, always the same one, so that
 * making it costs nothing the second time and exemplars find their point by it.
 *
 * The SDK's own limit counts the sets of one collection only; a cumulative reader would still grow with every
 * new name. This one counts those of the process's life.
 */
export class AttributeSets {
  readonly #keys: readonly string[];
  readonly #redact: Redact;
  readonly #limit: number;
  // By the values, one after another: to put them together as one text would take ten times as long.
  readonly #sets: Level = new Map();
  #size = 0;
  // What is redacted may make sets alike: those are one.
  readonly #byContent = new Map<string, Attributes>();

  /** For these keys, all with text values. */
  constructor(keys: readonly string[], redact: Redact, limit: number = MOST_SETS) {
    this.#keys = keys;
    this.#redact = redact;
    this.#limit = limit;
  }

  /** The set with these values, in the order of the keys; an empty one is left out. */
  get(first: string, second = "", third = "", fourth = ""): Attributes {
    return this.#sets.get(first)?.get(second)?.get(third)?.get(fourth) ??
      this.#add([first, second, third, fourth]);
  }

  #add(values: readonly [string, string, string, string]): Attributes {
    // Names behind the limit are not kept either: there is no end of them.
    if (this.#size >= this.#limit) return OVERFLOW;
    this.#size++;
    const set = this.#redact(
      Object.fromEntries(
        this.#keys.map((name, index) => [name, values[index]]).filter(([, value]) => value !== ""),
      ),
    );
    const content = JSON.stringify(set);
    const known = this.#byContent.get(content) ?? Object.freeze(set);
    this.#byContent.set(content, known);
    const [first, second, third, fourth] = values;
    below(below(below(this.#sets, first), second), third).set(fourth, known);
    return known;
  }
}

type Level = Map<string, Map<string, Map<string, Map<string, Attributes>>>>;

function below<K, V>(level: Map<K, Map<string, V>>, key: K): Map<string, V> {
  let next = level.get(key);
  if (next === undefined) level.set(key, next = new Map());
  return next;
}
