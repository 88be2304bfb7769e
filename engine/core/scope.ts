import type { Json, JsonObject } from "./json.ts";
import type { Status } from "./span.ts";

/** What an expression sees of a step (V1). */
export interface StepView {
  /** The step's status. */
  readonly status: Status;
  /** Its outputs; null while it has none, and for a skipped step (S2). Per batch, in item order, for for_each (F4). */
  readonly outputs: Json;
  /** Why it failed, or null. */
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** The roots of an expression (V1). Objects are plain data with own properties only. */
export interface Scope {
  /** The run's parameters; a secret is its value here and is masked wherever it comes out. */
  readonly params: JsonObject;
  /** The workflow's and the step's declared `env:`. */
  readonly env: Readonly<Record<string, string>>;
  /** Settled steps by id. */
  readonly steps: Readonly<Record<string, StepView>>;
  /** The run itself. */
  readonly run: {
    readonly id: string;
    readonly name: string;
    readonly status: Status;
    readonly error: { readonly code: string; readonly message: string } | null;
  };
  /** In for_each: the batch's items. */
  readonly items?: readonly Json[];
  /** In for_each with a batch of 1: the item. */
  readonly item?: Json;
  /** In for_each: the batch's number, from 0. */
  readonly index?: number;
  /** In for_each: the first item's index. */
  readonly from?: number;
  /** In for_each: one past the last item's index. */
  readonly to?: number;
  /** In `if`: what `always()`, `failed()` and `cancelled()` answer. */
  readonly outcome?: { readonly failed: boolean; readonly cancelled: boolean };
}

/** A compiled, checked CEL expression. */
export interface Expression {
  /** Its text. */
  readonly source: string;
  /** Whether it calls `always()`, `failed()` or `cancelled()` and so runs regardless of its needs (S2). */
  readonly regardless: boolean;
  /** Evaluates it. Throws ExpressionError with a sentence when a value is missing or of the wrong type. */
  evaluate(scope: Scope): Json;
}

/**
 * A field of the language whose text may hold `${{ }}`, compiled. A value that is one whole expression
 * keeps its type, otherwise it is text (V1); lists and objects are templates all through.
 */
export interface Template {
  /** Whether it holds no expression, so that its value is the same in every scope. */
  readonly constant: boolean;
  /** Evaluates all its expressions. Throws ExpressionError. */
  evaluate(scope: Scope): Json;
}
