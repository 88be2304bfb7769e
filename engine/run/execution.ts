import { type Clock, later } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { StepList } from "../core/report.ts";
import type { Failure, Status } from "../core/span.ts";
import type { RunState } from "../telemetry/activity.ts";
import { Cancellation, Stop, type StopReason } from "./cancellation.ts";
import type { RunContext } from "./run_context.ts";
import { type ListRequest, type ListResult, runList } from "./scheduler.ts";
import { durationOf } from "./template_values.ts";

/** How a run ended. */
export interface RunEnd {
  /** Its status. */
  readonly status: Extract<Status, "succeeded" | "failed" | "cancelled" | "timed_out">;
  /** Why it did not succeed. */
  readonly failure?: Failure;
  /** The workflow's outputs, masked. */
  readonly outputs: JsonObject;
}

/**
 * One run from its first step to its last: steps, then on_failure if it failed or timed out, then finally
 * always (S3).
 */
export class Execution {
  readonly #run: RunContext;
  readonly #clock: Clock;
  readonly #main = new Cancellation();
  readonly #after = new Cancellation();
  #stopped: StopReason | undefined;
  #state: RunState = "pending";

  /** Executes `run`. */
  constructor(run: RunContext, clock: Clock) {
    this.#run = run;
    this.#clock = clock;
  }

  /** Where the run is in its life: `pending` until it is executed, `finalizing` once its steps are over. */
  get state(): RunState {
    return this.#state;
  }

  /** Whether it was told to stop. */
  get stopped(): boolean {
    return this.#stopped !== undefined;
  }

  /** Cancels gently: attempts end, finally runs; with `force` at once, finally included. */
  cancel(why: StopReason, force: boolean): void {
    this.#stopped ??= why;
    this.#main.cancel(new Stop(this.#stopped, force));
    if (force) this.#after.cancel(new Stop(this.#stopped, true));
  }

  /**
   * Runs all lists; `elapsedMs` is the time that the run was under way in processes before this one. Throws
   * only for a lost lease, a lost store or a source that changed.
   */
  async execute(options: {
    readonly elapsedMs: number;
    readonly reuse?: ListRequest["reuse"];
  }): Promise<RunEnd> {
    const run = this.#run;
    const { workflow, lists } = run.plan;
    this.#state = "executing";
    let early: Failure | undefined;
    let cancelTimeout: (() => void) | undefined;
    const before = this.#recorded();
    if (before.stop !== undefined) this.cancel(before.stop, false);
    try {
      if (workflow.timeout !== undefined) {
        const ms = durationOf(workflow.timeout, run.scope, "timeout") - options.elapsedMs;
        const stop = () => this.cancel("timed_out", false);
        if (!before.over) cancelTimeout = ms <= 0 ? void stop() : later(this.#clock, ms, stop);
      }
    } catch (thrown) {
      early = this.#failure("value", thrown);
    }
    try {
      const main: ListResult = early === undefined
        ? await this.#list("steps", this.#main, { failed: false, cancelled: false }, options.reuse)
        : { failed: true, failure: { ...early, stepId: "" } };
      cancelTimeout?.();
      this.#state = "finalizing";
      let failure: Failure | undefined = main.failure;
      let status = this.#status(main.failed, before.over ? before.stop : this.#stopped);
      if (status === "timed_out") failure = this.#timedOut();
      this.#show(status, failure);
      const outcome = {
        failed: main.failed || status === "timed_out",
        cancelled: status === "cancelled",
      };
      for (const list of ["on_failure", "finally"] as const) {
        if (list === "on_failure" && !outcome.failed) continue;
        if (list === "on_failure" && status === "cancelled") continue;
        if (lists[list].length === 0) continue;
        const result = await this.#list(list, this.#after, outcome, options.reuse);
        if (result.failed && status === "succeeded") status = "failed";
        failure ??= result.failure;
      }
      this.#show(status, failure);
      const outputs = this.#outputs(status);
      if ("failure" in outputs) return { status: "failed", failure: outputs.failure, outputs: {} };
      if (status === "cancelled") failure = undefined;
      return { status, outputs: outputs.value, ...(failure === undefined ? {} : { failure }) };
    } finally {
      cancelTimeout?.();
    }
  }

  #list(
    list: StepList,
    cancellation: Cancellation,
    before: ListRequest["before"],
    reuse: ListRequest["reuse"],
  ): Promise<ListResult> {
    return runList(this.#run, {
      list,
      nodes: this.#run.plan.lists[list],
      cancellation,
      regardless: this.#after,
      before,
      reuse,
    });
  }

  #status(failed: boolean, stop: StopReason | undefined): RunEnd["status"] {
    if (stop === "cancelled" || stop === "timed_out") return stop;
    return failed ? "failed" : "succeeded";
  }

  /**
   * What the journal of the processes before says of `steps`: whether all had settled, so that neither a
   * timeout nor a cancel that came later concerns them, and what had cut them short.
   */
  #recorded(): { readonly over: boolean; readonly stop?: StopReason } {
    const { journal: { known }, plan } = this.#run;
    if (known.steps.size === 0) return { over: false };
    let over = true;
    let stop: StopReason | undefined;
    for (const { step } of plan.lists.steps) {
      const folded = known.steps.get(step.id);
      if (folded === undefined || folded.status === "running") over = false;
      else if (folded.status === "cancelled") {
        stop = folded.failure?.code === "timed_out" ? "timed_out" : "cancelled";
      } else if (folded.reason === "cancelled") {
        // A cancel is in the store and was delivered before this; a timeout leaves nothing else behind.
        stop ??= this.#stopped ?? "timed_out";
      }
    }
    return { over, ...(stop === undefined ? {} : { stop }) };
  }

  #timedOut(): Failure {
    return {
      code: "timeout",
      message: `${this.#run.plan.workflow.name} did not end within its timeout`,
      errorClass: "timeout",
    };
  }

  // What `run.status` and `run.error` say to on_failure, finally and outputs.
  #show(status: Status, failure: Failure | undefined): void {
    Object.assign(this.#run.scope.run, {
      status,
      error: failure === undefined ? null : { code: failure.code, message: failure.message },
    });
  }

  #outputs(status: Status): { value: JsonObject } | { failure: Failure } {
    const { outputs } = this.#run.plan.workflow;
    try {
      const value = Object.fromEntries(
        Object.entries(outputs).map(([name, template]) => [
          name,
          template.evaluate(this.#run.scope),
        ]),
      );
      return { value: this.#run.binding.masker.value(value) };
    } catch (thrown) {
      // Outputs of a run that did not get there are not there: that is no second failure.
      if (status !== "succeeded") return { value: {} };
      return { failure: this.#failure("outputs", thrown) };
    }
  }

  #failure(code: string, thrown: unknown): Failure {
    const message = this.#run.binding.masker.text(messageOf(thrown));
    return { code, message, errorClass: "error" };
  }
}
