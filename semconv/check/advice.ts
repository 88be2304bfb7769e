/** How much it matters, in Weaver's words: a violation fails the check. */
export type AdviceLevel = "violation" | "improvement" | "information";

/** What the live check has to say of a piece of telemetry. */
export interface Advice {
  /** How much it matters. */
  readonly level: AdviceLevel;
  /** Which kind of advice: Weaver's id where it has one. */
  readonly id: string;
  /** Of what. */
  readonly signal: "resource" | "span" | "span_event" | "span_link" | "metric" | "log" | "request";
  /** The span's, metric's or event's name; empty for what has none. */
  readonly name: string;
  /** The attribute's key, if it is about one. */
  readonly key?: string;
  /** What is wrong and what to do, in a sentence. */
  readonly message: string;
  /** Where it stands: the file, and the line from 1. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** The same advice about many pieces of telemetry. */
export interface Advices extends Advice {
  /** How often it was given. */
  readonly count: number;
}

const LEVELS: readonly AdviceLevel[] = ["violation", "improvement", "information"];

/** Puts the same advice together at its first place: what is kept grows with what differs, not with the telemetry. */
export class AdviceSummary {
  readonly #all = new Map<string, { readonly first: Advice; count: number }>();

  /** Takes advice. */
  add(advice: Iterable<Advice>): void {
    for (const one of advice) {
      const { level, id, signal, name, key, message } = one;
      const same = JSON.stringify([level, id, signal, name, key, message]);
      const known = this.#all.get(same);
      if (known === undefined) this.#all.set(same, { first: one, count: 1 });
      else known.count++;
    }
  }

  /** All of it, by level and then as it came. */
  list(): readonly Advices[] {
    return [...this.#all.values()].map(({ first, count }) => ({ ...first, count }))
      .sort((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level));
  }
}
