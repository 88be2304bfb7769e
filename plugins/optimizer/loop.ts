/**
 * What the plugin makes of what it hears: it tells its tuner what was measured, and says what to try next while nothing
 * is tried.
 *
 * - What was tried and not kept, or kept and then taken back by whomever, is not proposed again, nor what is about the
 *   same, for `DROPPED_FOR` measured runs, unless the world has changed.
 * - After each experiment in vain beyond a few it rests, for twice as long each time: a loop that is left alone comes to
 *   rest.
 * - Where what rules is believed to break the guard, it goes back to what is safer, at once and without a trial.
 * - A proposal that nothing came of is not replaced by another one at once, but repeated, ever less often: one that a
 *   person has to accept is not followed by a heap of others.
 */
import type { ProposeAction } from "spanloop";
import type { Contract } from "./contract.ts";
import type { Concluded, Measured } from "./measurement.ts";
import type { Asked, Known, Notes } from "./memory.ts";
import { type Suggestion, Tuner, type Values } from "./tuner.ts";

// For so many measured runs it is not tried again.
const DROPPED_FOR = 30;
const MOST_DROPPED = 30;
// So many experiments a tunable may be in vain before it rests, and so many measured runs at most.
const VAIN = 3;
const LONGEST_REST = 64;
// A proposal that nothing comes of is repeated so many times, and at least every so many measured runs.
const MOST_TIMES = 16;
const SELDOM = 32;
// A smaller gain, as a logarithm, is not worth having; what has less than one chance in ten of it is not tried.
const WORTH = Math.log(1.05);
const HOPE = 1.2816;
// From which chance on what rules is taken to break the guard.
const BROKEN = 0.9;
// And up to which it goes back to something else: where everything breaks the guard it is not the values.
const BEARABLE = 0.7;

/** What there is to know of a workflow as its contract is now; `known`: what was known before. Throws TunerError. */
export function knownOf(known: Known | undefined, contract: Contract): Known {
  const { options, ruling, goal } = contract;
  if (known === undefined || known.notes.goal !== goal) return begin(contract);
  const { tuner, notes } = known;
  if (JSON.stringify(tuner.toJSON().options) === JSON.stringify(options)) return known;
  return {
    tuner: tuner.with(options, ruling),
    notes: { ...notes, asked: undefined, kept: undefined, dropped: [] },
  };
}

/** What there is to know at the beginning. Throws TunerError. */
export function begin({ options, goal }: Contract): Known {
  const notes = { goal, told: 0, epoch: 0, dropped: [], vain: 0, rest: 0 };
  return { tuner: new Tuner(options), notes };
}

/** Tells the tuner what was measured at a time, seconds since the Unix epoch. */
export function learn(
  { tuner, notes }: Known,
  { run, arms }: Measured,
  { options, maximize }: Contract,
  now: number,
): Notes {
  const names = options.tunables.map(({ name }) => name);
  const told = arms.filter(({ values }) => names.every((name) => Object.hasOwn(values, name)))
    .map(({ values, objective, ...counts }) => ({
      ...counts,
      values: pick(values, names),
      objective: maximize ? 1 / objective : objective,
    }));
  const after = { ...notes, run, told: notes.told + (run === notes.run ? 0 : 1) };
  if (told.length === 0) return after;
  tuner.tell({ hours: now / 3600, arms: told });
  const { epoch } = tuner.toJSON();
  // In another world what failed may do.
  return epoch === notes.epoch ? after : { ...after, epoch, dropped: [], vain: 0, rest: 0 };
}

/** Notes a verdict. */
export function conclude(
  notes: Notes,
  { values, action, ended }: Concluded,
  { options, ruling }: Contract,
): Notes {
  const after = { ...notes, asked: undefined };
  const names = options.tunables.map(({ name }) => name);
  const tried = pick({ ...ruling, ...values }, names);
  if (action === "kept") return { ...after, kept: tried, vain: 0, rest: 0 };
  // It was not found wanting: somebody changed the values meanwhile.
  if (ended === "withdrawn") return after;
  const vain = notes.vain + 1;
  const over = vain - VAIN * names.length;
  return {
    ...drop(after, tried),
    vain,
    rest: over <= 0 ? 0 : notes.told + Math.min(LONGEST_REST, 2 ** over),
  };
}

/** Notes when what was kept last rules no more: the items that broke a guard need not be in any measurement. */
export function look(notes: Notes, { ruling }: Contract): Notes {
  const { kept } = notes;
  if (kept === undefined) return notes;
  const rules = Object.entries(kept).every(([name, value]) => ruling[name] === value);
  return rules ? notes : drop({ ...notes, kept: undefined }, kept);
}

function drop(notes: Notes, values: Values): Notes {
  const dropped = [...notes.dropped, { values, told: notes.told }].slice(-MOST_DROPPED);
  return { ...notes, dropped };
}

/**
 * What should be tried next, at a version of the values and a time in seconds since the Unix epoch: what was proposed
 * already as long as it may still be tried. Undefined for nothing. Throws TunerError.
 */
export function next(
  { tuner, notes }: Known,
  { options, ruling, whole, guard, measure }: Contract,
  version: number,
  now: number,
): Asked | undefined {
  const { asked } = notes;
  if (asked?.version === version && asked.times < MOST_TIMES) return asked;
  const names = options.tunables.map(({ name }) => name);
  const held = pick(ruling, names);
  const dropped = notes.dropped.filter(({ told }) => notes.told - told < DROPPED_FOR);
  const suggestion = tuner.ask({
    hours: now / 3600,
    ruling: held,
    except: [held, ...dropped.map(({ values }) => values)],
    whole,
  });
  const changed = names.filter((name) => suggestion.values[name] !== held[name]);
  if (changed.length === 0 || !isWorthIt(suggestion)) return undefined;
  return {
    version,
    changes: pick(suggestion.values, changed),
    reason: reasonOf(suggestion, measure, guard, notes.told),
    exposure: suggestion.exposure,
    times: 0,
    again: 0,
  };
}

/** What to go back to at once, since what rules breaks the guard; undefined while it does not. Throws TunerError. */
export function retreat(
  { tuner, notes }: Known,
  { options, ruling, guard }: Contract,
  version: number,
  now: number,
): Omit<ProposeAction, "type" | "workflow"> | undefined {
  if (guard === undefined) return undefined;
  const names = options.tunables.map(({ name }) => name);
  const held = pick(ruling, names);
  const at = { hours: now / 3600 };
  const risk = tuner.risk(held, at);
  if (risk < BROKEN) return undefined;
  const safer = tuner.recommend(at);
  const changed = names.filter((name) => safer[name] !== held[name]);
  const left = tuner.risk(safer, at);
  if (changed.length === 0 || left > BEARABLE) return undefined;
  const limit = `that more than ${percent(guard)} of the items fail`;
  return {
    changes: pick(safer, changed),
    reason: `With what rules there is a chance of ${percent(risk)} ${limit}, with this one of ` +
      `${percent(left)}: back to it; ${countOf(notes.told)}`,
    version,
    immediate: true,
  };
}

/** What to propose while nothing is tried; with the notes to keep. Throws TunerError. */
export function propose(
  known: Known,
  contract: Contract,
  version: number,
  now: number,
): { notes: Notes; proposal?: Omit<ProposeAction, "type" | "workflow"> } {
  const { notes } = known;
  if (notes.told < notes.rest) return { notes };
  const asked = next(known, contract, version, now);
  if (asked === undefined || notes.told < asked.again) return { notes: { ...notes, asked } };
  const { changes, reason, exposure, times } = asked;
  const again = notes.told + Math.min(SELDOM, 2 ** times);
  return {
    notes: { ...notes, asked: { ...asked, times: times + 1, again } },
    proposal: { changes, reason, exposure, version },
  };
}

// Whether it may well turn out to be what a verdict would keep.
function isWorthIt({ expected }: Suggestion): boolean {
  return expected === undefined || expected.gain.mean + HOPE * expected.gain.sd >= WORTH;
}

function reasonOf(
  { purpose, expected }: Suggestion,
  measure: string,
  guard: number | undefined,
  told: number,
): string {
  const why = purpose === "probe"
    ? "Little is known of it"
    : "Of all that is near it promises most";
  const runs = countOf(told);
  if (expected === undefined) return `${why}; ${runs}`;
  const { gain: { mean, sd }, harm } = expected;
  const [ratio, low, high] = [mean, mean - 2 * sd, mean + 2 * sd].map((log) =>
    times(Math.exp(log))
  );
  const risk = guard === undefined
    ? ""
    : `, with a chance of ${percent(harm)} that more than ${percent(guard)} of the items fail`;
  const likeliest = ratio === "1" ? "as good as now" : `${ratio} times`;
  return `${why}: it may be up to ${high} times as good by ${measure} (at worst ${low} times, ` +
    `${likeliest} is likeliest)${risk}; ${runs}`;
}

function countOf(told: number): string {
  return `${told} ${told === 1 ? "run was" : "runs were"} measured`;
}

function times(ratio: number): string {
  return Number(ratio.toPrecision(ratio < 2 ? 3 : 2)).toString();
}

function percent(share: number): string {
  return share < 0.0005 ? "under 0.1 %" : `${Number((100 * share).toPrecision(2))} %`;
}

function pick(values: Values, names: readonly string[]): Values {
  return Object.fromEntries(names.map((name) => [name, values[name]]));
}
