/** What a tuner refuses, with a stable code: `tuner.tunable`, `tuner.values`, `tuner.told`, `tuner.state`. */
export class TunerError extends Error {
  /** A stable, machine-readable name. */
  readonly code: string;

  /** Makes an error with a code and a sentence that says what to do. */
  constructor(code: string, message: string) {
    super(message);
    this.name = "TunerError";
    this.code = code;
  }
}
