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
  readonly #limit: number;
  readonly #redact: Redact;
  readonly #sets = new Map<string, Attributes>();
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
    // A name that holds NUL could at worst be counted as another one.
    const key = `${first}\0${second}\0${third}\0${fourth}`;
    return this.#sets.get(key) ?? this.#add(key, [first, second, third, fourth]);
  }

  #add(key: string, values: readonly string[]): Attributes {
    // Names behind the limit are not kept either: there is no end of them.
    if (this.#sets.size >= this.#limit) return OVERFLOW;
    const set = this.#redact(
      Object.fromEntries(
        this.#keys.map((name, index) => [name, values[index]]).filter(([, value]) => value !== ""),
      ),
    );
    const content = JSON.stringify(set);
    const known = this.#byContent.get(content) ?? Object.freeze(set);
    this.#byContent.set(content, known);
    this.#sets.set(key, known);
    return known;
  }
}
