/** The eight reference surfaces, whose optima are known. */
import type { Values } from "../../../plugins/optimizer/tuner.ts";
import { below } from "../../../plugins/optimizer/normal.ts";
import { choice, logInteger, NOISE, scaled, type Surface } from "./surface.ts";

const n = (values: Values, name: string) => values[name] as number;
const constant = (best: number) => () => best;

const S1: Surface = {
  name: "S1",
  tunables: [logInteger("b", 1, 512, 8)],
  items: 400,
  noise: { ...NOISE, sigma: 0.12 },
  objective: (v) => (120 / n(v, "b") + 4) * (1 + Math.exp((n(v, "b") - 200) / 20)),
  errors: (v) => 0.002 + 0.018 * (n(v, "b") / 110) ** 2,
  best: constant(5.147),
};

const STEP = 60;
const S7: Surface = {
  ...S1,
  name: "S7",
  step: STEP,
  objective: (v, hours) =>
    hours < STEP
      ? S1.objective(v, hours)
      : (60 / n(v, "b") + 4) * (1 + Math.exp((n(v, "b") - 90) / 20)),
  errors: (v, hours) => 0.002 + 0.018 * (n(v, "b") / (hours < STEP ? 110 : 55)) ** 2,
  best: (hours) => hours < STEP ? 5.147 : 5.891,
};

// S2 with a factor on κ, on J, and on the load that breaks the guard.
function two(v: Values, kappa: number): number {
  const b = n(v, "b");
  const c = n(v, "c");
  return (80 / b + 1.5) / scaled(c, 0.05, 0.0015 * kappa) * (1 + (b * c / 4000) ** 4);
}

const S2: Surface = {
  name: "S2",
  tunables: [logInteger("b", 1, 1000, 20), logInteger("c", 1, 64, 4)],
  items: 1000,
  noise: NOISE,
  objective: (v) => two(v, 1),
  errors: (v) => 0.002 + 0.018 * (n(v, "b") * n(v, "c") / 2500) ** 1.5,
  best: constant(0.299),
};

const peak = (hours: number) => Math.max(0, Math.sin(2 * Math.PI * (hours % 24) / 24)) ** 2;
const S6: Surface = {
  ...S2,
  name: "S6",
  daily: true,
  objective: (v, hours) => two(v, 1 + 3 * peak(hours)) * (1 + 0.5 * peak(hours)),
  errors: (v, hours) =>
    0.002 + 0.018 * (n(v, "b") * n(v, "c") / (2500 * (1 - 0.5 * peak(hours)))) ** 1.5,
  best: constant(0.414),
};

const RATIO: Record<string, number> = { none: 1, gzip: 0.35, zstd: 0.3, br: 0.25 };
const COST: Record<string, number> = { none: 0, gzip: 2, zstd: 0.6, br: 5 };
const S3: Surface = {
  name: "S3",
  tunables: [
    logInteger("b", 1, 500, 10),
    logInteger("c", 1, 32, 4),
    choice("codec", ["none", "gzip", "zstd", "br"], "gzip"),
    choice("order", ["fifo", "size"], "fifo"),
  ],
  items: 600,
  noise: NOISE,
  objective: (v) => {
    const c = n(v, "c");
    const size = v.order === "size" ? c > 8 ? 0.93 : 1.02 : 1;
    return (40 / n(v, "b") + 6 * RATIO[v.codec] + COST[v.codec] * Math.max(1, c / 8)) /
      scaled(c, 0.03, 0.002) * size;
  },
  errors: (v) =>
    (v.codec === "zstd" ? 0.004 : 0.003) + 0.02 * (n(v, "c") / 28) ** 3 +
    0.018 * (n(v, "b") / 300) ** 2,
  best: constant(0.35),
};

const S4: Surface = {
  name: "S4",
  tunables: [logInteger("poll", 100, 60_000, 5000), logInteger("fetch", 1, 100, 20)],
  items: 500,
  noise: { ...NOISE, sigma: 0.1 },
  objective: (v) => {
    const poll = n(v, "poll");
    const fetch = n(v, "fetch");
    const load = 0.002 * poll / fetch;
    return 0.95 * poll * (1 + 4 * Math.min(load, 5) ** 4) + 150 + 8 * fetch + 9e5 / poll;
  },
  errors: (v) => 0.003 + 0.017 * (700 / n(v, "poll")) ** 2,
  best: constant(2075),
};

// The normal quantile, by halving: precision matters here, speed does not.
function quantile(p: number): number {
  let low = -40;
  let high = 40;
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (below(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

const S5: Surface = {
  name: "S5",
  tunables: [
    logInteger("timeout", 100, 30_000, 20_000),
    { name: "retries", kind: "integer", min: 0, max: 6, default: 2 },
    choice("backoff", ["fixed", "exp"], "exp"),
  ],
  items: 1000,
  noise: { ...NOISE, sigma: 0.12, dispersion: 0.2 },
  objective: (v) => {
    const timeout = n(v, "timeout");
    const retries = n(v, "retries");
    const done = below((Math.log(timeout) - Math.log(400)) / 0.9);
    const fails = 1 - 0.9312 * done;
    const attempts = Math.min(retries + 1, Math.max(1, Math.log(0.05) / Math.log(fails)));
    const q = Math.exp(Math.log(400) + 0.9 * quantile(0.95 * done));
    const t = 0.96 * (0.03 + 0.97 * (1 - done));
    const d = (16 + t * timeout) / fails;
    const wait = v.backoff === "exp"
      ? 250 * (2 ** (attempts - 1) - 1) / Math.max(0.01, attempts - 1)
      : 500;
    let load = 0;
    for (let i = 0; i <= retries; i++) load += fails ** i;
    return (q + (attempts - 1) * (d + wait) + 0.05 * (load - 1) * timeout) *
      (1 + 0.3 * (load - 1) ** 2);
  },
  errors: (v) => {
    const done = below((Math.log(n(v, "timeout")) - Math.log(400)) / 0.9);
    return (1 - 0.9312 * done) ** (n(v, "retries") + 1);
  },
  best: constant(1869),
};

const S8: Surface = {
  name: "S8",
  tunables: [
    logInteger("b", 1, 1000, 20),
    logInteger("c", 1, 64, 4),
    logInteger("prefetch", 1, 32, 1),
    logInteger("timeout", 1000, 60_000, 30_000),
    choice("codec", ["none", "gzip", "zstd"], "none"),
    choice("priority", ["low", "normal", "high"], "normal"),
  ],
  items: 1000,
  noise: { sigma: 0.25, outliers: 0.08, tail: 2.2, scale: 0.4, dispersion: 0.3 },
  objective: (v) => {
    const b = n(v, "b");
    const c = n(v, "c");
    return (80 / b + 1 + 1.5 * RATIO[v.codec] + 0.5 * COST[v.codec]) / scaled(c, 0.05, 0.0015) *
      (1 + (b * c / 4000) ** 4) * (1 + 0.35 / n(v, "prefetch"));
  },
  errors: (v) =>
    0.002 + 0.018 * (n(v, "b") * n(v, "c") * (1 + n(v, "prefetch") / 64) / 2500) ** 1.5 +
    0.02 * (3000 / n(v, "timeout")) ** 2,
  best: constant(0.342),
};

/** The eight, in the order of the table. */
export const VISIBLE: readonly Surface[] = [S1, S2, S3, S4, S5, S6, S7, S8];
