import type { Json } from "../core/json.ts";
import type { Arm } from "../core/proposal.ts";
import type { Outcome } from "../core/span.ts";
import { batchOf, type Count, minus, NONE, plus } from "./count.ts";

/** Which arm of an experiment a piece of work is of. */
export interface Work {
  /** The experiment. */
  readonly experiment: string;
  /** Whose values ruled. */
  readonly arm: Arm;
  /** Which pair: of a run's slices, or the block of a whole run or step. */
  readonly pair: number;
  /** The slice's items, `from` inclusive, `to` exclusive; absent for a whole run or step. */
  readonly slice?: { readonly from: number; readonly to: number };
}

/** An attempt at a step that has ended. Times are seconds. */
export interface EndedAttempt {
  /** When it was handed out. */
  readonly start: number;
  /** When it ended. */
  readonly end: number;
  /** How it ended. */
  readonly outcome: Outcome;
  /** Which try it is, from 1. */
  readonly attempt: number;
  /** A batch's items. */
  readonly range?: { readonly from: number; readonly to: number };
  /** Its items, processed and failed; none for a step that counts none. */
  readonly items: number;
  /** Its items that failed. */
  readonly failed: number;
  /** The tunable parameters' values that ruled it. */
  readonly values: Readonly<Record<string, Json>>;
  /** The arm that it is of; absent for none. */
  readonly work?: Work;
}

/** What one set of values did alone: a slice, or a whole step; its items each once, by their last attempt (S5). Plain JSON. */
export interface Piece extends Count {
  /** The arm; absent for none. */
  readonly work?: Work;
  /** The values. */
  readonly values: Readonly<Record<string, Json>>;
  /** The first hand-out, seconds since the epoch. */
  readonly start: number;
  /** The last end, seconds since the epoch. */
  readonly end: number;
  /** Attempts, each try. */
  readonly attempts: number;
  /** Items whose batch has been tried. */
  readonly covered: number;
  /** Not all of it is of these values alone: an attempt was cut short, or other values ruled some. */
  readonly broken: boolean;
  /** Whether its last attempt succeeded. */
  readonly succeeded: boolean;
  /** What was counted of batches that failed and may be tried again, by their first item. */
  readonly again: Readonly<Record<string, Count>>;
}

/** What one arm's values did in a run. Plain JSON. */
export interface ArmTotal extends Count {
  /** The values. */
  readonly values: Readonly<Record<string, Json>>;
  /** For how long they ruled alone, seconds. */
  readonly duration: number;
  /** Attempts, each try. */
  readonly attempts: number;
  /** What counts for an error rate; see `countOf`. */
  readonly count: Pick<Count, "items" | "failed">;
}

/** What is known of a step in a run that goes on. Plain JSON, of bounded size. */
export interface StepTally {
  /** What is under way. */
  readonly piece?: Piece;
  /** It is cut into slices: what lies between them is in none. */
  readonly sliced: boolean;
  /** Items whose batch has been tried, whosever they are. */
  readonly covered: number;
}

/** What one arm did in its whole slices of a step. Plain JSON. */
export interface Share {
  /** What it came to. */
  readonly total: ArmTotal;
  /** The items that its slices cover. */
  readonly covered: number;
}

/** A step of which nothing is known yet. */
export const NOTHING: StepTally = { sliced: false, covered: 0 };

// Failed batches that are remembered in case they are tried again; what is beyond is counted twice if they are.
const MOST_AGAIN = 100;

/**
 * Takes note of an attempt; `finished` is the slice that it shows to be over, as what comes after a slice begins when
 * all of it has ended (A6). `tries`: as often a batch is tried at most.
 */
export function observe(
  tally: StepTally,
  attempt: EndedAttempt,
  tries: number,
): { readonly tally: StepTally; readonly finished?: Piece } {
  const { piece } = tally;
  const { work } = attempt;
  const covered = tally.covered + newIn(attempt);
  if (work?.slice === undefined && tally.sliced) {
    const next = { sliced: true, covered };
    return piece === undefined ? { tally: next } : { tally: next, finished: piece };
  }
  if (piece === undefined) {
    const sliced = work?.slice !== undefined;
    return { tally: { sliced, covered, piece: begun(attempt, tries) } };
  }
  if (work?.slice === undefined) {
    const isSame = isOf(piece.work, work) && haveSame(piece.values, attempt.values);
    const next = grown(piece, attempt, tries);
    return { tally: { sliced: false, covered, piece: isSame ? next : { ...next, broken: true } } };
  }
  if (isOf(piece.work, work)) {
    return { tally: { sliced: true, covered, piece: grown(piece, attempt, tries) } };
  }
  const next = { sliced: true, covered, piece: begun(attempt, tries) };
  // What ruled a step before its first slice is no slice.
  return piece.work?.slice === undefined ? { tally: next } : { tally: next, finished: piece };
}

/** What is under way has been cut short, or told already: it is not compared. */
export function broken(tally: StepTally): StepTally {
  const { piece } = tally;
  return piece === undefined ? tally : { ...tally, piece: { ...piece, broken: true } };
}

/** Whether a slice was all one arm's: its batches cover it, and none was cut short. */
export function isWhole({ work, covered, broken }: Piece): boolean {
  return !broken && (work?.slice === undefined || covered === work.slice.to - work.slice.from);
}

/** What a piece comes to, added to what its arm did before. */
export function added(before: ArmTotal | undefined, piece: Piece): ArmTotal {
  const { values, start, end, items, failed, attempts } = piece;
  const count = countOf(piece);
  return {
    values,
    // Times are of microseconds: what is beyond is a float's rounding.
    duration: Number(((before?.duration ?? 0) + end - start).toFixed(6)),
    items: (before?.items ?? 0) + items,
    failed: (before?.failed ?? 0) + failed,
    attempts: (before?.attempts ?? 0) + attempts,
    count: {
      items: (before?.count.items ?? 0) + count.items,
      failed: (before?.count.failed ?? 0) + count.failed,
    },
  };
}

/** A whole slice, added to what its arm did in others. */
export function shared(before: Share | undefined, slice: Piece): Share {
  return {
    total: added(before?.total, slice),
    covered: (before?.covered ?? 0) + slice.covered,
  };
}

/** A metric of a whole step with so many items, had all of it gone as an arm's share did; undefined for what is no sum. */
export function wouldBe(
  metric: string,
  { total, covered }: Share,
  items: number,
): number | undefined {
  const sum = sumOf(metric, total);
  return sum === undefined ? undefined : sum * items / covered;
}

/** A metric that adds up over a step's work; undefined for one that does not. */
export function sumOf(metric: string, total: ArmTotal): number | undefined {
  switch (metric) {
    case "duration":
    case "items":
    case "failed":
    case "attempts":
      return total[metric];
  }
}

/** What of a piece counts for an error rate, which is that of its last attempts; a step without items is one item. */
export function countOf(piece: Piece): Count {
  const { items, attempts, succeeded } = piece;
  return items > 0 || attempts === 0 ? plus(NONE, piece) : batchOf(1, succeeded ? 0 : 1);
}

/** The same without what may still be tried again. */
export function settledCountOf(piece: Piece): Count {
  const pending = Object.values(piece.again);
  if (pending.length > 0 && piece.items === 0) return NONE;
  return pending.reduce(minus, countOf(piece));
}

// The items of a batch that was not tried before. What a crash interrupts is the same try again (R5).
function newIn({ attempt, outcome, range }: EndedAttempt): number {
  if (attempt > 1 || outcome === "interrupted" || range === undefined) return 0;
  return range.to - range.from;
}

function begun(attempt: EndedAttempt, tries: number): Piece {
  const { work, values, start, end } = attempt;
  const piece: Piece = {
    ...work === undefined ? {} : { work },
    values,
    start,
    end,
    ...NONE,
    attempts: 0,
    covered: 0,
    broken: false,
    succeeded: true,
    again: {},
  };
  return grown(piece, attempt, tries);
}

function grown(piece: Piece, ended: EndedAttempt, tries: number): Piece {
  const { start, end, outcome, attempt, range } = ended;
  const key = String(range?.from ?? 0);
  const before = attempt > 1 ? piece.again[key] ?? NONE : NONE;
  // What was cut short is done again by somebody else, or never.
  const isCut = outcome === "interrupted" || outcome === "cancelled";
  const count = isCut ? NONE : batchOf(ended.items, ended.failed);
  const succeeded = outcome === "succeeded";
  const mayCome = !succeeded && !isCut && attempt < tries;
  const { items, failed, together } = minus(plus(piece, count), before);
  return {
    ...piece,
    start: Math.min(piece.start, start),
    end: Math.max(piece.end, end),
    items,
    failed,
    together,
    attempts: piece.attempts + 1,
    covered: piece.covered + newIn(ended),
    broken: piece.broken || isCut,
    succeeded,
    again: remembered(piece.again, key, mayCome ? count : undefined),
  };
}

function remembered(
  again: Piece["again"],
  key: string,
  count: Count | undefined,
): Piece["again"] {
  if (count === undefined && !Object.hasOwn(again, key)) return again;
  const { [key]: _, ...others } = again;
  if (count === undefined) return others;
  const entries = [...Object.entries(others), [key, count] as const];
  return Object.fromEntries(entries.slice(-MOST_AGAIN));
}

function isOf(one: Work | undefined, other: Work | undefined): boolean {
  return one?.experiment === other?.experiment && one?.arm === other?.arm &&
    one?.pair === other?.pair && one?.slice?.from === other?.slice?.from;
}

function haveSame(one: Piece["values"], other: Piece["values"]): boolean {
  for (const name in other) if (one[name] !== other[name]) return false;
  return true;
}
