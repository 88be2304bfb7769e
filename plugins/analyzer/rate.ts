/** A share with the interval in which the true one lies with 95 %. */
export interface Rate {
  /** The share, in [0, 1]. */
  readonly rate: number;
  /** The interval's lower end. */
  readonly low: number;
  /** Its upper end. */
  readonly high: number;
  /** Of how many. */
  readonly of: number;
}

const Z = 1.959964;

/**
 * The share of `of` things that `count` are, with Wilson's score interval, which holds for few things and for shares near
 * 0 and 1 (E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927). Of no
 * things it is 0, somewhere from 0 to 1.
 */
export function rateOf(count: number, of: number): Rate {
  if (of === 0) return { rate: 0, low: 0, high: 1, of };
  const rate = count / of;
  const spread = Z * Z / of;
  const middle = (rate + spread / 2) / (1 + spread);
  const half = Z * Math.sqrt(rate * (1 - rate) / of + spread / (4 * of)) / (1 + spread);
  return {
    rate,
    low: count === 0 ? 0 : Math.max(0, middle - half),
    high: count === of ? 1 : Math.min(1, middle + half),
    of,
  };
}
