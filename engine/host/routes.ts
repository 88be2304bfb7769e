import type { Heard } from "./heard.ts";
import { nameOf } from "./plugin_span.ts";
import { type Sees, type Sight, sightOf } from "./sees.ts";
import type { SpanMatcher } from "./subscription.ts";
import { Facts } from "./where.ts";

// Programs that send spans choose their names, and may never use one twice.
const MOST_NAMES = 10_000;
const LONGEST_NAME = 256;
const NOBODY: readonly never[] = Object.freeze([]);

interface Candidate<T> {
  readonly target: T;
  readonly sight: Sight;
  readonly matchers: readonly SpanMatcher[];
}

/**
 * Who hears which events. The answer for a span's name is remembered, so that a span that nobody wants costs one
 * look-up, however many there are.
 *
 * Invariants: H2 (nobody hears what a plugin of its own name emitted; nor what it was not granted to see).
 */
export class Routes<T> {
  readonly #all = new Map<T, Candidate<T>>();
  readonly #byName = {
    started: new Map<string, readonly Candidate<T>[]>(),
    ended: new Map<string, readonly Candidate<T>[]>(),
  };

  /** Lets `target` hear what one of `matchers` wants and `sees` allows; after all that were added before. */
  add(target: T, matchers: readonly SpanMatcher[], sees: Sees): void {
    this.remove(target);
    this.#all.set(target, { target, sight: sightOf(sees), matchers });
  }

  /** Lets it hear nothing more. */
  remove(target: T): void {
    this.#all.delete(target);
    this.#byName.started.clear();
    this.#byName.ended.clear();
  }

  /** Who hears of an event: each once, in the order in which they were added. */
  match(heard: Heard): readonly T[] {
    const name = nameOf(heard);
    const candidates = this.#byName[heard.event].get(name) ?? this.#find(heard.event, name);
    if (candidates.length === 0) return NOBODY;
    const facts = new Facts(heard);
    const matched: T[] = [];
    for (const { target, sight, matchers } of candidates) {
      if (sight.span(heard) && isWanted(matchers, facts)) matched.push(target);
    }
    return matched;
  }

  // Whom name and moment of a span do not rule out.
  #find(event: Heard["event"], name: string): readonly Candidate<T>[] {
    const found: Candidate<T>[] = [];
    for (const { target, sight, matchers } of this.#all.values()) {
      if (!sight.name(name)) continue;
      const fitting = matchers.filter((one) => one.event === event && one.wantsName(name));
      if (fitting.length > 0) found.push({ target, sight, matchers: fitting });
    }
    const known = this.#byName[event];
    if (known.size >= MOST_NAMES) known.clear();
    if (name.length <= LONGEST_NAME) known.set(name, found);
    return found;
  }
}

function isWanted(matchers: readonly SpanMatcher[], facts: Facts): boolean {
  for (const matcher of matchers) if (matcher.wants(facts)) return true;
  return false;
}
