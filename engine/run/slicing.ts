import { messageOf } from "../core/errors.ts";
import { exposureIn } from "../core/exposure.ts";
import type { StartEntry } from "../core/span.ts";
import type { Step } from "../core/workflow.ts";
import { armAttributes, slicePairOf } from "../telemetry/attributes.ts";
import { drawsOf } from "./draw.ts";
import { ofArm, type Ruling, type RunValues } from "./ruling.ts";
import type { RunContext } from "./run_context.ts";
import { planSlices } from "./slices.ts";
import type { ItemSource } from "./source/source.ts";
import { drawArm } from "./trial.ts";

/** A stretch of a step's items that one set of values rules. */
export interface Stretch {
  /** The values. */
  readonly ruling: Ruling;
  /** One past its last item. */
  readonly to: number;
  /** Whether they rule alone: what is under way before it ends first, and it ends before what comes after (A6). */
  readonly alone: boolean;
}

type Experimental = NonNullable<RunValues["experimental"]>;

/**
 * Which values rule which items of the for_each step that an objective is of, while an experiment is open.
 *
 * Invariants:
 * - A6: a slice is ruled by one arm from its first item to its last; one that an experiment's end or change cuts short
 *   is left at the next hand-out, so that its ranges do not cover it.
 * - The pairs of a step have numbers of their own, over all plans and after a crash: (run, experiment, pair) is unique.
 * - Only what has begun in this process is cut: what was handed out before a crash keeps its values (A2), and a slice
 *   that was under way then is not gone on with.
 */
export class Slicing {
  readonly #run: RunContext;
  readonly #source: ItemSource;
  readonly #waveOf: (ruling: Ruling) => number;
  #snapshot: Experimental | undefined;
  #stretches: readonly Stretch[] = [];
  #at = 0;
  #pair = 0;

  private constructor(
    run: RunContext,
    source: ItemSource,
    waveOf: (ruling: Ruling) => number,
  ) {
    this.#run = run;
    this.#source = source;
    this.#waveOf = waveOf;
  }

  /**
   * For a step that may be cut; undefined for any other. `waveOf` says how many of its items are under way at once by
   * some values.
   */
  static of(
    run: RunContext,
    step: Step,
    source: ItemSource,
    waveOf: (ruling: Ruling) => number,
  ): Slicing | undefined {
    const cut = run.values.live && run.plan.workflow.tune?.objective?.of === step.id;
    return cut ? new Slicing(run, source, waveOf) : undefined;
  }

  /** Takes note of what was handed out before a crash. */
  recall(starts: readonly StartEntry[]): void {
    for (const { span } of starts) {
      const pair = slicePairOf(span.attributes);
      if (pair !== undefined) this.#pair = Math.max(this.#pair, pair + 1);
    }
  }

  /** Whether an experiment has begun, changed or ended since the items were divided. */
  get stale(): boolean {
    return this.#run.values.experimental !== this.#snapshot;
  }

  /** Divides the items from `next` on anew. Throws what reading the source throws. */
  async divide(next: number): Promise<void> {
    const snapshot = this.#run.values.experimental;
    this.#stretches = [];
    this.#at = 0;
    // Before the source is asked: what changes meanwhile is another change.
    this.#snapshot = snapshot;
    if (snapshot === undefined) return;
    const items = await this.#source.left();
    if (this.stale) return;
    try {
      this.#stretches = this.#divided(snapshot, next, items);
    } catch (thrown) {
      this.#run.values.refuse(
        `the change under measurement (${snapshot.experiment.id}) is not tried in this run: ${
          messageOf(thrown)
        }`,
      );
    }
  }

  /** The stretch that the item `next` is in, items being asked for in their order; undefined: no experiment is open. */
  stretch(next: number): Stretch | undefined {
    while (next >= this.#stretches[this.#at]?.to) this.#at++;
    return this.#stretches[this.#at];
  }

  #divided(snapshot: Experimental, next: number, items: number): readonly Stretch[] {
    const { values, header } = this.#run;
    const { experiment } = snapshot;
    const { trial } = header;
    const rulings = { incumbent: values.now(), candidate: values.candidate(snapshot) };
    const slices = planSlices({
      from: next,
      items,
      exposure: exposureIn(experiment, trial?.experiment === experiment.id ? trial.index : 0),
      waves: {
        incumbent: this.#waveOf(rulings.incumbent),
        candidate: this.#waveOf(rulings.candidate),
      },
      pair: this.#pair,
      draw: drawsOf(`${experiment.id}/${header.runId}/${next}`),
    });
    const { incumbent } = rulings;
    const last: Stretch = { ruling: incumbent, to: Infinity, alone: false };
    if (slices.length > 0) {
      this.#pair += slices.length / 2;
      const stretches: Stretch[] = [];
      let at = next;
      for (const { arm, pair, from, to } of slices) {
        if (from > at) stretches.push({ ...last, to: from });
        const slice = { from, to };
        const attributes = armAttributes({ experiment: experiment.id, arm, pair, slice });
        stretches.push({ ruling: ofArm(rulings[arm], attributes), to, alone: true });
        at = to;
      }
      return [...stretches, last];
    }
    // Too few items: all of them are one arm's, if the run had its part in the experiment from the beginning.
    if (next > 0 || trial?.experiment !== experiment.id) return [last];
    const { arm, pair } = drawArm(experiment, trial.index);
    const attributes = armAttributes({ experiment: experiment.id, arm, pair });
    return [{ ruling: ofArm(rulings[arm], attributes), to: Infinity, alone: true }];
  }
}
