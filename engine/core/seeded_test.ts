/** Seeded randomness for property tests: SEED in the environment replays a failure, whose message names it. */
export interface Seeded {
  /** What a failing test prints. */
  readonly seed: number;
  /** A number in [0, 1). */
  next(): number;
  /** A whole number in [0, n). */
  below(n: number): number;
  /** One of `values`. */
  pick<T>(values: readonly T[]): T;
  /** Fills bytes, for what wants core's Random. */
  fill(bytes: Uint8Array): void;
}

/** Randomness of its own for each `label` (mulberry32, Tommy Ettinger 2017, public domain). */
export function seeded(label: string): Seeded {
  const given = Deno.env.get("SEED");
  const seed = given === undefined ? crypto.getRandomValues(new Uint32Array(1))[0] : Number(given);
  let state = seed;
  for (const character of label) state = Math.imul(state ^ character.charCodeAt(0), 2_654_435_761);
  const next = () => {
    state = state + 0x6d2b79f5 | 0;
    let t = Math.imul(state ^ state >>> 15, 1 | state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4_294_967_296;
  };
  const below = (n: number) => Math.floor(next() * n);
  return {
    seed,
    next,
    below,
    pick: (values) => values[below(values.length)],
    fill: (bytes) => bytes.forEach((_, i) => bytes[i] = below(256)),
  };
}
