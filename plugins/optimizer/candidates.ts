/** Where to look next: places around the incumbent, inside the trust region, as values that are allowed. */
import type { Random } from "./random.ts";
import type { Point, Space, Values } from "./space.ts";

/** Values that may be tried. */
export interface Candidate {
  /** The values. */
  readonly values: Values;
  /** Their place. */
  readonly point: Point;
  /** One text for equal values. */
  readonly key: string;
}

const SCATTERED = 120;
const CLOSER = 40;
const AXIS_STEPS: readonly number[] = [0.12, 0.3, 0.6, 1];

/** Collects different candidates. */
export class Candidates {
  readonly #space: Space;
  readonly #incumbent: Values;
  readonly #center: Point;
  readonly #seen = new Set<string>();

  /** Candidates are allowed while `incumbent` rules; its own values are none. */
  constructor(space: Space, incumbent: Values) {
    this.#space = space;
    this.#incumbent = incumbent;
    this.#center = space.encode(incumbent);
    this.#seen.add(space.key(incumbent));
  }

  /** Each dimension alone, then many together, at most `radius` away; and values that were tried before. */
  around(radius: number, random: Random, tried: readonly Values[]): Candidate[] {
    const { choices } = this.#space;
    const places: Point[] = tried.map((values) => this.#space.encode(values));
    places.push(...this.#space.beside(this.#incumbent));
    choices.forEach((count, i) => {
      if (count > 0) {
        for (let choice = 0; choice < count; choice++) places.push(this.#moved(i, choice));
        return;
      }
      for (const part of AXIS_STEPS) {
        places.push(this.#moved(i, this.#center[i] + part * radius));
        places.push(this.#moved(i, this.#center[i] - part * radius));
      }
    });
    for (let n = 0; n < SCATTERED; n++) {
      const scale = radius * (n % 3 === 0 ? 0.35 : 1);
      places.push(this.#inBall(
        this.#center.map((x, i) => {
          if (choices[i] > 0) return random.next() < 0.2 ? random.below(choices[i]) : x;
          return random.next() < 0.3 ? x : x + scale * (2 * random.next() - 1);
        }),
        radius,
      ));
    }
    return this.fresh(places);
  }

  /** More of what looks best. */
  near(best: readonly Point[], radius: number, random: Random): Candidate[] {
    const places: Point[] = [];
    for (let n = 0; n < CLOSER; n++) {
      const from = best[n % best.length];
      places.push(this.#inBall(
        from.map((x, i) => {
          const count = this.#space.choices[i];
          if (count > 0) return random.next() < 0.1 ? random.below(count) : x;
          return x + 0.25 * radius * random.normal();
        }),
        radius,
      ));
    }
    return this.fresh(places);
  }

  // Drawn back to the trust region's border.
  #inBall(place: Point, radius: number): Point {
    const { choices } = this.#space;
    const squared = place.reduce(
      (sum, x, i) => choices[i] > 0 ? sum : sum + (x - this.#center[i]) ** 2,
      0,
    );
    const part = Math.min(1, radius / Math.sqrt(squared));
    return place.map((x, i) => choices[i] > 0 ? x : this.#center[i] + part * (x - this.#center[i]));
  }

  #moved(dimension: number, to: number): Point {
    return this.#center.map((x, i) => i === dimension ? to : x);
  }

  /** The allowed values nearest to some places, but those that were given before. */
  fresh(places: readonly Point[]): Candidate[] {
    const found: Candidate[] = [];
    for (const place of places) {
      const values = this.#space.within(place, this.#incumbent);
      const key = this.#space.key(values);
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      found.push({ values, point: this.#space.encode(values), key });
    }
    return found;
  }
}
