import { type Clock, sleepUntil } from "../core/clock.ts";
import { LeaseLostError } from "../core/errors.ts";
import { derivedSpanId, type Ids } from "../core/ids.ts";
import type { JsonObject } from "../core/json.ts";
import type {
  Attributes,
  EndEntry,
  Failure,
  ItemRange,
  Outcome,
  SpanLink,
  SpanReference,
  SpanStart,
  StartEntry,
  TraceSettings,
} from "../core/span.ts";
import type { StepSpan } from "../core/step.ts";
import type { RunHeader } from "../core/store.ts";
import type { Step } from "../core/workflow.ts";
import type { Recorder } from "../telemetry/recorder.ts";
import {
  linkTo,
  resumeAttributes,
  runAttributes,
  runEndAttributes,
  runName,
  skipAttributes,
  taskAttributes,
  taskEndAttributes,
} from "../telemetry/attributes.ts";
import type { RunFold } from "./fold.ts";
import type { AttemptRequest, Description, Entered, Journal, Known, Settled } from "./journal.ts";

/**
 * The journal over the recorder and the store.
 *
 * Invariants:
 * - J1: a body starts only after its start, and so all that came before, is committed.
 * - J2: an attempt with a recorded end is not run again; one without is closed as interrupted and tried
 *   again under the same number, or goes on in its span (R5).
 * - J3: every started span is ended once, by its attempt or by the resume that finds it open.
 */
export class SpanJournal implements Journal {
  readonly #runId: string;
  readonly #workflow: string;
  readonly #header: RunHeader;
  readonly #trace: TraceSettings;
  // What all spans of the run have of its caller's trace.
  readonly #inherited: Pick<SpanStart, "traceId" | "traceState" | "traceFlags">;
  readonly #recorder: Recorder;
  readonly #fold: RunFold;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #signals = new Map<string, PromiseWithResolvers<JsonObject>>();
  // Why nothing more is recorded.
  #lost: Error | undefined;

  /** Journals the run of `header`; `fold` holds what the store had of it. */
  constructor(ports: {
    readonly header: RunHeader;
    readonly trace: TraceSettings;
    readonly recorder: Recorder;
    readonly fold: RunFold;
    readonly clock: Clock;
    readonly ids: Ids;
  }) {
    const { runId, workflow, traceId, traceState, parent } = ports.header;
    // A sub-workflow's parent is a span of this engine, whatever its own caller was.
    const traceFlags = parent === undefined ? ports.header.traceFlags : undefined;
    this.#runId = runId;
    this.#workflow = workflow;
    this.#header = ports.header;
    this.#trace = ports.trace;
    this.#inherited = { traceId, traceState, traceFlags };
    this.#recorder = ports.recorder;
    this.#fold = ports.fold;
    this.#clock = ports.clock;
    this.#ids = ports.ids;
  }

  /** See Journal. */
  get known(): Known {
    return this.#fold;
  }

  /** Nothing more is written: another process holds the run now (R7), or this one cannot go on with it. */
  lose(why?: Error): void {
    this.#lost ??= why ?? new LeaseLostError(this.#runId);
  }

  /** Resolves once all that was appended is durable. Throws LeaseLostError. */
  async committed(): Promise<void> {
    await this.#recorder.committed();
    if (this.#lost !== undefined) throw this.#lost;
  }

  /** What the journal says of the run so far. */
  get fold(): RunFold {
    return this.#fold;
  }

  /**
   * Begins the run's own span, or goes on in the one that it had: then it is recorded, as a span of no length,
   * that this process takes the run up. Returns for how long the run had been under way, in milliseconds, until
   * the process before it was last heard of: by its records, or by its lease at `lastHeard` (R2).
   */
  beginRun(parameters: Attributes, lastHeard = 0n): number {
    const header = this.#header;
    const { run, lastTime, active } = this.#fold;
    if (run !== undefined) {
      this.#recorder.adopt(run);
      const elapsedMs = active.at(lastHeard > lastTime ? lastHeard : lastTime);
      this.#takeUp(elapsedMs);
      return elapsedMs;
    }
    this.#append({
      type: "start",
      runId: this.#runId,
      role: "run",
      key: "run",
      span: {
        ...this.#inherited,
        spanId: header.spanId,
        parentSpanId: header.parentSpanId,
        name: runName(header.workflow),
        kind: "server",
        startTime: this.#clock.now(),
        attributes: { ...header.context, ...parameters, ...runAttributes(header) },
        links: linksOfRun(header),
      },
      trace: this.#trace,
    });
    return 0;
  }

  /** Ends the run's own span, and the run with it. Resolves once that is durable. */
  async endRun(end: {
    readonly status: Exclude<Outcome, "interrupted">;
    readonly failure?: Failure;
    readonly outputs: JsonObject;
  }): Promise<void> {
    const { status, failure, outputs } = end;
    const endTime = this.#clock.now();
    this.#append({
      type: "end",
      runId: this.#runId,
      role: "run",
      key: "run",
      spanId: this.#header.spanId,
      outcome: status,
      end: {
        endTime,
        error: status === "failed" || status === "timed_out",
        message: failure?.message,
        attributes: runEndAttributes(status, failure),
      },
      outputs,
      failure,
    });
    this.#recorder.append({ type: "status", runId: this.#runId, status, at: endTime });
    await this.committed();
  }

  /** Delivers a signal. */
  deliver(name: string, payload: JsonObject): void {
    this.#pending(name).resolve(payload);
  }

  /** See Journal. */
  signal(name: string): Promise<JsonObject> {
    return this.#pending(name).promise;
  }

  /** See Journal. */
  sleep(until: bigint, signal: AbortSignal): Promise<void> {
    return sleepUntil(this.#clock, until, signal);
  }

  /** See Journal. */
  async attempt(request: AttemptRequest): Promise<Settled & { readonly span: SpanReference }> {
    const recorded = this.#fold.recorded(request.key, request.attempt);
    if (recorded !== undefined) {
      return { ...(recorded.end as Settled & EndEntry), span: recorded.start.span };
    }
    const interrupted = this.#fold.interrupted(request.key);
    const goesOn = interrupted !== undefined && request.interruption === "continue";
    if (interrupted !== undefined) {
      this.#recorder.adopt(interrupted);
      if (!goesOn) await this.#interrupt(interrupted, request);
    }
    const start = goesOn ? interrupted : this.#begin(request, interrupted);
    const began = this.#clock.monotonic();
    // An attempt that goes on began in another process, whose monotonic clock says nothing here (R2).
    const at = goesOn ? this.#clock.now() : start.span.startTime;
    await this.#recorder.committed();
    if (this.#lost !== undefined) throw this.#lost;
    const settled = await request.body({
      span: start.span,
      startTime: start.span.startTime,
      resumed: interrupted !== undefined,
      elapsedMs: goesOn ? this.#fold.active.at(at) - this.#fold.active.at(start.span.startTime) : 0,
    });
    if (this.#lost !== undefined) throw this.#lost;
    const endTime = at + BigInt(Math.round((this.#clock.monotonic() - began) * 1e6));
    if (settled.spans !== undefined) this.#emit(settled.spans, start, endTime);
    this.#end(start, settled, endTime, settled.attributes);
    return { ...settled, span: start.span };
  }

  /** See Journal. */
  async enter(
    stepId: string,
    describe: () => Description,
  ): Promise<Entered> {
    const ended = this.#fold.recorded(stepId, 1);
    if (ended !== undefined) {
      const { start, end } = ended;
      return {
        spanId: start.span.spanId,
        inputs: start.inputs ?? null,
        resumed: true,
        settled: end as Settled & EndEntry,
      };
    }
    const open = this.#fold.interrupted(stepId);
    if (open !== undefined) {
      this.#recorder.adopt(open);
      return { spanId: open.span.spanId, inputs: open.inputs ?? null, resumed: true };
    }
    const description = describe();
    const start = this.#start("step", stepId, stepId, description, {});
    await this.committed();
    return { spanId: start.span.spanId, inputs: description.inputs ?? null, resumed: false };
  }

  /** See Journal. */
  leave(spanId: string, settled: Settled): void {
    const open = this.#fold.open.get(spanId);
    if (open === undefined || this.#lost !== undefined) return;
    this.#end(open, settled, this.#clock.now());
  }

  /** See Journal. */
  skip(
    { id: stepId, uses }: Pick<Step, "id" | "uses">,
    reason: string,
    reused?: Settled & { readonly link?: SpanLink },
    attributes?: Attributes,
  ): void {
    if (this.#lost !== undefined || this.#fold.recorded(stepId, 1) !== undefined) return;
    const open = this.#fold.interrupted(stepId);
    if (open !== undefined) this.#recorder.adopt(open);
    const start = open ?? this.#start("skip", stepId, stepId, {
      name: stepId,
      attributes: {
        ...attributes,
        ...taskAttributes({
          runId: this.#runId,
          workflow: this.#workflow,
          key: stepId,
          stepId,
          type: uses,
        }),
        // One that its condition failed was not skipped.
        ...(reused === undefined || reason === "reuse" ? skipAttributes(reason) : {}),
      },
    }, reused?.link === undefined ? {} : { links: [reused.link] });
    this.#end(start, reused ?? { outcome: "skipped" }, start.span.startTime, {}, reason);
  }

  #takeUp(elapsedMs: number): void {
    const now = this.#clock.now();
    const common = { runId: this.#runId, role: "resume", key: "resume" } as const;
    const span: SpanStart = {
      ...this.#inherited,
      spanId: this.#ids.spanId(),
      parentSpanId: this.#header.spanId,
      name: "resume",
      kind: "internal",
      startTime: now,
      attributes: { ...this.#header.context, ...resumeAttributes(this.#runId, this.#workflow) },
    };
    this.#append({ type: "start", ...common, span, inputs: elapsedMs });
    this.#append({
      type: "end",
      ...common,
      spanId: span.spanId,
      outcome: "succeeded",
      end: { endTime: now, error: false, attributes: {} },
    });
  }

  #pending(name: string): PromiseWithResolvers<JsonObject> {
    let pending = this.#signals.get(name);
    if (pending === undefined) this.#signals.set(name, pending = Promise.withResolvers());
    return pending;
  }

  async #interrupt(start: StartEntry, request: AttemptRequest): Promise<void> {
    await request.cleanUp(start.span);
    if (this.#lost !== undefined) throw this.#lost;
    this.#append({
      type: "end",
      runId: this.#runId,
      role: start.role,
      key: start.key,
      stepId: start.stepId,
      spanId: start.span.spanId,
      outcome: "interrupted",
      end: {
        endTime: this.#clock.now(),
        error: true,
        message: "The engine stopped during this attempt",
        attributes: taskEndAttributes("interrupted", undefined, undefined),
      },
    });
  }

  #begin(request: AttemptRequest, interrupted: StartEntry | undefined): StartEntry {
    const links: SpanLink[] = [];
    if (interrupted !== undefined) {
      links.push(linkTo(interrupted.span, "resume"));
    }
    if (request.after !== undefined) {
      links.push(linkTo(request.after, "retry"));
    }
    return this.#start("attempt", request.key, request.stepId, request.describe(), {
      attempt: request.attempt,
      range: request.range,
      parent: request.parent,
      links: links.length === 0 ? undefined : links,
    });
  }

  #start(
    role: StartEntry["role"],
    key: string,
    stepId: string,
    description: Description,
    more: {
      readonly attempt?: number;
      readonly range?: ItemRange;
      readonly parent?: string;
      readonly links?: readonly SpanLink[];
    },
  ): StartEntry {
    const entry: StartEntry = {
      type: "start",
      runId: this.#runId,
      role,
      key,
      stepId,
      attempt: more.attempt,
      range: more.range,
      span: {
        ...this.#inherited,
        spanId: this.#ids.spanId(),
        parentSpanId: more.parent ?? this.#header.spanId,
        name: description.name,
        kind: description.kind ?? "internal",
        startTime: this.#clock.now(),
        attributes: { ...this.#header.context, ...description.attributes },
        links: more.links,
      },
      inputs: description.inputs,
    };
    this.#append(entry);
    return entry;
  }

  #end(
    start: StartEntry,
    settled: Settled,
    endTime: bigint,
    attributes: Attributes = {},
    reason?: string,
  ): void {
    const { outcome, failure, items } = settled;
    const error = outcome === "failed" || outcome === "timed_out";
    this.#append({
      type: "end",
      runId: this.#runId,
      role: start.role,
      key: start.key,
      stepId: start.stepId,
      spanId: start.span.spanId,
      outcome,
      end: {
        endTime,
        error,
        message: error ? failure?.message : undefined,
        attributes: { ...attributes, ...taskEndAttributes(outcome, failure, items) },
      },
      outputs: settled.outputs,
      failure,
      items,
      tail: settled.tail,
      retryAt: settled.retryAt,
      reason,
    });
  }

  #emit(spans: readonly StepSpan[], parent: StartEntry, time: bigint): void {
    spans.forEach((emitted, index) => {
      const spanId = derivedSpanId(parent.span.spanId, index);
      const common = {
        runId: this.#runId,
        role: "emit",
        key: `${parent.key}~${index}`,
        stepId: parent.stepId,
      } as const;
      this.#append({
        type: "start",
        ...common,
        span: {
          ...this.#inherited,
          spanId,
          parentSpanId: parent.span.spanId,
          name: emitted.name,
          kind: "internal",
          startTime: time,
          attributes: { ...this.#header.context, ...emitted.attributes },
        },
      });
      this.#append({
        type: "end",
        ...common,
        spanId,
        outcome: "succeeded",
        end: { endTime: time, error: false, attributes: {} },
      });
    });
  }

  #append(entry: StartEntry | EndEntry): void {
    this.#fold.apply(entry);
    this.#recorder.append(entry);
  }
}

// What started the run, and the run that it repeats: neither encloses it.
function linksOfRun({ triggeredBy, rerun }: RunHeader): readonly SpanLink[] | undefined {
  const links = [
    ...(triggeredBy === undefined ? [] : [linkTo(triggeredBy, "trigger")]),
    ...(rerun?.span === undefined ? [] : [linkTo(rerun.span, "rerun")]),
  ];
  return links.length === 0 ? undefined : links;
}
