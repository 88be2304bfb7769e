import type { Scope } from "../core/scope.ts";
import { ExpressionError } from "./error.ts";
import { FUEL, MAX_RESULT, MAX_TEXT } from "./_limits.ts";
import { Duration, Timestamp, type Value } from "./_values.ts";

/** One evaluation: the scope, the macros' variables, and the work it may still do (V6). */
export class Frame {
  /** The variable of each enclosing macro, by its depth. */
  readonly locals: Value[] = [];
  #fuel = FUEL;

  /** Starts an evaluation. */
  constructor(readonly scope: Scope) {}

  /** Pays for work; throws once too much was done. */
  charge(work: number): void {
    if ((this.#fuel -= work) < 0) {
      throw limit("The expression does too much work; do it in a script step, or on fewer items");
    }
  }

  /** Refuses a text of `length`, before it is made, and pays for it. */
  text(length: number): void {
    if (length > MAX_TEXT) throw limit("The expression makes a text of more than 1 MiB");
    this.charge(length >> 4);
  }
}

/**
 * The size of a made value, in values and characters; shared parts count each time, as they do in JSON.
 * Throws when it is too large.
 */
export function measure(value: Value, most = MAX_RESULT): number {
  let size = 0;
  const visit = (part: Value): void => {
    size += typeof part === "string" ? part.length + 1 : 1;
    if (size > most) throw limit(`The expression makes a value of more than ${most >> 20} MiB`);
    if (typeof part !== "object" || part === null) return;
    if (Array.isArray(part)) { for (const item of part) visit(item); }
    else if (!(part instanceof Timestamp || part instanceof Duration)) {
      for (const key of Object.keys(part)) {
        size += key.length;
        visit((part as { readonly [key: string]: Value })[key]);
      }
    }
  };
  visit(value);
  return size;
}

function limit(message: string): ExpressionError {
  return new ExpressionError(message, { code: "expression.limit" });
}
