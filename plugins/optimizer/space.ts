/**
 * The space that a tuner searches: what each tunable may be, and how values become coordinates that a model can
 * compare. On a log scale a coordinate is the natural logarithm of the value, so that a distance of 1 is a factor of e
 * whatever the bounds are; a linear range counts as `LINEAR_SPAN` such units. Choices are counted, not measured.
 *
 * P1: whatever `within` returns is inside the bounds, on the step's grid, and at most maxStep from the incumbent.
 */
import { TunerError } from "./tuner_error.ts";

/** One value of a tunable. */
export type Value = number | string;

/** A value for every tunable, by name. */
export type Values = Readonly<Record<string, Value>>;

/** What may be changed, and how far. */
export interface Tunable {
  /** Its name, unique. */
  readonly name: string;
  /** Whole numbers, numbers, or one of a list. */
  readonly kind: "integer" | "number" | "choice";
  /** The lowest value; above 0 on a log scale. */
  readonly min?: number;
  /** The highest value. */
  readonly max?: number;
  /** How distances count; linear when absent. */
  readonly scale?: "linear" | "log";
  /** Only `min` plus multiples of it; 1 for integers when absent. */
  readonly step?: number;
  /** A factor on a log scale, a difference on a linear one, from the incumbent; no limit when absent. */
  readonly maxStep?: number;
  /** The choices of kind "choice". */
  readonly choices?: readonly string[];
  /** Where the search begins. */
  readonly default: Value;
}

/** A place in the space: a coordinate for each numeric tunable, an index for each choice. */
export type Point = readonly number[];

// How many e-folds the whole of a linear range is taken for.
const LINEAR_SPAN = 6;

// Digits of a number that has no step: more would tell values apart that are the same to anyone.
const DIGITS = 3;

// A grid whose steps are larger than this, in e-folds, may have none inside of a small trust region.
const COARSE = 0.1;

interface Axis extends Tunable {
  readonly low: number;
  readonly high: number;
}

/** The space of some tunables. Throws TunerError `tuner.tunable` for one that does not hold. */
export class Space {
  /** Which dimensions are choices, and how many they have; 0 for numeric ones. */
  readonly choices: readonly number[];
  /** The defaults. */
  readonly defaults: Values;
  /** The defaults' place. */
  readonly origin: Point;
  readonly #axes: readonly Axis[];

  /** Checks the tunables. */
  constructor(tunables: readonly Tunable[]) {
    if (tunables.length === 0) throw refused("There is nothing to tune: give at least one tunable");
    const names = new Set<string>();
    this.#axes = tunables.map((tunable) => {
      if (names.has(tunable.name)) throw refused(`Tunable ${tunable.name} is there twice`);
      names.add(tunable.name);
      return axis(tunable);
    });
    this.choices = this.#axes.map(({ kind, choices }) => kind === "choice" ? choices!.length : 0);
    this.defaults = Object.fromEntries(this.#axes.map((a) => [a.name, a.default]));
    this.origin = this.encode(this.defaults);
  }

  /** How many tunables there are. */
  get size(): number {
    return this.#axes.length;
  }

  /** The place of some values. Throws TunerError `tuner.values` for a name or a value that is not of this space. */
  encode(values: Values): Point {
    for (const name of Object.keys(values)) {
      if (!this.#axes.some((axis) => axis.name === name)) {
        throw new TunerError("tuner.values", `${name} is not one of the tunables: leave it out`);
      }
    }
    return this.#axes.map((axis) => {
      const value = values[axis.name];
      const mistake = fault(axis, value);
      if (mistake !== undefined) throw new TunerError("tuner.values", mistake);
      return coordinate(axis, value);
    });
  }

  /** Whether values are of this space, as `encode` takes them. */
  holds(values: Values): boolean {
    return Object.keys(values).length === this.#axes.length &&
      this.#axes.every((axis) => fault(axis, values[axis.name]) === undefined);
  }

  /** One text for values that are the same. */
  key(values: Values): string {
    return JSON.stringify(this.#axes.map(({ name }) => values[name]));
  }

  /** The values nearest to a place that are allowed when `incumbent` rules. */
  within(point: Point, incumbent: Values): Values {
    return Object.fromEntries(
      this.#axes.map((axis, i) => [axis.name, nearest(axis, point[i], incumbent[axis.name])]),
    );
  }

  /** Places one step of the grid away from values, in each dimension whose grid is coarse there. */
  beside(values: Values): Point[] {
    const point = this.encode(values);
    return this.#axes.flatMap((axis, i) => {
      const step = stepOf(axis);
      if (step === undefined) return [];
      return [-step, step].map((by) => (values[axis.name] as number) + by)
        .filter((value) => value >= axis.low && value <= axis.high)
        .map((value) => coordinate(axis, value))
        .filter((place) => Math.abs(place - point[i]) > COARSE)
        .map((place) => point.map((x, k) => k === i ? place : x));
    });
  }

  /** Whether `values` are at most maxStep from `incumbent` in every dimension. */
  reaches(values: Values, incumbent: Values): boolean {
    return this.#axes.every((axis) => {
      if (axis.kind === "choice") return true;
      const [low, high] = reach(axis, incumbent[axis.name] as number);
      const value = values[axis.name] as number;
      return value >= low && value <= high;
    });
  }

  /** What differs between two sets of values, as `name from -> to`, by comma. */
  difference(from: Values, to: Values): string {
    return this.#axes.filter(({ name }) => from[name] !== to[name])
      .map(({ name }) => `${name} ${from[name]} -> ${to[name]}`).join(", ");
  }
}

function refused(message: string): TunerError {
  return new TunerError("tuner.tunable", message);
}

function axis(tunable: Tunable): Axis {
  const { name, kind, min, max, scale, step, maxStep, choices } = tunable;
  if (kind === "choice") {
    if (choices === undefined || choices.length === 0 || new Set(choices).size < choices.length) {
      throw refused(`${name} needs a list of different choices`);
    }
    const mistake = fault({ ...tunable, low: 0, high: 0 }, tunable.default);
    if (mistake !== undefined) throw refused(`The default of ${mistake}`);
    return { ...tunable, low: 0, high: choices.length - 1 };
  }
  if (min === undefined || max === undefined || !(min < max) || !Number.isFinite(max - min)) {
    throw refused(`${name} needs a min and a max above it`);
  }
  if (scale === "log" && min <= 0) {
    throw refused(`${name} is on a log scale: its min must be above 0`);
  }
  if (step !== undefined && !(step > 0)) throw refused(`${name} needs a step above 0`);
  if (maxStep !== undefined && !(maxStep > (scale === "log" ? 1 : 0))) {
    throw refused(`${name} needs a maxStep above ${scale === "log" ? "1, a factor" : "0"}`);
  }
  const whole = kind === "integer" ? Math.ceil(min) : min;
  const checked = { ...tunable, low: whole, high: kind === "integer" ? Math.floor(max) : max };
  const mistake = fault(checked, tunable.default);
  if (mistake !== undefined) throw refused(`The default of ${mistake}`);
  return checked;
}

function fault(axis: Axis, value: Value | undefined): string | undefined {
  const { name, kind, low, high, choices } = axis;
  if (kind === "choice") {
    return choices!.includes(value as string)
      ? undefined
      : `${name} is ${value}: it must be one of ${choices!.join(", ")}`;
  }
  if (typeof value !== "number" || !Number.isFinite(value)) {
    return `${name} is ${value}: it must be a number`;
  }
  if (kind === "integer" && !Number.isInteger(value)) {
    return `${name} is ${value}: it must be a whole number`;
  }
  return value < low || value > high
    ? `${name} is ${value}: it must be in ${low} to ${high}`
    : undefined;
}

function stepOf({ kind, step }: Axis): number | undefined {
  return kind === "choice" ? undefined : step ?? (kind === "integer" ? 1 : undefined);
}

function coordinate(axis: Axis, value: Value): number {
  if (axis.kind === "choice") return axis.choices!.indexOf(value as string);
  return axis.scale === "log"
    ? Math.log(value as number)
    : LINEAR_SPAN * ((value as number) - axis.low) / (axis.high - axis.low);
}

function reach({ low, high, scale, maxStep }: Axis, from: number): [low: number, high: number] {
  if (maxStep === undefined) return [low, high];
  const [down, up] = scale === "log"
    ? [from / maxStep, from * maxStep]
    : [from - maxStep, from + maxStep];
  return [Math.max(low, down), Math.min(high, up)];
}

// The grid's value nearest to a coordinate; the incumbent's own when the grid has none in reach.
function nearest(axis: Axis, place: number, incumbent: Value): Value {
  if (axis.kind === "choice") return axis.choices![place];
  const from = incumbent as number;
  const [low, high] = reach(axis, from);
  const raw = axis.scale === "log"
    ? Math.exp(place)
    : axis.low + place / LINEAR_SPAN * (axis.high - axis.low);
  const value = Math.min(high, Math.max(low, raw));
  const step = stepOf(axis);
  if (step === undefined) {
    const round = Number(value.toPrecision(DIGITS));
    return round >= low && round <= high ? round : value;
  }
  const base = axis.min!;
  const snapped = (count: number) => {
    const grid = Number((base + count * step).toPrecision(12));
    return axis.kind === "integer" ? Math.round(grid) : grid;
  };
  const count = (value - base) / step;
  const inReach = [Math.round(count), Math.floor(count), Math.ceil(count)].map(snapped)
    .find((grid) => grid >= low && grid <= high);
  return inReach ?? from;
}
