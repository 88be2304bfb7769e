/**
 * Surfaces that the tuner was not made with: other shapes, to see that it was not fitted to the eight. They are looked
 * at when a version is finished, and their figures are reported whatever they are.
 */
import type { Values } from "../../../plugins/optimizer/tuner.ts";
import { choice, GUARD, logInteger, NOISE, type Surface } from "./surface.ts";

const n = (values: Values, name: string) => values[name] as number;

/** A surface whose optimum is found by looking: on a fine grid of what is allowed. */
type Unsolved = Omit<Surface, "best"> & {
  readonly grid: Readonly<Record<string, readonly (number | string)[]>>;
};

function solved({ grid, ...surface }: Unsolved): Surface {
  let best = Infinity;
  const names = Object.keys(grid);
  const visit = (at: number, values: Record<string, number | string>): void => {
    if (at === names.length) {
      if (surface.errors(values, 0) <= GUARD) best = Math.min(best, surface.objective(values, 0));
      return;
    }
    for (const value of grid[names[at]]) visit(at + 1, { ...values, [names[at]]: value });
  };
  visit(0, {});
  return { ...surface, best: () => best };
}

function whole(min: number, max: number, count: number): number[] {
  const found = Array.from(
    { length: count },
    (_, i) => Math.round(min * (max / min) ** (i / (count - 1))),
  );
  return [...new Set(found)];
}

function even(min: number, max: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => min + (max - min) * i / (count - 1));
}

// A queue in front of one server: waiting explodes towards saturation; a linear scale, with a step.
const queue = solved({
  name: "H1 queue",
  tunables: [
    { name: "rate", kind: "number", min: 5, max: 100, default: 20 },
    { name: "buffer", kind: "integer", min: 10, max: 500, step: 10, default: 100 },
  ],
  items: 500,
  noise: NOISE,
  objective: (v) => {
    const load = n(v, "rate") / 90;
    return 100 / n(v, "rate") + 0.4 * load / Math.max(0.02, 1 - load) + 0.0015 * n(v, "buffer");
  },
  errors: (v) => {
    const load = Math.min(1.2, n(v, "rate") / 90);
    return 0.001 + 0.6 * load ** (2 + n(v, "buffer") / 15);
  },
  grid: { rate: even(5, 100, 400), buffer: even(10, 500, 50) },
});

// A cache whose gain stops at the working set, where memory ends soon after: a kink beside a wall.
const cache = solved({
  name: "H2 cache",
  tunables: [logInteger("megabytes", 16, 8192, 64), logInteger("readers", 1, 64, 2)],
  items: 800,
  noise: NOISE,
  objective: (v) => {
    const hit = Math.min(1, (n(v, "megabytes") / 1800) ** 0.6);
    return (0.2 + 3 * (1 - hit)) * (1 / n(v, "readers") + 0.04 * Math.sqrt(n(v, "readers")));
  },
  errors: (v) =>
    0.001 + 0.3 / (1 + Math.exp((2900 - n(v, "megabytes") - 22 * n(v, "readers")) / 150)),
  grid: { megabytes: whole(16, 8192, 400), readers: whole(1, 64, 64) },
});

// The defaults break the guard: the way leads back from load, over an error that falls as workers rest.
const overloaded = solved({
  name: "H3 overloaded",
  tunables: [
    logInteger("workers", 1, 128, 48),
    { name: "pause", kind: "number", scale: "log", min: 0.01, max: 10, default: 0.1 },
  ],
  items: 600,
  noise: { ...NOISE, sigma: 0.2 },
  objective: (v) => (1 + n(v, "pause")) * (1 / n(v, "workers") + 0.004 * n(v, "workers") ** 0.7),
  errors: (v) => 0.003 + 0.017 * (n(v, "workers") / 24 / (1 + 2 * n(v, "pause"))) ** 2,
  grid: { workers: whole(1, 128, 128), pause: whole(1, 1000, 300).map((x) => x / 100) },
});

// Two regions of which the farther is better; the choice decides which of them is there at all.
const valleys = solved({
  name: "H4 valleys",
  tunables: [
    logInteger("chunk", 1, 4096, 16),
    { name: "level", kind: "integer", min: 1, max: 9, default: 6 },
    choice("engine", ["classic", "columnar", "hybrid"], "classic"),
    choice("sync", ["always", "batch"], "always"),
  ],
  items: 700,
  noise: NOISE,
  objective: (v) => {
    const at = Math.log2(n(v, "chunk"));
    const valley = (middle: number, width: number) => ((at - middle) / width) ** 2;
    const shape = v.engine === "classic"
      ? 1.5 + 0.5 * Math.min(4, valley(6, 2))
      : v.engine === "columnar"
      ? 0.9 + 0.6 * Math.min(5, valley(9, 2))
      : 1.3 + 0.2 * Math.min(6, valley(4, 3));
    return shape * (1 + 0.03 * (n(v, "level") - 3) ** 2) * (v.sync === "batch" ? 0.85 : 1);
  },
  errors: (v) =>
    (v.sync === "batch" ? 0.005 : 0.002) + 0.012 * (n(v, "chunk") / 1500) ** 1.2 *
      (v.engine === "columnar" ? 1.3 : 1),
  grid: {
    chunk: whole(1, 4096, 300),
    level: [1, 2, 3, 4, 5, 6, 7, 8, 9],
    engine: ["classic", "columnar", "hybrid"],
    sync: ["always", "batch"],
  },
});

// The defaults are nearly the best: all that can be gained is 4 %, and the guard is far.
const settled = solved({
  name: "H5 settled",
  tunables: [logInteger("batch", 1, 1000, 100), logInteger("threads", 1, 32, 8)],
  items: 1000,
  noise: { ...NOISE, sigma: 0.2 },
  objective: (v) =>
    1 + 0.12 * Math.log(n(v, "batch") / 150) ** 2 + 0.2 * Math.log(n(v, "threads") / 9) ** 2,
  errors: () => 0.004,
  grid: { batch: whole(1, 1000, 300), threads: whole(1, 32, 32) },
});

// Five dimensions of which two matter, under noise with many outliers.
const few = solved({
  name: "H6 two of five",
  tunables: [
    logInteger("a", 1, 256, 4),
    logInteger("b", 1, 256, 64),
    { name: "c", kind: "number", min: 0, max: 1, default: 0.5 },
    { name: "d", kind: "integer", min: 0, max: 20, default: 3 },
    choice("mode", ["x", "y", "z"], "x"),
  ],
  items: 600,
  noise: { sigma: 0.2, outliers: 0.1, tail: 2.2, scale: 0.5, dispersion: 0.4 },
  objective: (v) => (1 + 30 / n(v, "a")) * (1 + 0.8 * (n(v, "c") - 0.8) ** 2 * 10),
  errors: (v) => 0.002 + 0.018 * (n(v, "a") / 70) ** 1.3 * (0.6 + 0.4 * n(v, "c")),
  grid: { a: whole(1, 256, 256), b: [64], c: even(0, 1, 201), d: [3], mode: ["x"] },
});

// Another wall, in the product of two dimensions: connections that run out at once.
const connections = solved({
  name: "H7 connections",
  tunables: [
    logInteger("clients", 1, 256, 4),
    { name: "keep", kind: "number", min: 0, max: 60, default: 5 },
  ],
  items: 700,
  noise: NOISE,
  objective: (v) =>
    (1 / n(v, "clients") + 0.002 * n(v, "clients") ** 0.8) * (1 + 2 / (1 + n(v, "keep"))),
  errors: (v) =>
    0.002 + 0.4 / (1 + Math.exp((40 - n(v, "clients") * (1 + n(v, "keep") / 40)) / 1.5)),
  grid: { clients: whole(1, 256, 256), keep: even(0, 60, 241) },
});

// A page whose size has an optimum well inside the guard, and one better choice.
const pages = solved({
  name: "H8 pages",
  tunables: [
    logInteger("page", 1, 5000, 50),
    { name: "spill", kind: "number", min: 0.1, max: 0.9, step: 0.05, default: 0.5 },
    choice("sort", ["heap", "merge", "radix"], "heap"),
  ],
  items: 500,
  noise: { ...NOISE, dispersion: 0.5 },
  objective: (v) =>
    (200 / n(v, "page") + 0.5 + 0.002 * n(v, "page")) *
    (v.sort === "merge" ? 0.8 : v.sort === "radix" ? 1.2 : 1) *
    (1 + 2 * (n(v, "spill") - 0.3) ** 2),
  errors: (v) => 0.001 + 0.019 * (n(v, "page") * n(v, "spill") / 600) ** 2,
  grid: {
    page: whole(1, 5000, 600),
    spill: even(0.1, 0.9, 17),
    sort: ["heap", "merge", "radix"],
  },
});

/**
 * The surfaces nothing was made with. H2 has shown that walls were not believed, after which the roughness of error
 * rates was made something that is learned; H7 and H8 have come after that.
 */
export const HELD_OUT: readonly Surface[] = [
  queue,
  cache,
  overloaded,
  valleys,
  settled,
  few,
  connections,
  pages,
];
