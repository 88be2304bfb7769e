import { SpanloopError } from "../core/errors.ts";
import type { Scope } from "../core/scope.ts";
import type { Failure, ItemRange } from "../core/span.ts";
import type { ForEach, Step } from "../core/workflow.ts";
import { taskAttributes } from "../telemetry/attributes.ts";
import { failedEarly } from "./attempt.ts";
import type { Cancellation } from "./cancellation.ts";
import type { Settled } from "./journal.ts";
import { openSource } from "./open_source.ts";
import { type Ruling, stepScope } from "./ruling.ts";
import type { RunContext } from "./run_context.ts";
import { Slicing, type Stretch } from "./slicing.ts";
import type { ItemSource, Slice } from "./source/source.ts";
import { attributesOf, wholeOf } from "./template_values.ts";
import { runUnit, type Unit } from "./unit.ts";

// With an unknown total a share of failed items says nothing before this many have settled.
const LEAST_SETTLED = 100;

/**
 * Runs a step once a batch of its items, several batches at once.
 *
 * Invariants:
 * - F2: a range is fixed once handed out; after a crash the ranges that were handed out are run to their end
 *   first, completed ones are not run again, and new ones begin after the last.
 * - F4: batch size and concurrency are read anew for each batch, floored, at least 1.
 * - A6: no batch reaches over the end of a slice, and what rules alone begins and ends with nothing else under way.
 * - A2: a batch has one reading of the live values: the one that made its range rules its attempts.
 * - S5: each range's items count once, by its last attempt.
 */
export async function runForEach(
  run: RunContext,
  step: Step,
  forEach: ForEach,
  cancellation: Cancellation,
  judged?: Ruling,
): Promise<Settled> {
  let source: ItemSource | undefined;
  let thrown: unknown;
  const recorded = run.journal.known.interrupted(step.id) ??
    run.journal.known.recorded(step.id, 1)?.start;
  const ruling = judged ?? (recorded === undefined ? run.values.now() : run.values.of(recorded));
  const scope = stepScope(ruling, step);
  try {
    if (run.journal.known.recorded(step.id, 1) === undefined) {
      source = await openSource(run, forEach, scope, recorded?.inputs);
    }
  } catch (error) {
    if (error instanceof SpanloopError && error.code === "resume.changed") throw error;
    thrown = error;
  }
  try {
    const entered = await run.journal.enter(step.id, () => ({
      name: step.span.name ?? step.id,
      attributes: {
        ...ruling.parameters,
        ...taskAttributes({
          runId: run.header.runId,
          workflow: run.header.workflow,
          key: step.id,
          stepId: step.id,
          type: step.uses,
        }),
        ...(thrown === undefined
          ? run.binding.masker.value(attributesOf(step.span.attributes, scope))
          : {}),
      },
      inputs: source === undefined ? null : run.binding.masker.value(source.identity),
    }));
    if (entered.settled !== undefined) return entered.settled;
    const settled = source === undefined
      ? failedEarly(thrown, {}, run.binding.masker)
      : await new Batches(run, step, forEach, source, entered.spanId, cancellation).run();
    run.journal.leave(entered.spanId, settled);
    return settled;
  } finally {
    source?.close();
  }
}

class Batches {
  readonly #run: RunContext;
  readonly #step: Step;
  readonly #forEach: ForEach;
  readonly #source: ItemSource;
  readonly #spanId: string;
  readonly #cancellation: Cancellation;
  // Undefined for a step that no experiment can cut: the others pay nothing for that.
  readonly #slicing: Slicing | undefined;
  // What the last batch was of.
  #stretch: Stretch | undefined;
  // The item that is handed out next.
  #next = 0;
  #index = 0;
  #processed = 0;
  #failed = 0;
  #failure: Failure | undefined;
  // All items were handed out; a batch was cancelled.
  #complete = false;
  #cut = false;
  #wake: (() => void) | undefined;
  #active = 0;
  #fatal: { readonly thrown: unknown } | undefined;
  #scoped: { readonly ruling: Ruling; readonly scope: Scope } | undefined;

  constructor(
    run: RunContext,
    step: Step,
    forEach: ForEach,
    source: ItemSource,
    spanId: string,
    cancellation: Cancellation,
  ) {
    this.#run = run;
    this.#step = step;
    this.#forEach = forEach;
    this.#source = source;
    this.#spanId = spanId;
    this.#cancellation = cancellation;
    this.#slicing = Slicing.of(
      run,
      step,
      source,
      (ruling) => this.#batchSize(ruling) * this.#concurrency(ruling),
    );
  }

  async run(): Promise<Settled> {
    // A concurrency that grows need not wait for a batch to end (A1).
    const leave = this.#run.values.onChange(() => this.#wake?.());
    try {
      await this.#handOut();
    } catch (thrown) {
      this.#failure ??= failedEarly(thrown, {}, this.#run.binding.masker).failure;
    } finally {
      leave();
    }
    while (this.#active > 0) await this.#change();
    if (this.#slicing !== undefined) this.#run.values.ruleAlone(undefined);
    if (this.#fatal !== undefined) throw this.#fatal.thrown;
    const items = { processed: this.#processed, failed: this.#failed };
    const { stop } = this.#cancellation;
    if (stop !== undefined && (this.#cut || !this.#complete)) {
      return {
        outcome: "cancelled",
        items,
        failure: { code: stop.why, message: stop.message, errorClass: "error" },
      };
    }
    if (this.#tooManyFailed(true) || (this.#failure !== undefined && !this.#complete)) {
      return { outcome: "failed", items, failure: this.#explain() };
    }
    return { outcome: "succeeded", items };
  }

  async #handOut(): Promise<void> {
    const before = this.#run.journal.known.ranges(this.#step.id);
    this.#slicing?.recall(before);
    for (const start of before) {
      const range = start.range as ItemRange;
      this.#source.skipTo(range);
      // Whatever stops the step, what was handed out is settled: counted (S5), or its span closed (J3).
      while (this.#active >= this.#concurrency(this.#ruling()) && this.#fatal === undefined) {
        await this.#change();
      }
      if (this.#fatal !== undefined) return;
      this.#launch(range, this.#run.values.of(start), () => this.#source.again(range));
    }
    for (;;) {
      await this.#room();
      if (this.#stopped()) return;
      // The slot first: sizes are read when the batch is handed out, not while it waits for one.
      const slot = this.#run.limiter.acquire();
      if (slot !== undefined) await slot;
      const ruling = this.#ruling();
      let slice: Slice | undefined;
      try {
        // The concurrency may have shrunk while it waited.
        if (slot !== undefined && (this.#stale || this.#full()) && !this.#stopped()) {
          this.#run.limiter.release();
          continue;
        }
        slice = this.#stopped() ? undefined : await this.#source.next(this.#size(ruling));
      } catch (thrown) {
        this.#run.limiter.release();
        throw thrown;
      }
      if (slice === undefined) {
        this.#run.limiter.release();
        this.#complete = !this.#stopped();
        return;
      }
      const loaded = slice;
      this.#launch(slice.range, ruling, () => Promise.resolve(loaded), true);
    }
  }

  async #room(): Promise<void> {
    while (!this.#stopped()) {
      if (this.#stale) {
        await this.#slicing?.divide(this.#next);
        // A slice that an experiment's end or change cuts short is not waited for: a breach ends at once.
        if (this.#stretch !== undefined && this.#next < this.#stretch.to) this.#stretch = undefined;
      } else if (this.#full()) await this.#change();
      else return this.#enter();
    }
  }

  get #stale(): boolean {
    return this.#slicing?.stale ?? false;
  }

  #full(): boolean {
    return this.#active > 0 &&
      (this.#mustDrain() || this.#active >= this.#concurrency(this.#ruling()));
  }

  // Whether what is under way is of another stretch, and one of the two is an arm's alone.
  #mustDrain(): boolean {
    if (this.#slicing === undefined) return false;
    const next = this.#slicing.stretch(this.#next);
    if (next === this.#stretch) return false;
    return (next?.alone ?? false) || (this.#stretch?.alone ?? false);
  }

  #enter(): void {
    if (this.#slicing === undefined) return;
    const stretch = this.#stretch = this.#slicing.stretch(this.#next);
    this.#run.values.ruleAlone(stretch?.alone ? stretch.ruling : undefined);
  }

  // The values that rule what is handed out next.
  #ruling(): Ruling {
    return this.#slicing?.stretch(this.#next)?.ruling ?? this.#run.values.now();
  }

  #launch(
    range: ItemRange,
    ruling: Ruling,
    load: () => Promise<Slice>,
    slotTaken = false,
  ): void {
    const unit: Unit = {
      key: `${this.#step.id}[${range.from},${range.to})`,
      step: this.#step,
      parent: this.#spanId,
      batch: { index: this.#index++, range },
      load,
      slotTaken,
      ruling,
    };
    this.#active++;
    this.#next = range.to;
    runUnit(this.#run, unit, this.#cancellation).then(
      (settled) => this.#settle(settled),
      (thrown) => this.#fatal ??= { thrown },
    ).finally(() => {
      this.#active--;
      this.#wake?.();
    });
  }

  #settle(settled: Settled): void {
    this.#processed += settled.items?.processed ?? 0;
    this.#failed += settled.items?.failed ?? 0;
    if (settled.outcome === "cancelled") this.#cut = true;
    if (settled.outcome !== "succeeded") this.#failure ??= settled.failure;
    this.#run.onEvent({
      type: "progress",
      stepId: this.#step.id,
      items: this.#processed + this.#failed,
      failed: this.#failed,
      share: this.#source.share(),
    });
  }

  #stopped(): boolean {
    return this.#fatal !== undefined || this.#cancellation.stop !== undefined ||
      this.#tooManyFailed(false);
  }

  #tooManyFailed(ended: boolean): boolean {
    const { onItemError } = this.#forEach;
    if (this.#failed === 0 || onItemError.kind === "continue") return false;
    if (onItemError.kind === "fail") return true;
    const settled = this.#processed + this.#failed;
    const total = this.#source.total;
    if (total !== undefined && !ended) return this.#failed > onItemError.share * total;
    return (ended || settled >= LEAST_SETTLED) && this.#failed > onItemError.share * settled;
  }

  #explain(): Failure {
    const settled = this.#processed + this.#failed;
    if (this.#failed === 0 && this.#failure !== undefined) return this.#failure;
    const why = this.#failure === undefined ? "" : `; the first failure: ${this.#failure.message}`;
    return {
      code: this.#failure?.code ?? "for_each.items",
      message: `${this.#failed} of ${settled} items failed${why}`,
      errorClass: this.#failure?.errorClass ?? "error",
    };
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  // The scope of the step itself, made once for each ruling.
  #scope(ruling: Ruling): Scope {
    if (this.#scoped?.ruling !== ruling) {
      this.#scoped = { ruling, scope: stepScope(ruling, this.#step) };
    }
    return this.#scoped.scope;
  }

  // How many items the next batch has.
  #size(ruling: Ruling): number {
    const size = this.#batchSize(ruling);
    const stretch = this.#slicing?.stretch(this.#next);
    return stretch === undefined ? size : Math.min(size, stretch.to - this.#next);
  }

  #batchSize(ruling: Ruling): number {
    const { batch } = this.#forEach;
    return batch === undefined
      ? 1
      : wholeOf(batch, this.#scope(ruling), `batch of ${this.#step.id}`, 1);
  }

  #concurrency(ruling: Ruling): number {
    const { concurrency } = this.#forEach;
    return Math.min(
      ruling.maxConcurrency,
      concurrency === undefined
        ? 1
        : wholeOf(concurrency, this.#scope(ruling), `concurrency of ${this.#step.id}`, 1),
    );
  }
}
