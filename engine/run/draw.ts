/**
 * Draws numbers in [0, 1) that `seed` determines: what is drawn for an experiment is the same in every process, and
 * after a crash. FNV-1a (Fowler, Noll, Vo 1991) makes the state of mulberry32 (Tommy Ettinger 2017, public domain).
 */
export function drawsOf(seed: string): () => number {
  let state = 0x811c9dc5;
  for (let i = 0; i < seed.length; i++) {
    state = Math.imul(state ^ seed.charCodeAt(i), 0x01000193);
  }
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let mixed = Math.imul(state ^ state >>> 15, 1 | state);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) / 4_294_967_296;
  };
}
