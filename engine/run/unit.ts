import { resolve } from "node:path";
import { isObject, type JsonObject } from "../core/json.ts";
import type { Scope } from "../core/scope.ts";
import type { SpanReference } from "../core/span.ts";
import type { StepType } from "../core/step.ts";
import type { Step } from "../core/workflow.ts";
import { taskAttributes } from "../telemetry/attributes.ts";
import { failedEarly, runAttempt } from "./attempt.ts";
import { type Cancellation, Stop } from "./cancellation.ts";
import type { AttemptSpan, Description, Settled } from "./journal.ts";
import { retryDelay } from "./retry.ts";
import { type Ruling, stepScope } from "./ruling.ts";
import type { RunContext } from "./run_context.ts";
import type { Slice } from "./source/source.ts";
import { attributesOf, durationOf, toText } from "./template_values.ts";

/** What is retried as a whole: a step, or one batch of it (F1). */
export interface Unit {
  /** The step's id, or `load[0,20)`. */
  readonly key: string;
  /** Its step. */
  readonly step: Step;
  /** The span around it, for a batch. */
  readonly parent?: string;
  /** A batch's place. */
  readonly batch?: { readonly index: number; readonly range: Slice["range"] };
  /** A batch's items; asked only when an attempt really starts. */
  readonly load?: () => Promise<Slice>;
  /** Whether the caller has taken the slot for the first attempt. */
  readonly slotTaken?: boolean;
  /** The values that it was handed out with; read once it has a slot when absent (A2). */
  readonly ruling?: Ruling;
}

/**
 * Runs a unit to its last attempt: recorded attempts are replayed, the delay before a retry is the one that
 * was recorded. Throws only for a lost lease or store.
 */
export async function runUnit(
  run: RunContext,
  unit: Unit,
  cancellation: Cancellation,
): Promise<Settled> {
  const type = await run.types(unit.step.uses);
  let taken = unit.slotTaken ?? false;
  let { ruling } = unit;
  let after: SpanReference | undefined;
  for (let attempt = 1;; attempt++) {
    if (!taken) await run.limiter.acquire();
    taken = false;
    ruling ??= rulingOf(run, unit.key);
    let settled: Settled & { readonly span: SpanReference };
    try {
      settled = await tryOnce(run, unit, ruling, type, attempt, after, cancellation);
    } finally {
      run.limiter.release();
    }
    if (settled.retryAt === undefined) return settled;
    after = settled.span;
    await pause(run, settled.retryAt, cancellation);
  }
}

// What was handed out before a crash goes on with the values that it has in the journal.
function rulingOf({ values, journal: { known } }: RunContext, key: string): Ruling {
  if (!values.live) return values.pinned;
  const start = known.recorded(key, 1)?.start ?? known.interrupted(key);
  return start === undefined ? values.now() : values.of(start);
}

function tryOnce(
  run: RunContext,
  unit: Unit,
  ruling: Ruling,
  type: StepType,
  attempt: number,
  after: SpanReference | undefined,
  cancellation: Cancellation,
): Promise<Settled & { readonly span: SpanReference }> {
  const { step, key, batch } = unit;
  const size = batch === undefined ? undefined : batch.range.to - batch.range.from;
  let prepared: Prepared | { readonly thrown: unknown } | undefined;
  let slice: Slice | undefined;
  const prepare = (): Prepared | { readonly thrown: unknown } => {
    try {
      return prepared ??= prepareAttempt(run, unit, ruling, slice);
    } catch (thrown) {
      return prepared = { thrown };
    }
  };
  const start = () =>
    run.journal.attempt({
      key,
      stepId: step.id,
      attempt,
      range: batch?.range,
      parent: unit.parent,
      after,
      interruption: type.interruption,
      describe: () => describe(run, unit, ruling, type, attempt, prepare()),
      cleanUp: (span) => type.cleanUp?.(span) ?? Promise.resolve(),
      async body(span: AttemptSpan) {
        const ready = prepare();
        let settled: Settled;
        if ("thrown" in ready) {
          settled = failedEarly(ready.thrown, { size }, run.binding.masker);
        } else if (cancellation.stop !== undefined && !goesOn(type, span)) {
          settled = { outcome: "cancelled", failure: cancelled(cancellation.stop) };
        } else {
          settled = await runAttempt(
            type,
            {
              runId: run.header.runId,
              stepId: step.id,
              key,
              attempt,
              folder: run.plan.workflow.folder,
              file: run.plan.workflow.file,
              traceFlags: run.header.traceFlags,
              traceState: run.header.traceState,
              baggage: run.header.baggage,
              context: run.header.context,
              with: ready.with,
              params: ruling.scope.params,
              batch: slice,
              size,
              cwd: ready.cwd,
              env: ready.env,
              timeoutMs: ready.timeoutMs,
            },
            span,
            { ...run.attempts, cancellation },
          );
        }
        if (settled.failure === undefined || settled.outcome === "cancelled") return settled;
        if (cancellation.stop !== undefined) return settled;
        const delay = retryDelay(step.retry, attempt, settled.failure, run.random);
        return delay === undefined
          ? settled
          : { ...settled, retryAt: run.clock.now() + BigInt(Math.round(delay * 1e6)) };
      },
    });
  if (unit.load === undefined || run.journal.known.recorded(key, attempt) !== undefined) {
    return start();
  }
  return unit.load().then((loaded) => {
    slice = loaded;
    return start();
  });
}

interface Prepared {
  readonly with: JsonObject;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number | undefined;
  readonly scope: Scope;
}

function prepareAttempt(
  run: RunContext,
  unit: Unit,
  ruling: Ruling,
  slice: Slice | undefined,
): Prepared {
  const { step } = unit;
  const { workflow } = run.plan;
  const own = stepScope(ruling, step);
  const scope = slice === undefined || unit.batch === undefined
    ? own
    : batchScope(own, slice, unit.batch.index);
  const inputs = step.with.evaluate(scope);
  const base = workflow.cwd === undefined
    ? workflow.folder
    : resolve(workflow.folder, toText(workflow.cwd.evaluate(scope)));
  return {
    with: isObject(inputs) ? inputs : {},
    cwd: step.cwd === undefined ? base : resolve(base, toText(step.cwd.evaluate(scope))),
    env: own.env,
    timeoutMs: step.timeout === undefined
      ? undefined
      : durationOf(step.timeout, scope, `timeout of ${step.id}`),
    scope,
  };
}

// Getters: items that no expression reads are not parsed.
function batchScope(own: Scope, slice: Slice, index: number): Scope {
  return {
    params: own.params,
    env: own.env,
    steps: own.steps,
    run: own.run,
    get items() {
      return slice.items;
    },
    get item() {
      return slice.items[0] ?? null;
    },
    index,
    from: slice.range.from,
    to: slice.range.to,
  };
}

function describe(
  run: RunContext,
  unit: Unit,
  ruling: Ruling,
  type: StepType,
  attempt: number,
  prepared: Prepared | { readonly thrown: unknown },
): Description {
  const { step, batch } = unit;
  const attributes = {
    ...ruling.parameters,
    ...taskAttributes({
      runId: run.header.runId,
      workflow: run.header.workflow,
      key: unit.key,
      stepId: step.id,
      type: type.name,
      attempt,
      batch,
    }),
  };
  const base = {
    name: step.span.name ?? step.id,
    kind: type.name === "http" ? "client" : "internal",
  };
  if ("thrown" in prepared) return { ...base, attributes } as Description;
  const { masker } = run.binding;
  return {
    ...base,
    attributes: {
      ...attributes,
      ...masker.value(attributesOf(step.span.attributes, prepared.scope)),
    },
    inputs: masker.value(prepared.with),
  } as Description;
}

// What goes on after an interruption may have something under way, such as a run of its own: it has to hear
// of the cancellation and end that.
function goesOn(type: StepType, span: AttemptSpan): boolean {
  return span.resumed && type.interruption === "continue";
}

function cancelled(stop: Stop): Settled["failure"] {
  return { code: stop.why, message: stop.message, errorClass: "error" };
}

async function pause(run: RunContext, until: bigint, cancellation: Cancellation): Promise<void> {
  if (until <= run.clock.now()) return;
  const controller = new AbortController();
  const leave = cancellation.listen((stop) => controller.abort(stop));
  try {
    await run.journal.sleep(until, controller.signal);
  } catch (thrown) {
    // The next attempt sees the cancellation and ends as cancelled.
    if (!(thrown instanceof Stop)) throw thrown;
  } finally {
    leave();
  }
}
