import { blockLength } from "../core/exposure.ts";
import type { Json } from "../core/json.ts";
import type { Arm, Experiment, Verdict } from "../core/proposal.ts";
import type { SpanReference } from "../core/span.ts";
import type { TuneContract } from "../core/workflow.ts";
import { type Count, plus } from "./count.ts";
import { type Evidence, type GuardEvidence, judge, RULES, withdrawn } from "./verdict.ts";

type Arms<Value> = Readonly<Record<Arm, readonly Value[]>>;

/** What is known of an experiment's runs. Plain JSON, of bounded size. */
export interface Compared {
  /** The experiment. */
  readonly id: string;
  /** The candidate's values. */
  readonly values: Readonly<Record<string, Json>>;
  /** The incumbent's. */
  readonly incumbent: Readonly<Record<string, Json>>;
  /** The candidate's share of the work, to begin with. */
  readonly exposure: number;
  /** When it began, nanoseconds since the epoch, as text. */
  readonly since: string;
  /** Log ratios of the pairs that are complete, above 0 where the candidate was better. */
  readonly pairs: readonly number[];
  /** Logs of the whole runs' objectives in blocks that are not complete, by the block's number. */
  readonly blocks: Readonly<Record<string, Arms<number> & { readonly runs: number }>>;
  /** By guard, in the order of the contract: counts of slices or runs for error rates, values for other metrics. */
  readonly guards: readonly { readonly counts: Arms<Count>; readonly values: Arms<number> }[];
  /** The contract that these guards are of, as text: another one begins with none. */
  readonly contract: string;
  /** Runs in which an arm had a part, and those of them that failed in its part. */
  readonly runs: Readonly<Record<Arm, { readonly all: number; readonly failed: number }>>;
  /** Runs in a row that had no part in it. */
  readonly idle: number;
  /** Spans of what was compared, the last of them. */
  readonly spans: readonly SpanReference[];
}

// What a verdict has no more use for; the oldest goes first.
const MOST_VALUES = 100;
const MOST_SPANS = 20;
// Runs that bring no pairs bring no verdict either: so many times as many as the pairs need.
const RUNS_A_PAIR = 10;
// A candidate with which so many runs fail outright is a harm, if more of them fail than the incumbent's.
const FEWEST_FAILED = 3;
// One that so many runs in a row have no part in only keeps others waiting.
const MOST_IDLE = 200;

/** What values brought at a step without an experiment, or in others. */
export type Before = (step: string, values: Readonly<Record<string, Json>>) => readonly Count[];

/** What is known of an experiment that begins: of its incumbent, what it brought `before`. */
export function nothingCompared(
  { id, values, incumbent, exposure, since }: Experiment,
  guards: TuneContract["guards"],
  before: Before,
): Compared {
  const nothing = { all: 0, failed: 0 };
  return {
    id,
    values,
    incumbent,
    exposure,
    since: String(since),
    pairs: [],
    blocks: {},
    ...newGuards(guards, incumbent, before),
    runs: { candidate: nothing, incumbent: nothing },
    idle: 0,
    spans: [],
  };
}

/** The same for the guards of a file as it is now: what is known of others says nothing of these. */
export function underGuards(
  compared: Compared,
  guards: TuneContract["guards"],
  before: Before,
): Compared {
  if (compared.contract === JSON.stringify(guards)) return compared;
  return { ...compared, ...newGuards(guards, compared.incumbent, before) };
}

function newGuards(
  guards: TuneContract["guards"],
  incumbent: Compared["incumbent"],
  before: Before,
): Pick<Compared, "guards" | "contract"> {
  return {
    guards: guards.map(({ metric, of }) => ({
      counts: {
        candidate: [],
        incumbent: metric === "error_rate" ? before(of, incumbent) : [],
      },
      values: { candidate: [], incumbent: [] },
    })),
    contract: JSON.stringify(guards),
  };
}

/** A pair of slices is complete; `ratio` is the log of how many times better the candidate was. */
export function withPair(compared: Compared, ratio: number): Compared {
  return { ...compared, pairs: [...compared.pairs, ratio] };
}

/**
 * A whole run or step was measured, in a block; `log` of its objective, turned so that more is better. A block is
 * compared when all of its runs are there, or, as runs may fail, once a run of the second block after it is: the
 * candidate's against the mean of the incumbents'.
 */
export function withWhole(compared: Compared, arm: Arm, block: number, log: number): Compared {
  const blocks = new Map(Object.entries(compared.blocks));
  const before = blocks.get(String(block)) ?? { candidate: [], incumbent: [], runs: 0 };
  blocks.set(String(block), {
    ...before,
    [arm]: [...before[arm], log],
    runs: before.runs + 1,
  });
  const pairs = [...compared.pairs];
  for (const [number, { candidate, incumbent, runs }] of blocks) {
    const isWhole = runs >= blockLength(compared, Number(number));
    if (!isWhole && Number(number) > block - 2) continue;
    blocks.delete(number);
    if (candidate.length === 0 || incumbent.length === 0) continue;
    pairs.push(mean(candidate) - mean(incumbent));
  }
  return { ...compared, pairs, blocks: Object.fromEntries(blocks) };
}

/** A guard's metric had this value in a run of an arm, or comes to it at the rate of the arm's share of a run. */
export function withValue(compared: Compared, guard: number, arm: Arm, value: number): Compared {
  return withGuard(compared, guard, ({ counts, values }) => ({
    counts,
    values: {
      ...values,
      [arm]: [...values[arm], Number(value.toPrecision(6))].slice(-MOST_VALUES),
    },
  }));
}

/** A slice or run of an arm is over, with these items for a guard's error rate. */
export function withCount(compared: Compared, guard: number, arm: Arm, count: Count): Compared {
  if (count.items === 0) return compared;
  return withGuard(compared, guard, ({ counts, values }) => {
    const all = [...counts[arm], count];
    // As one the first two speak for less than they did, for the candidate as against it.
    const merged = all.length > MOST_VALUES ? [plus(all[0], all[1]), ...all.slice(2)] : all;
    return { counts: { ...counts, [arm]: merged }, values };
  });
}

/** A run in which an arm had a part is over; `failed`: in that part. */
export function withRun(compared: Compared, arm: Arm, failed: boolean): Compared {
  const { all, failed: before } = compared.runs[arm];
  const runs = { ...compared.runs, [arm]: { all: all + 1, failed: before + (failed ? 1 : 0) } };
  return { ...compared, runs, idle: 0 };
}

/** A run is over that had no part in it, such as one whose values were given (V3). */
export function withoutPart(compared: Compared): Compared {
  return { ...compared, idle: compared.idle + 1 };
}

/** These spans are of what was compared. */
export function withSpan(compared: Compared, span: SpanReference): Compared {
  return { ...compared, spans: [...compared.spans, span].slice(-MOST_SPANS) };
}

/** The items of a slice or run that goes on, by its arm. */
export type Now = Readonly<Partial<Record<Arm, Count>>>;

/**
 * The verdict that what is known allows; undefined: go on. `now`: of what goes on, by guard; `of`: the objective's step,
 * whose pairs are there before the run's guards.
 */
export function verdictOf(
  compared: Compared,
  guards: TuneContract["guards"],
  of: string,
  now?: readonly Now[],
): Verdict | undefined {
  const evidence = evidenceOf(compared, guards, now, of);
  const verdict = judge(evidence);
  if (verdict !== undefined) return verdict;
  const { candidate, incumbent } = compared.runs;
  const isHarm = candidate.failed >= FEWEST_FAILED && candidate.failed * 2 > candidate.all &&
    incumbent.failed * 4 <= incumbent.all;
  if (isHarm) {
    return { ...withdrawn(evidence), outcome: "regressed", ended: "harm" };
  }
  // Its work is used up, whatever it has brought.
  const isUsedUp = compared.idle >= MOST_IDLE ||
    candidate.all + incumbent.all >= RULES.mostPairs * RUNS_A_PAIR * 2;
  return isUsedUp ? judge(evidence, { ...RULES, mostPairs: 0 }) : undefined;
}

/** The verdict on an experiment that somebody ended. */
export function withdrawnVerdict(compared: Compared, guards: TuneContract["guards"]): Verdict {
  return withdrawn(evidenceOf(compared, guards));
}

/** Whether so many failed items may breach a guard on error rates, so that it is worth to judge it. */
export function mayBreach(
  compared: Compared,
  guards: TuneContract["guards"],
  now: readonly Now[],
): boolean {
  return guards.some(({ metric, below }, index) => {
    const count = now[index]?.candidate;
    if (metric !== "error_rate" || below === undefined || count === undefined) return false;
    const { items, failed } = compared.guards[index].counts.candidate.reduce(plus, count);
    return failed > below * items;
  });
}

function evidenceOf(
  { pairs, guards: known }: Compared,
  guards: TuneContract["guards"],
  now: readonly Now[] = [],
  measured?: string,
): Evidence {
  return {
    pairs,
    guards: guards.map(({ metric, of, below, above }, index): GuardEvidence => {
      const { counts, values } = known[index];
      const limits = {
        metric,
        of,
        ...below === undefined ? {} : { below },
        ...above === undefined ? {} : { above },
      };
      if (metric !== "error_rate") {
        const awaited = of === measured && metric !== "queue_time" && pairs.length > 0;
        return { ...limits, values, awaited };
      }
      const all = (arm: Arm) => {
        const last = now[index]?.[arm];
        return last === undefined || last.items === 0 ? counts[arm] : [...counts[arm], last];
      };
      return { ...limits, counts: { candidate: all("candidate"), incumbent: all("incumbent") } };
    }),
  };
}

function withGuard(
  compared: Compared,
  index: number,
  change: (guard: Compared["guards"][number]) => Compared["guards"][number],
): Compared {
  return {
    ...compared,
    guards: compared.guards.map((guard, at) => at === index ? change(guard) : guard),
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
