import type { Clock, Random } from "../core/clock.ts";
import { SpanloopError } from "../core/errors.ts";
import type { RemoteContext } from "../core/propagation.ts";
import type { Ids } from "../core/ids.ts";
import type { LiveValues } from "../core/live_values.ts";
import type { Logger } from "../core/log.ts";
import type { RunEvent, RunReport } from "../core/report.ts";
import type { StepTypes } from "../core/step.ts";
import type { Holder, RunHeader, Store } from "../core/store.ts";
import type { Binding } from "../plan/bind.ts";
import { describePlan } from "../plan/describe.ts";
import type { Plan } from "../plan/plan.ts";
import type { Activity } from "../telemetry/activity.ts";
import type { Bus } from "../telemetry/bus.ts";
import type { Recorder } from "../telemetry/recorder.ts";
import { logOutput } from "../telemetry/run_log.ts";
import type { AttemptPorts } from "./attempt.ts";
import { Execution } from "./execution.ts";
import { RunFold } from "./fold.ts";
import { SpanJournal } from "./span_journal.ts";
import { type Keeper, LEASE_NS } from "./keeper.ts";
import { leaveQueue } from "./group_queue.ts";
import { Limiter } from "./limiter.ts";
import { reportRun } from "./report.ts";
import { RunValues } from "./ruling.ts";
import type { RunContext } from "./run_context.ts";
import type { ListRequest } from "./scheduler.ts";
import { toText } from "./template_values.ts";

/** What the runner uses of the engine. */
export interface RunnerPorts {
  /** The store. */
  readonly store: Store;
  /** The journal's writer. */
  readonly recorder: Recorder;
  /** Where committed records are heard. */
  readonly bus: Bus;
  /** Where the steps' output and what runs wait for is told. */
  readonly log: Logger;
  /** Leases and signals. */
  readonly keeper: Keeper;
  /** The tuned values as they are now. */
  readonly live: LiveValues;
  /** Identifiers. */
  readonly ids: Ids;
  /** Time. */
  readonly clock: Clock;
  /** For jitter. */
  readonly random: Random;
  /** Step types by name. */
  readonly types: StepTypes;
  /** This process. */
  readonly holder: Holder;
  /** Whether a holder's process is gone. */
  readonly isDead: (holder: Holder) => boolean;
  /** Makes a run's folder for output files, readable by this user only. */
  readonly makeTempFolder: (runId: string) => string;
  /** Removes a file or folder, if it is there. */
  readonly remove: (path: string) => void;
}

/** What a run is started with. */
export interface StartRequest {
  /** Its plan. */
  readonly plan: Plan;
  /** Its values. */
  readonly binding: Binding;
  /** The version of the snapshot that these are of (P3). */
  readonly snapshot?: number;
  /** SHA-256 of the workflow's text. */
  readonly definition: string;
  /** SHA-256 of its modules by path. */
  readonly modules: Readonly<Record<string, string>>;
  /** The caller's trace, the run's baggage, and what its spans say of that. */
  readonly trace: RemoteContext & Pick<RunHeader, "context" | "reactionDepth">;
  /** Chosen by the caller for a sub-workflow. */
  readonly runId?: string;
  /** Its part in the experiment that is open; of an arm, `binding` has the values. */
  readonly trial?: RunHeader["trial"];
  /** The calling attempt. */
  readonly parent?: RunHeader["parent"];
  /** What it reuses. */
  readonly rerun?: RunHeader["rerun"];
  /** The outcomes that it reuses, by step. */
  readonly reuse?: ListRequest["reuse"];
  /** Its trigger's event. */
  readonly trigger?: string;
  /** The span that started it. */
  readonly triggeredBy?: RunHeader["triggeredBy"];
  /** Whether a person ordered it for the sake of tuning (A4). */
  readonly ordered?: RunHeader["ordered"];
  /** Hears what goes on. */
  readonly onEvent?: (event: RunEvent) => void;
  /** Runs sub-workflows. */
  readonly runWorkflow: AttemptPorts["runWorkflow"];
}

/** What a run is taken up again with. */
export interface ResumeRequest
  extends Pick<StartRequest, "plan" | "binding" | "reuse" | "onEvent" | "runWorkflow"> {
  /** What it was created with. */
  readonly header: RunHeader;
  /** Its journal, read with `recover`. */
  readonly fold: RunFold;
  /** The fence of the lease that this process has acquired. */
  readonly fence: number;
  /** When the process before was last heard of, nanoseconds since the epoch. */
  readonly lastHeard: bigint;
  /** Whether it was still in its group's queue. */
  readonly queued: boolean;
  /** What a person should know before it begins, a sentence each. */
  readonly warnings?: readonly string[];
}

/** A run under way. */
export interface RunHandle {
  /** Its id. */
  readonly runId: string;
  /**
   * What became of it; rejects with LeaseLostError, StoreError, or SpanloopError `run.duplicate` when its
   * trigger's event has a run already (R9).
   */
  readonly report: Promise<RunReport>;
  /** Resolves once the run is in the store. */
  readonly created: Promise<void>;
  /** Cancels it; with `force` at once. */
  cancel(force: boolean): void;
  /** Ends what it has under way and writes nothing more, so that it can be taken up again. */
  abandon(): void;
}

interface Active {
  readonly workflow: string;
  readonly limiter: Limiter;
  readonly journal: SpanJournal;
  readonly execution: Execution;
  duplicate: boolean;
}

/**
 * Runs workflows of one store, many at a time: creates the run with its lease, executes it, records its end.
 *
 * Invariants: R7 (a run that is lost is stopped and writes nothing), R9 (one run a trigger's event).
 */
export class Runner {
  readonly #ports: RunnerPorts;
  readonly #active = new Map<string, Active>();

  /** Uses the engine's ports. */
  constructor(ports: RunnerPorts) {
    this.#ports = ports;
  }

  /** Runs under way in this process. */
  get active(): readonly string[] {
    return [...this.#active.keys()];
  }

  /** What it has in hand now. */
  activity(): Activity {
    const all = [...this.#active.values()];
    return {
      runs: all.map(({ workflow, execution: { state } }) => ({ workflow, state })),
      waitingAttempts: all.reduce((sum, { limiter }) => sum + limiter.waiting, 0),
    };
  }

  /** Another process holds the run now, or `why` this one cannot go on with it. */
  lose(runId: string, why?: Error): void {
    const active = this.#active.get(runId);
    active?.journal.lose(why);
    active?.execution.cancel("lost", true);
  }

  /** The run's trigger event has a run already. */
  duplicate(runId: string): void {
    const active = this.#active.get(runId);
    if (active === undefined) return;
    active.duplicate = true;
    this.lose(runId);
  }

  /** Starts a run. */
  start(request: StartRequest): RunHandle {
    const { clock, ids, holder, recorder } = this.#ports;
    const { plan, binding } = request;
    const runId = request.runId ?? ids.runId();
    // A value that does not hold is told now, before there is a run.
    const values = this.#values(runId, request);
    const { scope } = values.pinned;
    const { group } = plan.workflow;
    const now = clock.now();
    const header: RunHeader = {
      runId,
      workflow: plan.workflow.name,
      file: plan.workflow.file,
      definition: request.definition,
      modules: request.modules,
      traceId: request.trace.traceId ?? ids.traceId(),
      spanId: ids.spanId(),
      parentSpanId: request.trace.parentSpanId,
      traceFlags: request.trace.traceFlags,
      traceState: request.trace.traceState,
      baggage: request.trace.baggage,
      context: request.trace.context,
      reactionDepth: request.trace.reactionDepth,
      params: binding.journalled,
      sources: binding.sources,
      snapshot: request.snapshot,
      trial: request.trial,
      priority: values.pinned.priority,
      group: group === undefined ? undefined : toText(group.name.evaluate(scope)),
      parent: request.parent,
      rerun: request.rerun,
      trigger: request.trigger,
      triggeredBy: request.triggeredBy,
      ordered: request.ordered,
      createdAt: now,
    };
    recorder.fence(runId, 1);
    recorder.append({
      type: "run",
      runId,
      header,
      text: plan.workflow.text,
      status: header.group === undefined ? "running" : "queued",
      holder,
      expiresAt: now + LEASE_NS,
    });
    return this.#begin(
      {
        ...request,
        warnings: request.trace.warnings,
        header,
        fold: new RunFold(),
        fence: 1,
        lastHeard: now,
        queued: header.group !== undefined,
      },
      values,
      false,
    );
  }

  /** Takes up a run whose lease this process has acquired. */
  resume(request: ResumeRequest): RunHandle {
    const { runId, trial, ordered } = request.header;
    const values = this.#values(runId, { ...request, trial, ordered });
    this.#ports.recorder.fence(runId, request.fence);
    return this.#begin(request, values, true);
  }

  #values(
    runId: string,
    { plan, binding, trial, ordered, onEvent }: Pick<
      StartRequest,
      "plan" | "binding" | "trial" | "ordered" | "onEvent"
    >,
  ): RunValues {
    const { live, log } = this.#ports;
    const workflow = plan.workflow.name;
    return new RunValues({
      runId,
      plan,
      binding,
      live,
      trial,
      ordered,
      onRefused: (message) => {
        onEvent?.({ type: "notice", message });
        log.log({ severity: "warn", body: message, workflow, runId });
      },
    });
  }

  #begin(request: ResumeRequest, values: RunValues, resumed: boolean): RunHandle {
    const { clock, ids, random, recorder, types, keeper, log } = this.#ports;
    const { header, plan, binding, fold } = request;
    const { runId, workflow } = header;
    const onEvent = request.onEvent ?? (() => {});
    const run: SpanJournal = new SpanJournal({
      header,
      trace: plan.workflow.trace,
      recorder,
      fold,
      clock,
      ids,
    });
    let tempFolder: string | undefined;
    const context: RunContext = {
      plan,
      header,
      binding,
      journal: run,
      limiter: new Limiter(() => values.maxConcurrency),
      types,
      clock,
      random,
      scope: values.pinned.scope,
      values,
      onEvent,
      attempts: {
        clock,
        masker: binding.masker,
        tempFolder: () => tempFolder ??= this.#ports.makeTempFolder(runId),
        removeFile: this.#ports.remove,
        onLine: (stepId, key, stream, text, span) => {
          onEvent({ type: "line", stepId, key, stream, text });
          logOutput(log, { stream, text, span, workflow, runId, stepId });
        },
        runWorkflow: request.runWorkflow,
        sleep: (until, signal) => run.sleep(until, signal),
      },
    };
    const execution = new Execution(context, clock);
    const { limiter } = context;
    const active: Active = { workflow, limiter, journal: run, execution, duplicate: false };
    this.#active.set(runId, active);
    keeper.watch(runId, (name, payload) => run.deliver(name, payload));
    run.signal("cancel").then((payload) => execution.cancel("cancelled", payload.force === true));
    request.onEvent?.({
      type: "run",
      runId,
      traceId: header.traceId,
      resumed,
      plan: describePlan(plan, binding),
    });
    for (const message of request.warnings ?? []) {
      onEvent({ type: "notice", message });
      log.log({ severity: "warn", body: message, workflow: header.workflow, runId });
    }
    const unsubscribe = request.onEvent === undefined ? undefined : this.#ports.bus.subscribe(
      (event) => {
        if (event.event !== "started" && event.event !== "ended") return;
        if (event.record.runId === runId) onEvent({ type: "journal", record: event.record });
      },
    );
    let unfollow: (() => void) | undefined;
    const follow = async () => {
      // What waits for a slot does not wait for the next one to be given back (A1).
      values.onChange(() => limiter.refill());
      unfollow = await values.follow();
    };
    const created = run.committed();
    const report = this.#execute(run, context, execution, request, {
      resumed,
      created,
      follow: values.live ? follow : undefined,
    }).catch(
      async (thrown) => {
        if (active.duplicate) {
          throw new SpanloopError(
            "run.duplicate",
            `${header.trigger} has a run already; nothing was started`,
          );
        }
        // Given back, so that whoever resumes need not wait; under a fence of before this does nothing (R7).
        const lease = { name: `run:${runId}`, fence: request.fence };
        keeper.drop(lease.name);
        await this.#ports.store.release([lease]).catch(() => {}); // then it lapses
        throw thrown;
      },
    ).finally(() => {
      unsubscribe?.();
      unfollow?.();
      keeper.unwatch(runId);
      keeper.drop(`run:${runId}`);
      recorder.fence(runId, undefined);
      this.#active.delete(runId);
      if (tempFolder !== undefined) this.#ports.remove(tempFolder);
    });
    // Only once it is in the store: a renewal before would find no lease, and take the run for lost.
    created.then(() => {
      if (!this.#active.has(runId)) return;
      keeper.hold({ name: `run:${runId}`, fence: request.fence }, () => this.lose(runId));
    }, () => {}); // whoever waits for the report hears of it
    return {
      runId,
      report,
      created,
      cancel: (force) => execution.cancel("cancelled", force),
      abandon: () => this.lose(runId),
    };
  }

  async #execute(
    journal: SpanJournal,
    run: RunContext,
    execution: Execution,
    request: ResumeRequest,
    { resumed, created, follow }: {
      readonly resumed: boolean;
      readonly created: Promise<void>;
      readonly follow: (() => Promise<void>) | undefined;
    },
  ): Promise<RunReport> {
    const { keeper, log } = this.#ports;
    const { header } = request;
    const { parameters } = run.values.pinned;
    if (resumed) await keeper.deliver([header.runId]);
    if (follow !== undefined) await follow();
    if (request.queued) {
      await created;
      const left = await leaveQueue(
        this.#ports,
        header,
        run.plan.workflow.group?.overlap ?? "queue",
        { isStopped: () => execution.stopped, priority: () => run.values.now().priority },
        (message) => {
          run.onEvent({ type: "notice", message });
          const { runId, workflow } = header;
          log.log({ severity: "info", body: message, workflow, runId });
        },
      );
      // A run that never began has nothing to finish.
      if (left !== "begun") {
        journal.beginRun(parameters);
        return await this.#end(journal, run, { status: left, outputs: {} });
      }
    }
    const elapsedMs = journal.beginRun(parameters, request.lastHeard);
    const end = await execution.execute({ elapsedMs, reuse: request.reuse });
    return await this.#end(journal, run, end);
  }

  async #end(
    journal: SpanJournal,
    run: RunContext,
    end: Parameters<SpanJournal["endRun"]>[0],
  ): Promise<RunReport> {
    await journal.endRun(end);
    const { plan, header } = run;
    return reportRun(plan, header, journal.fold, end.status);
  }
}
