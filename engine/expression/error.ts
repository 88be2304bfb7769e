import { SpanloopError } from "../core/errors.ts";

/**
 * An expression that could not be evaluated: a value is missing, of the wrong type or too large. The code
 * is `expression.value`, or `expression.limit` when a bound of V6 was met.
 */
export class ExpressionError extends SpanloopError {
  /** Makes an error from a sentence that says what to do. */
  constructor(
    message: string,
    options: { code?: "expression.value" | "expression.limit"; cause?: unknown } = {},
  ) {
    super(options.code ?? "expression.value", message, { cause: options.cause });
  }
}
