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

/** Puts the same advice together at its first place, by level and then by place. */
export function summarize(advice: Iterable<Advice>): readonly Advices[] {
  const all = new Map<string, { first: Advice; count: number }>();
  for (const one of advice) {
    const same = JSON.stringify([one.level, one.id, one.signal, one.name, one.key, one.message]);
    const known = all.get(same);
    if (known === undefined) all.set(same, { first: one, count: 1 });
    else known.count++;
  }
  return [...all.values()].map(({ first, count }) => ({ ...first, count }))
    .sort((a, b) => LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level));
}
