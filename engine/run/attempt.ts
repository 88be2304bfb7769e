import { type Clock, later } from "../core/clock.ts";
import { LeaseLostError, messageOf, SpanloopError, StepError, StoreError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { derivedSpanId } from "../core/ids.ts";
import type { Masker } from "../core/mask.ts";
import type { Attributes, Failure, ItemCount, SpanReference } from "../core/span.ts";
import type {
  AttemptContext,
  Batch,
  StepResult,
  StepServices,
  StepSpan,
  StepType,
} from "../core/step.ts";
import { Cancellation, Stop } from "./cancellation.ts";
import type { AttemptSpan, Settled } from "./journal.ts";

// A step type that ignores its signal is left behind after this long, so that the run can end.
const GRACE_MS = 10_000;

/** What an attempt needs beside its span. */
export interface AttemptInput {
  /** The run. */
  readonly runId: string;
  /** The step. */
  readonly stepId: string;
  /** As in the journal; names the log's lines. */
  readonly key: string;
  /** Which try, from 1. */
  readonly attempt: number;
  /** The workflow's folder. */
  readonly folder: string;
  /** The workflow's file. */
  readonly file: string;
  /** The trace flags that came with the run. */
  readonly traceFlags: number | undefined;
  /** The trace's state. */
  readonly traceState: string | undefined;
  /** The run's baggage. */
  readonly baggage: string | undefined;
  /** What the run's spans say of it. */
  readonly context: Readonly<Record<string, string>> | undefined;
  /** Resolved inputs. */
  readonly with: JsonObject;
  /** The run's parameters. */
  readonly params: JsonObject;
  /** In for_each. */
  readonly batch: Batch | undefined;
  /** In for_each: how many items the batch has, for one that could not be loaded as well. */
  readonly size: number | undefined;
  /** Absolute. */
  readonly cwd: string;
  /** Declared environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Milliseconds, or undefined for no limit. */
  readonly timeoutMs: number | undefined;
}

/** What an attempt uses of the run. */
export interface AttemptPorts {
  /** Time. */
  readonly clock: Clock;
  /** Secrets. */
  readonly masker: Masker;
  /** Stops it. */
  readonly cancellation: Cancellation;
  /** A folder for output files; made on first use. */
  readonly tempFolder: () => string;
  /** Removes an attempt's output file, if it is there. */
  readonly removeFile: (path: string) => void;
  /** Hears output lines, masked, with the attempt's span. */
  readonly onLine: (
    stepId: string,
    key: string,
    stream: "stdout" | "stderr",
    text: string,
    span: SpanReference,
  ) => void;
  /** Runs a sub-workflow for the attempt. */
  readonly runWorkflow: (
    request: { readonly file: string; readonly params: JsonObject },
    attempt:
      & AttemptSpan
      & Pick<AttemptInput, "runId" | "key" | "traceFlags" | "traceState" | "baggage" | "context">,
    cancellation: Cancellation,
  ) => Promise<JsonObject>;
  /** Waits until an absolute time. */
  readonly sleep: (until: bigint, signal: AbortSignal) => Promise<void>;
}

/**
 * Runs one attempt of `type` to its end and gives every failure as an outcome. Rejects only with what stops
 * the run as a whole: see `stopsRun`.
 */
export function runAttempt(
  type: StepType,
  input: AttemptInput,
  span: AttemptSpan,
  ports: AttemptPorts,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const context = new Attempt(input, span, ports);
    let stopped: Stop | undefined;
    let cancelGrace: (() => void) | undefined;
    const tidy = () => {
      leave();
      cancelTimeout?.();
      cancelGrace?.();
      context.cleanUp();
    };
    const settle = (settled: Ended) => {
      tidy();
      resolve(settled);
    };
    const stop = (reason: Stop) => {
      stopped ??= reason;
      context.abort(reason);
      cancelGrace?.();
      cancelGrace = ports.clock.after(reason.force ? 1_000 : GRACE_MS, () => {
        // A sub-workflow has heard of the stop and ends by its own rules, its finally steps included.
        if (context.calling) return;
        settle(failed(stoppedFailure(reason, input), input, reason));
      });
    };
    const cancelTimeout = input.timeoutMs === undefined
      ? undefined
      : later(ports.clock, Math.max(0, input.timeoutMs - span.elapsedMs), () =>
        stop(new Stop("timeout")));
    const leave = ports.cancellation.listen(stop);
    type.run(context).then(
      (result) => settle(succeeded(result, input, ports.masker)),
      (thrown) => {
        if (stopsRun(thrown)) {
          tidy();
          return reject(thrown);
        }
        settle({
          ...(stopped === undefined
            ? failed(failureOf(thrown, ports.masker), input, undefined, tailOf(thrown))
            : failed(stoppedFailure(stopped, input), input, stopped, tailOf(thrown))),
          ...attributesOf(thrown, ports.masker),
        });
      },
    );
  });
}

/** How an attempt ended, and what its end adds to the journal beside the outcome. */
type Ended = Settled & {
  readonly spans?: readonly StepSpan[];
  readonly attributes?: Attributes;
};

/**
 * Whether a sub-workflow met what is no outcome of the attempt that called it, so that both can be taken up
 * again: its lease or the store was lost, or it cannot be resumed as things are.
 */
function stopsRun(thrown: unknown): boolean {
  return thrown instanceof LeaseLostError || thrown instanceof StoreError ||
    (thrown instanceof SpanloopError && thrown.code.startsWith("resume."));
}

/** An attempt that failed before its step type was asked, such as by an expression. */
export function failedEarly(
  thrown: unknown,
  input: { readonly size?: number },
  masker: Masker,
): Settled {
  return failed(failureOf(thrown, masker), input);
}

function succeeded(
  result: StepResult,
  input: AttemptInput,
  masker: Masker,
): Ended {
  const { size } = input;
  return {
    outcome: "succeeded",
    outputs: masker.value(result.outputs),
    items: size === undefined ? result.items : result.items ?? { processed: size, failed: 0 },
    tail: result.tail === undefined ? undefined : masker.text(result.tail),
    attributes: result.attributes === undefined ? undefined : masker.value(result.attributes),
    spans: result.spans === undefined ? undefined : masker.value(result.spans),
  };
}

function failed(
  failure: Failure,
  input: { readonly size?: number },
  stop?: Stop,
  tail?: string,
): Settled {
  const outcome = stop === undefined
    ? "failed"
    : stop.why === "timeout"
    ? "timed_out"
    : "cancelled";
  // Items of a cancelled batch are neither processed nor failed: nobody knows.
  const items: ItemCount | undefined = input.size === undefined || outcome === "cancelled"
    ? undefined
    : { processed: 0, failed: input.size };
  return {
    outcome,
    failure,
    ...(items === undefined ? {} : { items }),
    ...(tail === undefined ? {} : { tail }),
  };
}

function failureOf(thrown: unknown, masker: Masker): Failure {
  return {
    code: thrown instanceof SpanloopError ? thrown.code : "step.error",
    message: masker.text(messageOf(thrown)),
    errorClass: thrown instanceof StepError ? thrown.errorClass : "error",
  };
}

function stoppedFailure(stop: Stop, input: AttemptInput): Failure {
  if (stop.why === "timeout") {
    return {
      code: "timeout",
      message: `${input.key} did not end within ${input.timeoutMs} ms`,
      errorClass: "timeout",
    };
  }
  return { code: stop.why, message: stop.message, errorClass: "error" };
}

function tailOf(thrown: unknown): string | undefined {
  return thrown instanceof StepError ? thrown.tail : undefined;
}

function attributesOf(thrown: unknown, masker: Masker): { readonly attributes?: Attributes } {
  if (!(thrown instanceof StepError) || thrown.attributes === undefined) return {};
  return { attributes: masker.value(thrown.attributes) };
}

// A class with getters: a no-op script costs neither an AbortController nor a closure it does not use.
class Attempt implements AttemptContext, StepServices {
  readonly #input: AttemptInput;
  readonly #attempt: AttemptSpan;
  readonly #ports: AttemptPorts;
  #controller: AbortController | undefined;
  #stop: Stop | undefined;
  #calls = 0;
  #called: Cancellation | undefined;
  #outputFile: string | undefined;

  constructor(input: AttemptInput, attempt: AttemptSpan, ports: AttemptPorts) {
    this.#input = input;
    this.#attempt = attempt;
    this.#ports = ports;
  }

  get runId(): string {
    return this.#input.runId;
  }
  get stepId(): string {
    return this.#input.stepId;
  }
  get folder(): string {
    return this.#input.folder;
  }
  get file(): string {
    return this.#input.file;
  }
  get span(): SpanReference {
    return this.#attempt.span;
  }
  get traceFlags(): number | undefined {
    return this.#input.traceFlags;
  }
  get traceState(): string | undefined {
    return this.#input.traceState;
  }
  get baggage(): string | undefined {
    return this.#input.baggage;
  }
  get attempt(): number {
    return this.#input.attempt;
  }
  get resumed(): boolean {
    return this.#attempt.resumed;
  }
  get idempotencyKey(): string {
    return `${this.#input.runId}/${this.#input.key}`;
  }
  get startTime(): bigint {
    return this.#attempt.startTime;
  }
  get with(): JsonObject {
    return this.#input.with;
  }
  get params(): JsonObject {
    return this.#input.params;
  }
  get batch(): Batch | undefined {
    return this.#input.batch;
  }
  get cwd(): string {
    return this.#input.cwd;
  }
  get env(): Readonly<Record<string, string>> {
    return this.#input.env;
  }
  get services(): StepServices {
    return this;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#stop !== undefined) this.#controller.abort(this.#stop);
    }
    return this.#controller.signal;
  }

  get outputFile(): string {
    return this.#outputFile ??= `${this.#ports.tempFolder()}/${this.#attempt.span.spanId}`;
  }

  line(stream: "stdout" | "stderr", text: string): void {
    const { stepId, key } = this.#input;
    this.#ports.onLine(stepId, key, stream, this.mask(text), this.#attempt.span);
  }

  mask(text: string): string {
    return this.#ports.masker.text(text);
  }

  spanId(index: number): string {
    return derivedSpanId(this.#attempt.span.spanId, index);
  }

  waitUntil(plan: (now: bigint) => bigint): Promise<void> {
    // The start is journalled, so the deadline is the same after a crash.
    return this.#ports.sleep(plan(this.#attempt.startTime), this.signal);
  }

  /** Whether a sub-workflow is under way. */
  get calling(): boolean {
    return this.#calls > 0;
  }

  async runWorkflow(
    request: { readonly file: string; readonly params: JsonObject },
  ): Promise<JsonObject> {
    // The child's journal keeps its parameters as they are, so that a resume finds them again (J6).
    for (const [name, value] of Object.entries(request.params)) {
      const text = JSON.stringify(value);
      if (this.mask(text) === text) continue;
      throw new StepError(
        "workflow.secret",
        `The parameter ${name} holds a secret, which would be journalled; declare it in ` +
          `${request.file} as \`type: secret\` with its own source`,
      );
    }
    // Of this attempt, not of its list of steps: its own timeout ends the sub-workflow as well (S6).
    const cancellation = this.#called ??= new Cancellation();
    if (this.#stop !== undefined) cancellation.cancel(copyOf(this.#stop));
    this.#calls++;
    try {
      return await this.#ports.runWorkflow(
        request,
        {
          ...this.#attempt,
          key: this.#input.key,
          runId: this.#input.runId,
          traceFlags: this.#input.traceFlags,
          traceState: this.#input.traceState,
          baggage: this.#input.baggage,
          context: this.#input.context,
        },
        cancellation,
      );
    } finally {
      this.#calls--;
    }
  }

  abort(stop: Stop): void {
    this.#stop = stop;
    this.#called?.cancel(copyOf(stop));
    this.#controller?.abort(stop);
  }

  cleanUp(): void {
    if (this.#outputFile !== undefined) this.#ports.removeFile(this.#outputFile);
  }
}

// A Cancellation makes the stop it has harder, and would not notice that its own was made so elsewhere.
function copyOf(stop: Stop): Stop {
  return new Stop(stop.why, stop.force);
}
