import type { Diagnostic } from "./diagnostic.ts";

/**
 * An error that a person can act on: `code` is stable, the message says what happened and what to do.
 * `exitCode` is what the command line ends with: 1 failed, 2 invalid or misused.
 */
export class SpanloopError extends Error {
  /** A stable, machine-readable name such as `store.full`. */
  readonly code: string;
  /** 1 when something failed, 2 when the input or the usage is at fault. */
  readonly exitCode: 1 | 2;

  /** Makes an error with a stable code and a sentence that says what to do. */
  constructor(
    code: string,
    message: string,
    options: { cause?: unknown; exitCode?: 1 | 2 } = {},
  ) {
    super(
      message,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = new.target.name;
    this.code = code;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** Input that does not hold: the whole list of mistakes, each with its place. */
export class InvalidError extends SpanloopError {
  /** Every mistake that was found, in the order of the file. */
  readonly diagnostics: readonly Diagnostic[];

  /** Makes one error of all the mistakes found in one go. */
  constructor(message: string, diagnostics: readonly Diagnostic[] = []) {
    super("invalid", message, { exitCode: 2 });
    this.diagnostics = diagnostics;
  }
}

/** A store that cannot be opened, read or written. Nothing was half written. */
export class StoreError extends SpanloopError {}

/** This process no longer holds the run: another one has taken it over (R7). */
export class LeaseLostError extends SpanloopError {
  /** The run that was lost. */
  readonly runId: string;

  /** Says which run was lost. */
  constructor(runId: string) {
    super(
      "lease.lost",
      `Run ${runId} was taken over by another process; this one stops and writes nothing more`,
    );
    this.runId = runId;
  }
}

/** How a failed attempt is classed for `retry.on` (F1). */
export type ErrorClass = "transient" | "timeout" | "error";

/** A step's attempt that failed, with the class that `retry.on` judges. */
export class StepError extends SpanloopError {
  /** `transient`, `timeout` or `error` (F1). */
  readonly errorClass: ErrorClass;
  /** The last lines of output, masked, for the report. */
  readonly tail: string | undefined;
  /** What the attempt's span says at its end, by keys from semconv/attributes.ts; masked by the engine. */
  readonly attributes: Readonly<Record<string, string | number | boolean>> | undefined;

  /** Makes a failure of class `errorClass`. */
  constructor(
    code: string,
    message: string,
    options: {
      errorClass?: ErrorClass;
      tail?: string;
      attributes?: Readonly<Record<string, string | number | boolean>>;
      cause?: unknown;
    } = {},
  ) {
    super(code, message, { cause: options.cause });
    this.errorClass = options.errorClass ?? "error";
    this.tail = options.tail;
    this.attributes = options.attributes;
  }
}

/** Thrown by a script to say that trying again may help (F1, class `transient`). */
export class TransientError extends StepError {
  /** Makes a failure that `retry: { on: [transient] }` tries again. */
  constructor(message: string, options: { cause?: unknown } = {}) {
    super("script.transient", message, {
      errorClass: "transient",
      cause: options.cause,
    });
  }
}

/** A sentence for any thrown value, without a stack. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message || thrown.name;
  return typeof thrown === "string" ? thrown : String(thrown);
}
