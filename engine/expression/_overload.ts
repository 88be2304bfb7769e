import type { Frame } from "./_frame.ts";
import { type Kind, nameOf, type Value } from "./_values.ts";

/** One way to call a function; a method's first argument is its target. */
export interface Overload {
  /** What it takes. */
  readonly takes: readonly (Kind | "any")[];
  /** What it gives. */
  readonly gives: Kind | "any";
  /** Does it. Throws ExpressionError. */
  run(args: readonly Value[], frame: Frame): Value;
}

/** An overload from its parts. */
export function overload(
  takes: readonly (Kind | "any")[],
  gives: Kind | "any",
  run: Overload["run"],
): Overload {
  return { takes, gives, run };
}

/** A value in a message: quoted, and cut when it is long. */
export function quoted(value: Value): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

/** Whether an overload takes arguments of these kinds, as far as they are known. */
export function accepts(overload: Overload, kinds: readonly (Kind | "any")[]): boolean {
  return overload.takes.length === kinds.length &&
    overload.takes.every((kind, i) => kind === "any" || kinds[i] === "any" || kind === kinds[i]);
}

/** What a function takes, in words: `a number, or a text`. */
export function formsOf(overloads: readonly Overload[], method: boolean): string {
  return [
    ...new Set(
      overloads.map(({ takes: [first, ...rest] }) =>
        method ? listOf(rest, first) : listOf([first, ...rest])
      ),
    ),
  ].join(", or ");
}

/** Kinds in words: `a text and a number of a list`. */
export function listOf(kinds: readonly (Kind | "any")[], target?: Kind | "any"): string {
  const args = kinds.length === 0 ? "nothing" : kinds.map(nameOf).join(" and ");
  return target === undefined ? args : `${args} on ${nameOf(target)}`;
}
