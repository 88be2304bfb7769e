import type { StepList } from "../core/report.ts";
import type { Scope, StepView } from "../core/scope.ts";
import type { EndEntry, Failure, Status } from "../core/span.ts";
import type { PlanNode } from "../plan/plan.ts";
import { failedEarly } from "./attempt.ts";
import { type Cancellation, Stop } from "./cancellation.ts";
import { outputsOf } from "./fold.ts";
import type { runForEach } from "./for_each.ts";
import type { Settled } from "./journal.ts";
import { type Ruling, stepScope } from "./ruling.ts";
import type { RunContext } from "./run_context.ts";
import { runUnit } from "./unit.ts";

/** What became of a list of steps. */
export interface ListResult {
  /** Whether one of them failed or timed out, without continue_on_error. */
  readonly failed: boolean;
  /** The first such failure, with its step. */
  readonly failure?: Failure & { readonly stepId: string };
}

/** How one list of steps is run. */
export interface ListRequest {
  /** Which list. */
  readonly list: StepList;
  /** Its graph. */
  readonly nodes: readonly PlanNode[];
  /** Stops it. */
  readonly cancellation: Cancellation;
  /** Stops the steps that run although it was stopped (S2): the one of `finally`. */
  readonly regardless: Cancellation;
  /** Outcomes taken over from another run, by step (R5). */
  readonly reuse?: ReadonlyMap<string, Parameters<RunContext["journal"]["skip"]>[2]>;
  /** What `failed()` and `cancelled()` say of what came before this list. */
  readonly before: { readonly failed: boolean; readonly cancelled: boolean };
}

/**
 * Runs a graph of steps: each as soon as all it needs have settled (S2). Deterministic for given outcomes;
 * it knows the journal only through `runUnit`, `runForEach` and `skip`.
 */
export function runList(run: RunContext, request: ListRequest): Promise<ListResult> {
  return new Promise((resolve, reject) => {
    const { nodes, cancellation, before } = request;
    const waiting = nodes.map((node) => node.needs.length);
    const good = nodes.map(() => true);
    const tainted = nodes.map(() => before.failed);
    let left = nodes.length;
    let active = 0;
    let failure: ListResult["failure"];
    let failedAt = 0n;
    let fatal: { readonly thrown: unknown } | undefined;
    // A queue, not recursion: a long chain of skipped steps must not overflow the stack.
    const ready = nodes.flatMap((node, index) => node.needs.length === 0 ? [index] : []);
    let head = 0;
    let draining = false;

    const finish = () => {
      if (fatal !== undefined) {
        if (active === 0) reject(fatal.thrown);
      } else if (left === 0) {
        resolve({ failed: failure !== undefined, ...(failure === undefined ? {} : { failure }) });
      }
    };

    const settle = (index: number, settled: Settled, passes: boolean) => {
      const { step, dependents } = nodes[index];
      const broken = settled.outcome === "failed" || settled.outcome === "timed_out" ||
        settled.outcome === "cancelled";
      if (broken && settled.outcome !== "cancelled" && !step.continueOnError) {
        // The first by the journal's times: replayed steps settle in another order than they did.
        const at = run.journal.known.steps.get(step.id)?.endTime ?? 0n;
        if (failure === undefined || at < failedAt) {
          failure = { ...failureOf(settled), stepId: step.id };
          failedAt = at;
        }
      }
      run.scope.steps[step.id] = viewOf(run, step.id, settled);
      const taint = broken || tainted[index];
      const ok = passes && (!broken || (step.continueOnError && settled.outcome !== "cancelled"));
      left--;
      for (const next of dependents) {
        if (!ok) good[next] = false;
        if (taint) tainted[next] = true;
        if (--waiting[next] === 0) ready.push(next);
      }
      drain();
    };

    const drain = () => {
      if (draining) return;
      draining = true;
      while (head < ready.length) begin(ready[head++]);
      draining = false;
      finish();
    };

    // A step without outcome says by which values its `if` was judged, unless by those of the run's start (P3).
    const judgedBy = (ruling: Ruling | undefined) =>
      ruling === run.values.pinned ? undefined : ruling?.parameters;

    const skip = (index: number, reason: string, passes: boolean, ruling?: Ruling) => {
      run.journal.skip(nodes[index].step, reason, undefined, judgedBy(ruling));
      settle(index, { outcome: "skipped" }, passes);
    };

    const begin = (index: number) => {
      if (fatal !== undefined) return;
      const { step } = nodes[index];
      const reused = request.reuse?.get(step.id);
      if (reused !== undefined) {
        run.journal.skip(step, "reuse", reused);
        return settle(index, reused, true);
      }
      const regardless = step.if?.regardless ?? false;
      const stopped = cancellation.stop !== undefined;
      // What is recorded is replayed, whatever its condition and the cancellation would say now (J2).
      const recorded = run.journal.known.recorded(step.id, 1);
      if (recorded?.start.role === "skip") {
        const { end } = recorded;
        return settle(index, end as Settled & EndEntry, end.reason === "if");
      }
      if (recorded !== undefined || run.journal.known.interrupted(step.id) !== undefined) {
        return launch(index);
      }
      // What judged its `if` also rules what it then does (A2).
      let ruling: Ruling | undefined;
      if (!regardless && stopped) return skip(index, "cancelled", false);
      if (!regardless && !good[index]) return skip(index, "upstream", false);
      if (step.if !== undefined) {
        ruling = run.values.now();
        const scope: Scope = {
          ...stepScope(ruling, step),
          outcome: { failed: tainted[index], cancelled: before.cancelled || stopped },
        };
        let holds: unknown;
        try {
          holds = step.if.evaluate(scope);
        } catch (thrown) {
          return settleEarly(index, ruling, thrown);
        }
        if (holds !== true) return skip(index, "if", true, ruling);
      }
      launch(index, ruling);
    };

    const launch = (index: number, ruling?: Ruling) => {
      active++;
      execute(index, ruling).then(
        (settled) => {
          active--;
          if (fatal === undefined) settle(index, settled, true);
          else finish();
        },
        (thrown) => {
          active--;
          fatal ??= { thrown };
          // What is ended for that has no outcome: whoever takes the run up again tries it again.
          run.journal.lose();
          // Nothing can be recorded any more: what is under way is ended at once.
          cancellation.cancel(new Stop("lost", true));
          request.regardless.cancel(new Stop("lost", true));
          finish();
        },
      );
    };

    const execute = (index: number, ruling: Ruling | undefined): Promise<Settled> => {
      const { step } = nodes[index];
      const late = cancellation.stop !== undefined && step.if?.regardless;
      const by = late ? request.regardless : cancellation;
      return step.forEach === undefined
        ? runUnit(run, { key: step.id, step, ruling }, by)
        : forEach(run, step, step.forEach, by, ruling);
    };

    const settleEarly = (index: number, ruling: Ruling, thrown: unknown) => {
      const { step } = nodes[index];
      const settled = failedEarly(thrown, {}, run.binding.masker);
      run.journal.skip(step, "if", settled, judgedBy(ruling));
      settle(index, settled, true);
    };

    drain();
  });
}

// Loaded for the first step that has one.
async function forEach(...step: Parameters<typeof runForEach>): Promise<Settled> {
  const { runForEach } = await import("./for_each.ts");
  return await runForEach(...step);
}

function failureOf(settled: Settled): Failure {
  return settled.failure ??
    { code: settled.outcome, message: settled.outcome, errorClass: "error" };
}

function viewOf(run: RunContext, stepId: string, settled: Settled): StepView {
  const folded = run.journal.known.steps.get(stepId);
  const outputs = settled.outcome === "skipped"
    ? null
    : folded?.batches === undefined
    ? settled.outputs ?? null
    : outputsOf(folded);
  return {
    status: settled.outcome as Status,
    outputs,
    error: settled.failure === undefined || settled.outcome === "succeeded"
      ? null
      : { code: settled.failure.code, message: settled.failure.message },
  };
}
