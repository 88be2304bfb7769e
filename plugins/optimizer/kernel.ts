import type { Point } from "./space.ts";

/** Where and when something ran: what decides how alike two outcomes are. */
export interface Site {
  /** Its values' place in the space. */
  readonly point: Point;
  /** When, hours. */
  readonly hours: number;
  /** Which stretch between two changes of the world it belongs to, from 0. */
  readonly epoch: number;
}

/** What a function over the space is expected to look like before anything is known; in natural logarithms. */
export interface Prior {
  /** Standard deviation of its level. */
  readonly level: number;
  /** Of its slope along each numeric dimension, over the whole space. */
  readonly slope: number;
  /** Of what bends away from that slope, along each dimension by itself. */
  readonly amplitude: number;
  /** Of what bends in several dimensions together. */
  readonly joint: number;
  /** Over which distance it bends. */
  readonly length: number;
  /** Of what a choice adds everywhere. */
  readonly choice: number;
  /** How alike the joint bends under two different choices are, 0 to 1. */
  readonly alike: number;
  /** Of what the hour of the day adds; 0 for nothing. */
  readonly hour: number;
  /** How alike the function is before and after a change, 0 to 1. */
  readonly kept: number;
}

// Over which part of a day the hour's effect bends.
const HOUR_LENGTH = 0.8;
// Which part of that effect is the same at all values. The rest is not: what is far from its limit at noon may be near
// it at night.
const EVERYWHERE = 0.5;

/**
 * The covariance of two sites: a level, slopes around the defaults, a main effect for each choice, a Matérn 5/2 bend
 * along each dimension (C. E. Rasmussen and C. K. I. Williams, "Gaussian Processes for Machine Learning", 2006, 4.17),
 * and one of all together, less alike under other choices. That most of it is a sum is what lets few observations say
 * much: what batching saves and what workers save multiply in most pipelines, so their logarithms add. In another epoch
 * all that is less alike; the day's effect is periodic (4.31).
 */
export class Kernel {
  readonly #choices: readonly number[];
  readonly #origin: Point;
  readonly #prior: Prior;

  /** `choices` and `origin` are the space's. */
  constructor(choices: readonly number[], origin: Point, prior: Prior) {
    this.#choices = choices;
    this.#origin = origin;
    this.#prior = prior;
  }

  /** The covariance of what happens at two sites. */
  of(a: Site, b: Site): number {
    const { level, slope, amplitude, joint, length, choice, alike, hour, kept } = this.#prior;
    let squared = 0;
    let product = 0;
    let same = 0;
    let bends = 0;
    let together = joint * joint;
    const origin = this.#origin;
    for (let i = 0; i < origin.length; i++) {
      const x = a.point[i];
      const y = b.point[i];
      if (this.#choices[i] > 0) {
        if (x === y) same++;
        else together *= alike;
        continue;
      }
      const r = ROOT * Math.abs(x - y) / length;
      squared += r * r;
      bends += matern(r);
      product += (x - origin[i]) * (y - origin[i]);
    }
    const shape = level * level + slope * slope * product + choice * choice * same +
      amplitude * amplitude * bends + together * matern(Math.sqrt(squared));
    const epochs = a.epoch === b.epoch ? 1 : Math.pow(kept, Math.abs(a.epoch - b.epoch));
    if (hour === 0) return shape * epochs;
    const alikeHere = EVERYWHERE + (1 - EVERYWHERE) * matern(Math.sqrt(squared));
    return shape * epochs + hour * hour * day(a.hours - b.hours) * alikeHere;
  }
}

const ROOT = Math.sqrt(5);

function matern(r: number): number {
  return (1 + r + r * r / 3) * Math.exp(-r);
}

function day(difference: number): number {
  const s = Math.sin(Math.PI * difference / 24) / HOUR_LENGTH;
  return Math.exp(-2 * s * s);
}
