/** Series of costs whose changes and anomalies are known, for tests. */

/** A series with what was put into it. */
export interface Labelled {
  /** What kind it is, for the figures. */
  readonly kind: string;
  /** By run: when it began, seconds since the epoch, and what it cost, on a logarithmic scale. */
  readonly runs: readonly (readonly [time: number, cost: number])[];
  /** The runs with which the level changed, and by which factor. */
  readonly changes: readonly (readonly [run: number, factor: number])[];
  /** Runs that are out of the ordinary. */
  readonly anomalies: readonly number[];
  /** The first run of which anything is judged. */
  readonly judged: number;
}

/** Mulberry32: small, and good enough to draw costs with. */
export function randomOf(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ seed >>> 15, 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed)) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
}

/** A standard normal value. */
export function normalOf(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

const MONDAY = 1_750_032_000; // 2025-06-16 00:00 UTC
const FACTORS = [1.5, 2, 3, 1 / 1.5, 1 / 2, 1 / 3];

/** Series of each kind, `each` of them. */
export function labelled(seed: number, each: number): readonly Labelled[] {
  const random = randomOf(seed);
  const spread = (sigma: number) => sigma * normalOf(random);
  const outlier = () => random() < 0.05 ? Math.log(1 + 0.3 * (1 - random()) ** (-1 / 2.5)) : 0;
  const flat = () => 0;
  const cycle = (time: number) =>
    0.4 * Math.sin(2 * Math.PI * time / 86_400) + ((time - MONDAY) % 604_800 >= 432_000 ? -0.3 : 0);
  const kinds: readonly {
    readonly kind: string;
    readonly every: number;
    readonly noise: () => number;
    readonly season: (time: number) => number;
    readonly judged: number;
  }[] = [
    { kind: "every minute", every: 60, noise: () => spread(0.15), season: flat, judged: 40 },
    { kind: "daily", every: 86_400, noise: () => spread(0.15), season: flat, judged: 40 },
    { kind: "hourly, noisy", every: 3_600, noise: () => spread(0.3), season: flat, judged: 40 },
    {
      kind: "hourly, outliers",
      every: 3_600,
      noise: () => spread(0.15) + outlier(),
      season: flat,
      judged: 40,
    },
    {
      kind: "hourly, by the hour of the week",
      every: 3_600,
      noise: () => spread(0.15),
      season: cycle,
      judged: 3 * 168,
    },
  ];
  return kinds.flatMap(({ kind, every, noise, season, judged }) =>
    Array.from({ length: each }, (): Labelled => {
      const changes = [1, 2, 3].map((place): [number, number] => [
        judged + 100 * place + Math.floor(40 * random()),
        FACTORS[Math.floor(FACTORS.length * random())],
      ]);
      const anomalies = changes.map(([run]) => run - 25 - Math.floor(20 * random()));
      let level = 0;
      const runs = Array.from({ length: judged + 450 }, (_, run): [number, number] => {
        const time = MONDAY + run * every;
        level += Math.log(changes.find(([at]) => at === run)?.[1] ?? 1);
        const odd = anomalies.includes(run) ? Math.log(5) : 0;
        return [time, level + season(time) + noise() + odd];
      });
      return { kind, runs, changes, anomalies, judged };
    })
  );
}
