import type { Diagnostic } from "./diagnostic.ts";
import type { ImproveOptions, ImproveReport } from "./improve.ts";
import type { LogConsumer, Severity } from "./log.ts";
import type { PlanReport, RunHistory, RunReport } from "./report.ts";
import type { GivenValues, RunOptions } from "./run_options.ts";
import type {
  ReceiveOptions,
  ReceiverAddress,
  ReceiverCounts,
  TailedSpan,
  TailOptions,
} from "./received.ts";
import type { Plugins } from "./plugins.ts";
import type { Pruned, RunQuery, RunSummary } from "./store.ts";
import type { Tuning } from "./tuning.ts";
import type { TuningReport } from "./tuning_report.ts";
import type { Workflow } from "./workflow.ts";

/** The engine: one store, and what can be done with it. What only looks for runs does not make the store. */
export interface Engine {
  /** The store's location, `sqlite:/…` or `memory:`. */
  readonly location: string;
  /** The parameters that change, and what people say of them. */
  readonly tuning: Tuning;
  /** The plugins, and what people see of them. */
  readonly plugins: Plugins;
  /** Checks a file, what it names included. `display` is the path as the person wrote it. */
  validate(
    file: string,
    display?: string,
  ): Promise<{ readonly workflow?: Workflow; readonly diagnostics: readonly Diagnostic[] }>;
  /** What would run, with which values. Throws InvalidError. */
  plan(file: string, given?: GivenValues, display?: string): Promise<PlanReport>;
  /** Runs a workflow to its end. Throws InvalidError for a bad file or value, StoreError for the store. */
  run(
    file: string,
    options?: RunOptions & { readonly given?: GivenValues; readonly display?: string },
  ): Promise<RunReport>;
  /**
   * Runs a workflow many times, one run after the other, for the sake of its tunable parameters: what plugins propose
   * about a run is decided before the next one (A4). Throws InvalidError for a file that has nothing to improve as well.
   */
  improve(file: string, options: ImproveOptions): Promise<ImproveReport>;
  /**
   * All that there is to tell of a workflow file that is tuned, or of each workflow of the store of which something was
   * measured or proposed. Throws InvalidError.
   */
  report(file?: string, display?: string): Promise<readonly TuningReport[]>;
  /** Goes on with an unfinished run (J2); waits for its lease if its holder lives (R7). */
  resume(
    runId: string,
    options?: RunOptions & {
      /** Goes on although modules have changed (R4). */
      readonly acceptChanges?: boolean;
      /** With false a run that another process holds is refused at once (`run.held`); true when absent. */
      readonly wait?: boolean;
    },
  ): Promise<RunReport>;
  /** Starts a run that reuses the outcomes of another one before `from`, or all that did not fail (R5). */
  rerun(
    runId: string,
    options?: RunOptions & { readonly from?: string; readonly failed?: boolean },
  ): Promise<RunReport>;
  /** Asks the process that holds a run to cancel it; false if it has ended or is not there. */
  cancel(runId: string): Promise<boolean>;
  /** Runs, newest first. */
  runs(query?: RunQuery): Promise<readonly RunSummary[]>;
  /**
   * The one run whose id starts or ends with `text`, or that `last` names; throws SpanloopError when there is
   * none or more than one.
   */
  find(text: string): Promise<RunSummary>;
  /** A whole run. */
  history(runId: string): Promise<RunHistory>;
  /** Deletes ended runs created, and spans received, more than `olderThanMs` milliseconds ago; how many. */
  prune(olderThanMs: number): Promise<Pruned>;
  /**
   * Runs every workflow of a folder on its schedules until `signal` aborts, then stops gently (R8); what happens is
   * logged.
   */
  serve(
    folder: string,
    options: RunOptions & {
      readonly signal: AbortSignal;
      /** The folder as the person wrote it. */
      readonly display?: string;
      /** Loads plugins anew when their files change. */
      readonly watch?: boolean;
      /** Takes other programs' telemetry meanwhile. */
      readonly receiver?: ReceiverAddress;
    },
  ): Promise<void>;
  /**
   * Takes other programs' telemetry over OTLP/HTTP until the signal aborts: spans are stored and delivered on the
   * bus, metrics and logs are counted. Throws SpanloopError `server.listen` when it cannot listen.
   */
  receive(options: ReceiveOptions): Promise<ReceiverCounts>;
  /** Spans as they end, of runs and received ones, whichever process stores them. */
  tail(options: TailOptions): AsyncIterable<TailedSpan>;
  /**
   * Hears what the engine says of its doings, and the steps' output, in records that are at least so grave (`debug`
   * when absent); the returned function ends that. What `hear` throws is caught.
   */
  onLog(hear: LogConsumer, least?: Severity): () => void;
  /** Lets plugins hear what is left (R8), gives leases back and closes the store. */
  close(): Promise<void>;
}
