import type { Arm } from "../core/proposal.ts";

/** Neighbouring items that one arm works on alone (A6). */
export interface ArmSlice {
  /** Whose values rule. */
  readonly arm: Arm;
  /** Which pair it belongs to; the other arm has its other slice. */
  readonly pair: number;
  /** The first item. */
  readonly from: number;
  /** One past the last item. */
  readonly to: number;
}

/** What is cut into slices. */
export interface SliceRequest {
  /** The first item that is left. */
  readonly from: number;
  /** How many are left at least. */
  readonly items: number;
  /** The candidate's share of them, in (0, 1]; it gets half at most. */
  readonly exposure: number;
  /** How many items each arm has under way at once: its batch size times its concurrency. */
  readonly waves: Readonly<Record<Arm, number>>;
  /** The first pair's number. */
  readonly pair: number;
  /** Decides by lot which arm is first; numbers in [0, 1). */
  readonly draw: () => number;
}

// More pairs say more of the difference, but each costs two moments in which the step runs dry.
const MOST_PAIRS = 8;

// A slice begins and ends with fewer batches under way than in between: it is to have an in between.
const WAVES_A_SLICE = 3;

/**
 * Cuts what is left of a for_each step into slices, two a pair, in the order of the items; none when it has too few
 * for that. The two of a pair are side by side, pairs are spread over the step, and what is before, between and after
 * them is the incumbent's and is not compared: the first wave warms up what the step uses, and `items` may be an
 * estimate.
 *
 * Both slices of a pair are the same number of whole waves. At a slice's end its arm waits for its slowest batch while
 * the rest of its concurrency is idle: that costs about as much of a wave whichever arm it is, so it cancels in
 * the ratio of the two, and would not if one slice were longer or ended within a wave. The candidate's share of the
 * items is at most the exposure, or one wave, and never more than half.
 */
export function planSlices(request: SliceRequest): readonly ArmSlice[] {
  const { items, exposure, waves } = request;
  const left = items - waves.incumbent;
  if (waves.incumbent > left / 2 || waves.candidate > left / 2) return [];
  const both = waves.incumbent + waves.candidate;
  const shared = Math.floor(Math.min(exposure, 0.5) * items / waves.candidate);
  const count = Math.max(1, Math.min(shared, Math.floor(left / both)));
  const pairs = Math.max(1, Math.min(MOST_PAIRS, Math.floor(count / WAVES_A_SLICE)));
  const between = Math.floor((left - count * both) / pairs);
  // Less than a wave is not worth the moment in which the step runs dry before it.
  const gap = between < waves.incumbent ? 0 : between;
  const slices: ArmSlice[] = [];
  let from = request.from + waves.incumbent;
  for (let index = 0; index < pairs; index++) {
    const length = Math.floor(count / pairs) + (index < count % pairs ? 1 : 0);
    const order: readonly Arm[] = request.draw() < 0.5
      ? ["candidate", "incumbent"]
      : ["incumbent", "candidate"];
    for (const arm of order) {
      const to = from + length * waves[arm];
      slices.push({ arm, pair: request.pair + index, from, to });
      from = to;
    }
    from += gap;
  }
  return slices;
}
