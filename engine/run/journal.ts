import type { Json, JsonObject } from "../core/json.ts";
import type {
  Attributes,
  EndEntry,
  Failure,
  ItemCount,
  ItemRange,
  Outcome,
  SpanKind,
  SpanLink,
  SpanReference,
  StartEntry,
} from "../core/span.ts";
import type { Interruption, StepSpan } from "../core/step.ts";
import type { Step } from "../core/workflow.ts";
import type { StepFold } from "./fold.ts";

/** What an attempt's span says when it starts. */
export interface Description {
  /** The span's name. */
  readonly name: string;
  /** Its kind; internal when absent. */
  readonly kind?: SpanKind;
  /** Its attributes. */
  readonly attributes: Attributes;
  /** Resolved inputs, masked. */
  readonly inputs?: Json;
}

/** How an attempt ended; what the journal gives back for it, live and replayed alike. */
export interface Settled {
  /** How it ended. */
  readonly outcome: Exclude<Outcome, "interrupted">;
  /** Its outputs, masked. */
  readonly outputs?: Json;
  /** Why it did not succeed. */
  readonly failure?: Failure;
  /** A batch's items. */
  readonly items?: ItemCount;
  /** The last lines of output, masked. */
  readonly tail?: string;
  /** When the next try is due, nanoseconds since the epoch; absent when this was the last. */
  readonly retryAt?: bigint;
}

/** An attempt as its body gets it. */
export interface AttemptSpan {
  /** Its span. */
  readonly span: SpanReference;
  /** When it started, nanoseconds since the epoch; of the first process when it goes on after a crash. */
  readonly startTime: bigint;
  /** Whether a process died during this attempt or the one it replaces. */
  readonly resumed: boolean;
  /** How long it was under way in processes before this one, milliseconds; downtime left out (R2). */
  readonly elapsedMs: number;
}

/** What to run under a key. */
export interface AttemptRequest {
  /** The step's id, or `load[0,20)` for a batch. */
  readonly key: string;
  /** The step. */
  readonly stepId: string;
  /** Which try, from 1. */
  readonly attempt: number;
  /** A batch's range. */
  readonly range?: ItemRange;
  /** The enclosing span; the run's when absent. */
  readonly parent?: string;
  /** The span of the try before. */
  readonly after?: SpanReference;
  /** What happens when the process dies during it (R5). */
  readonly interruption: Interruption;
  /** Called once, when the attempt really starts. */
  describe(): Description;
  /** Ends what an interrupted attempt left running (R6). */
  cleanUp(span: SpanReference): Promise<void>;
  /** Does the work. Must not throw but for a lost lease or store. */
  body(
    attempt: AttemptSpan,
  ): Promise<Settled & { spans?: readonly StepSpan[]; attributes?: Attributes }>;
}

/** The span around a for_each step's batches. */
export interface Entered {
  /** Its id. */
  readonly spanId: string;
  /** What the journal keeps of its source (F3). */
  readonly inputs: Json;
  /** Whether it was open, or closed, when this process came. */
  readonly resumed: boolean;
  /** How it ended, if it has. */
  readonly settled?: Settled;
}

/** What the journal holds of a run so far: recorded outcomes, and what a process that died left open. */
export interface Known {
  /** Steps by id. */
  readonly steps: ReadonlyMap<string, StepFold>;
  /** The recorded end of try `attempt` at `key`, with its start; undefined if it has none (J2). */
  recorded(key: string, attempt: number): { start: StartEntry; end: EndEntry } | undefined;
  /** The start of a try at `key` whose end is missing. */
  interrupted(key: string): StartEntry | undefined;
  /** The batches of a step that were handed out, by their first item (F2). */
  ranges(stepId: string): readonly StartEntry[];
}

/**
 * What the run code knows of durability: run an attempt under a key and get its recorded outcome, wait until
 * a time, await a signal. It is deterministic for given outcomes, so that another durable engine can stand
 * behind it.
 */
export interface Journal {
  /** What is recorded already. */
  readonly known: Known;
  /**
   * Gives the recorded outcome of this try, or runs it. Resolves when the outcome is in the journal's order:
   * whatever starts later is committed after it, so nothing that depends on it can run before it is
   * durable (J1).
   */
  attempt(request: AttemptRequest): Promise<Settled & { readonly span: SpanReference }>;
  /** Opens the span around a for_each step's batches, or goes on in the one it had; its recorded inputs. */
  enter(
    stepId: string,
    describe: () => Description,
  ): Promise<Entered>;
  /** Closes that span. */
  leave(spanId: string, settled: Settled): void;
  /**
   * Records a step that does not run, as a span of no length (S4), or the outcome it takes over (R5); `attributes`
   * are added to the span.
   */
  skip(
    step: Pick<Step, "id" | "uses">,
    reason: string,
    reused?: Settled & { readonly link?: SpanLink },
    attributes?: Attributes,
  ): void;
  /** Waits until an absolute time; downtime counts (R2). Rejects with the signal's reason. */
  sleep(until: bigint, signal: AbortSignal): Promise<void>;
  /** Resolves when the signal of that name has come. */
  signal(name: string): Promise<JsonObject>;
  /** Nothing more is recorded: another process holds the run now (R7), or `why` this one cannot go on with it. */
  lose(why?: Error): void;
}
