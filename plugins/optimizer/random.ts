/** Seeded randomness: the same numbers in the same order for the same seed and turn. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A number of the standard normal distribution. */
  normal(): number;
  /** A whole number in [0, n). */
  below(n: number): number;
}

/** Randomness of its own for each turn of a seed (mulberry32, Tommy Ettinger 2017, public domain). */
export function random(seed: number, turn: number): Random {
  let state = Math.imul(seed ^ 0x9e3779b9, 2_654_435_761) ^ Math.imul(turn + 1, 0x85ebca6b);
  const next = () => {
    state = state + 0x6d2b79f5 | 0;
    let t = Math.imul(state ^ state >>> 15, 1 | state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4_294_967_296;
  };
  next();
  return {
    next,
    // Box and Muller 1958; the half that is thrown away is cheaper than a state.
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    below: (n) => Math.floor(next() * n),
  };
}
