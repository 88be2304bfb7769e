/** A mistake in an expression. */
export interface Problem {
  /** Where it starts, in UTF-16 units of the given text. */
  from: number;
  /** One past its end; after `from` save at the very end of a text. */
  to: number;
  /** A stable name of the rule, such as `unknown-parameter`. */
  code: string;
  /** What is wrong and what to do. */
  message: string;
  /** The nearest valid name, if one is near. */
  suggestion?: string;
}
