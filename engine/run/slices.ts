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
 * for that. What is before the first slice and after the last is the incumbent's and is not compared: the first wave
 * warms up what the step uses, and `items` may be an estimate.
 *
 * Slices are whole waves of their arm. A part of a wave would leave some of the arm's concurrency idle at its end,
 * which speaks against the arm with the larger wave. The candidate's share is the exposure, at least one wave, and
 * never more than half.
 */
export function planSlices(request: SliceRequest): readonly ArmSlice[] {
  const { items, exposure, waves } = request;
  const left = items - waves.incumbent;
  if (waves.incumbent > left / 2 || waves.candidate > left / 2) return [];
  const share = Math.min(exposure, 0.5) * items;
  const most = Math.floor((left - waves.incumbent) / waves.candidate);
  const candidate = Math.max(1, Math.min(Math.floor(share / waves.candidate), most));
  const incumbent = Math.floor((left - candidate * waves.candidate) / waves.incumbent);
  const pairs = Math.max(
    1,
    Math.min(MOST_PAIRS, Math.floor(candidate / WAVES_A_SLICE), incumbent),
  );
  const slices: ArmSlice[] = [];
  let from = request.from + waves.incumbent;
  for (let index = 0; index < pairs; index++) {
    const lengths = {
      candidate: part(candidate, pairs, index) * waves.candidate,
      incumbent: part(incumbent, pairs, index) * waves.incumbent,
    };
    const order: readonly Arm[] = request.draw() < 0.5
      ? ["candidate", "incumbent"]
      : ["incumbent", "candidate"];
    for (const arm of order) {
      const to = from + lengths[arm];
      slices.push({ arm, pair: request.pair + index, from, to });
      from = to;
    }
  }
  return slices;
}

// What one of `parts` gets of `whole`; they differ by one at most.
function part(whole: number, parts: number, index: number): number {
  return Math.floor(whole / parts) + (index < whole % parts ? 1 : 0);
}
