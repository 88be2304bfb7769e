import type { Json } from "../core/json.ts";
import type { Verdict } from "../core/proposal.ts";
import { show } from "./values.ts";

/** One parameter's part in a change. */
export interface Change {
  /** The parameter. */
  readonly name: string;
  /** The incumbent's value; null where there was none. */
  readonly from: Json;
  /** The candidate's. */
  readonly to: Json;
}

/** The workflow's objective, as its file says it. */
export interface ObjectiveText {
  /** Which way is better. */
  readonly direction: "minimize" | "maximize";
  /** Its step. */
  readonly of: string;
  /** The expression's text. */
  readonly expression: string;
}

/** What better and worse are called for objectives that have words of their own. */
const WORDS: Readonly<Record<string, readonly [better: string, worse: string]>> = {
  "minimize duration/items": ["faster per item", "slower per item"],
  "maximize items/duration": ["faster per item", "slower per item"],
  "minimize duration": ["faster", "slower"],
  "minimize queue_time": ["shorter in the queue", "longer in the queue"],
  "minimize failed": ["fewer failed items", "more failed items"],
  "minimize attempts": ["fewer attempts", "more attempts"],
};

/**
 * A verdict for people: what was changed, how much better it is, what the guards say, what was done. A candidate that is
 * worse is so many times slower, with its interval turned the same way.
 */
export function verdictSentence(
  changes: readonly Change[],
  verdict: Verdict,
  objective: ObjectiveText,
): string {
  const what = changes.map(({ name, from, to }) =>
    `${name} ${from === null ? "nothing" : show(from)} \u2192 ${to === null ? "nothing" : show(to)}`
  ).join(", ");
  const told = [
    effectText(verdict, objective),
    ...verdict.guards.flatMap((guard) => guardText(guard, objective.of)),
    endText(verdict),
  ];
  return `${what}: ${told.join(", ")}`;
}

function endText({ ended, action, effect, guards }: Verdict): string {
  switch (ended) {
    case "interval":
      return action === "kept" ? "kept" : "rolled back";
    case "guard":
      return guards.some(({ breached }) => breached)
        ? "rolled back"
        : "not clear of its guards, rolled back";
    case "harm":
      return "too much worse to go on, rolled back";
    case "futile":
      return "no gain worth having in sight, rolled back";
    case "budget":
      // With a clear interval it was the guards that were not.
      return effect !== undefined && effect.low > 1
        ? "not clear of its guards after all its work, rolled back"
        : "undecided after all its work, rolled back";
    case "withdrawn":
      return "the values were changed meanwhile, rolled back";
  }
}

function effectText({ effect, confidence, pairs }: Verdict, objective: ObjectiveText): string {
  if (effect === undefined) return "nothing compared";
  const { direction, expression } = objective;
  const [better, worse] = WORDS[`${direction} ${expression.replaceAll(/\s/g, "")}`] ??
    [`better by ${expression}`, `worse by ${expression}`];
  const isBetter = effect.ratio >= 1;
  const { ratio, low, high } = isBetter
    ? effect
    : { ratio: 1 / effect.ratio, low: 1 / effect.high, high: 1 / effect.low };
  const digits = digitsOf(low, high);
  const level = Number((confidence * 100).toPrecision(4));
  const count = `${pairs} ${pairs === 1 ? "pair" : "pairs"}`;
  // The first pairs have an interval without ends.
  const span = high / low < 1e5
    ? `${level} % ${low.toFixed(digits)} to ${high.toFixed(digits)}, ${count}`
    : `${count}, too few for an interval`;
  return `${ratio.toFixed(digits)}x ${isBetter ? better : worse} (${span})`;
}

// As many decimals as the interval bears, and enough that an end that is not 1 does not look so.
function digitsOf(low: number, high: number): number {
  let digits = Math.max(low < 10 ? 1 : 0, Math.ceil(0.3 - Math.log10(high - low)));
  const hides = (end: number) => end !== 1 && Number(end.toFixed(digits)) === 1;
  while (digits < 3 && (hides(low) || hides(high))) digits += 1;
  return Math.min(digits, 3);
}

function guardText(
  { metric, of, value, breached }: Verdict["guards"][number],
  step: string,
): string[] {
  if (value === undefined) return [];
  const name = `${metric === "error_rate" ? "errors" : metric}${of === step ? "" : ` of ${of}`}`;
  return [`${name} ${valueText(metric, value)}${breached ? ", which breaks the guard" : ""}`];
}

/** A guard's metric for people. */
export function valueText(metric: string, value: number): string {
  const rounded = (number: number) => String(Number(number.toPrecision(2)));
  if (metric === "error_rate") return `${rounded(value * 100)} %`;
  return metric === "duration" || metric === "queue_time" ? `${rounded(value)} s` : rounded(value);
}
