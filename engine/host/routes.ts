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
  // Counts those that were added before it.
  readonly order: number;
  readonly sight: Sight;
  readonly matchers: SpanMatcher[];
}

// Whom name and moment of a span do not rule out: those to ask for each such span, and those to ask when an attribute
// has a value, by attribute and value.
interface Candidates<T> {
  readonly always: Candidate<T>[];
  readonly byAttribute: Map<string, Map<unknown, Candidate<T>[]>>;
}

/**
 * Who hears which events. The answer for a span's name is remembered, so that a span that nobody wants costs one
 * look-up, however many there are; whoever wants one value of an attribute costs nothing while it has another one.
 *
 * Invariants: H2 (nobody hears what a plugin of its own name emitted; nor what it was not granted to see).
 */
export class Routes<T> {
  readonly #all = new Map<T, Candidate<T>>();
  readonly #byName = {
    started: new Map<string, Candidates<T>>(),
    ended: new Map<string, Candidates<T>>(),
  };
  #added = 0;

  /** Lets `target` hear what one of `matchers` wants and `sees` allows; after all that were added before. */
  add(target: T, matchers: readonly SpanMatcher[], sees: Sees): void {
    this.remove(target);
    this.#all.set(target, {
      target,
      order: this.#added++,
      sight: sightOf(sees),
      matchers: [...matchers],
    });
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
    const { always, byAttribute } = this.#byName[heard.event].get(name) ??
      this.#find(heard.event, name);
    if (always.length === 0 && byAttribute.size === 0) return NOBODY;
    const facts = new Facts(heard);
    const matched: Candidate<T>[] = [];
    ask(always, facts, matched);
    for (const [key, byValue] of byAttribute) {
      const candidates = byValue.get(facts.attribute(key));
      if (candidates !== undefined) ask(candidates, facts, matched);
    }
    if (matched.length > 1 && byAttribute.size > 0) {
      matched.sort((one, other) => one.order - other.order);
    }
    const targets: T[] = [];
    for (const { target } of matched) if (target !== targets.at(-1)) targets.push(target);
    return targets;
  }

  #find(event: Heard["event"], name: string): Candidates<T> {
    const found: Candidates<T> = { always: [], byAttribute: new Map() };
    for (const { target, order, sight, matchers } of this.#all.values()) {
      if (!sight.name(name)) continue;
      const add = (candidates: Candidate<T>[], matcher: SpanMatcher) => {
        const last = candidates.at(-1);
        if (last?.target === target) last.matchers.push(matcher);
        else candidates.push({ target, order, sight, matchers: [matcher] });
      };
      for (const matcher of matchers) {
        if (matcher.event !== event || !matcher.wantsName(name)) continue;
        if (matcher.attribute === undefined) {
          add(found.always, matcher);
          continue;
        }
        const [key, value] = matcher.attribute;
        const byValue = of(found.byAttribute, key, () => new Map());
        add(of(byValue, value, () => []), matcher);
      }
    }
    const known = this.#byName[event];
    if (known.size >= MOST_NAMES) known.clear();
    if (name.length <= LONGEST_NAME) known.set(name, found);
    return found;
  }
}

function of<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, value = make());
  return value;
}

function ask<T>(candidates: readonly Candidate<T>[], facts: Facts, matched: Candidate<T>[]): void {
  for (const candidate of candidates) {
    if (candidate.sight.span(facts.heard) && isWanted(candidate.matchers, facts)) {
      matched.push(candidate);
    }
  }
}

function isWanted(matchers: readonly SpanMatcher[], facts: Facts): boolean {
  for (const matcher of matchers) if (matcher.wants(facts)) return true;
  return false;
}
