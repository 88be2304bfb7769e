import { messageOf } from "../core/errors.ts";
import { re2js } from "./_library.ts";
import { MAX_PATTERN } from "./_limits.ts";
import { ExpressionError } from "./error.ts";

/** A compiled RE2 pattern. */
export interface Pattern {
  /** How many instructions it compiled to: the most that one character of a text may cost. */
  readonly size: number;
  /** Whether it matches anywhere in `text`. Linear in its length. */
  find(text: string): boolean;
  /** Whether it matches the whole of `text`. Linear in its length. */
  whole(text: string): boolean;
}

const CACHED = 64;
const cache = new Map<string, Pattern>();

/** Compiles an RE2 pattern. Throws ExpressionError that says what is wrong with it. */
export function compilePattern(pattern: string): Pattern {
  const known = cache.get(pattern);
  if (known !== undefined) return known;
  if (pattern.length > MAX_PATTERN) {
    throw new ExpressionError(
      `A regular expression may have at most ${MAX_PATTERN} characters; this one has ${pattern.length}`,
      { code: "expression.limit" },
    );
  }
  const { RE2JS } = re2js();
  let compiled: InstanceType<typeof RE2JS>;
  try {
    compiled = RE2JS.compile(pattern);
  } catch (thrown) {
    throw new ExpressionError(
      `Not a regular expression of RE2: ${messageOf(thrown)}`,
      { cause: thrown },
    );
  }
  const made: Pattern = {
    size: compiled.programSize(),
    find: (text) => compiled.matcher(text).find(),
    whole: (text) => compiled.matcher(text).matches(),
  };
  // A Map keeps the order of insertion: the oldest goes.
  if (cache.size >= CACHED) { for (const [oldest] of cache) if (cache.delete(oldest)) break; }
  cache.set(pattern, made);
  return made;
}

/** Whether an RE2 pattern matches the whole of `text`. Throws ExpressionError when the pattern is none. */
export function matchesPattern(pattern: string, text: string): boolean {
  return compilePattern(pattern).whole(text);
}

/** What is wrong with a pattern, as a sentence; undefined when it is an RE2 pattern. */
export function patternProblem(pattern: string): string | undefined {
  try {
    compilePattern(pattern);
    return undefined;
  } catch (thrown) {
    return messageOf(thrown);
  }
}
