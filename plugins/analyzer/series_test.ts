import assert from "node:assert/strict";
import { type Labelled, labelled, normalOf, randomOf } from "./_test_series.ts";
import { type Change, Series } from "./series.ts";

const SEED = 20_261_121;
console.log(`seed ${SEED}`);

// A change is found when it is told to have begun within so many runs of where it did.
const NEAR = 10;
// And before so many runs have passed.
const SOON = 60;

interface Score {
  found: number;
  there: number;
  told: number;
}

const shareOf = (part: number, of: number) => of === 0 ? 1 : part / of;

function tell({ runs, judged }: Labelled) {
  const series = new Series();
  const changes: (Change & { at: number })[] = [];
  const anomalies: number[] = [];
  runs.forEach(([time, cost], run) => {
    const { change, anomaly } = series.observe(run, time, cost);
    if (change !== undefined && change.run >= judged) changes.push({ ...change, at: run });
    if (anomaly !== undefined && run >= judged) anomalies.push(run);
  });
  return { changes, anomalies };
}

Deno.test("changes and anomalies of labelled series are found, and little else is", () => {
  const byKind = new Map<string, { change: Score; anomaly: Score; delays: number[] }>();
  let covered = 0, intervals = 0;
  for (const one of labelled(SEED, 40)) {
    const score = byKind.get(one.kind) ?? {
      change: { found: 0, there: 0, told: 0 },
      anomaly: { found: 0, there: 0, told: 0 },
      delays: [],
    };
    byKind.set(one.kind, score);
    const { changes, anomalies } = tell(one);
    score.change.there += one.changes.length;
    score.change.told += changes.length;
    for (const [run, factor] of one.changes) {
      const hit = changes.find((told) =>
        Math.abs(told.run - run) <= NEAR && told.at >= run && told.at < run + SOON
      );
      if (hit === undefined) continue;
      score.change.found++;
      score.delays.push(hit.at - run + 1);
      intervals++;
      if (hit.low <= Math.log(factor) && Math.log(factor) <= hit.high) covered++;
    }
    // What follows a change before it is known of is out of the ordinary, and no false alarm.
    const told = anomalies.filter((run) =>
      one.anomalies.includes(run) || !one.changes.some(([at]) => run >= at && run < at + SOON)
    );
    score.anomaly.there += one.anomalies.length;
    score.anomaly.told += told.length;
    score.anomaly.found += one.anomalies.filter((run) => told.includes(run)).length;
  }
  const total = { change: [0, 0, 0], anomaly: [0, 0, 0] };
  for (const [kind, { change, anomaly, delays }] of byKind) {
    const [median, most] = [0.5, 0.9].map((share) =>
      delays.sort((a, b) => a - b)[Math.floor(share * delays.length)]
    );
    console.log(
      `${kind}: changes ${figures(change)}, told after ${median} runs (90 %: ${most}); ` +
        `anomalies ${figures(anomaly)}`,
    );
    [change, anomaly].forEach((score, i) => {
      const sum = i === 0 ? total.change : total.anomaly;
      sum[0] += score.found;
      sum[1] += score.told;
      sum[2] += score.there;
    });
  }
  const [changes, anomalies] = [total.change, total.anomaly].map(([found, told, there]) => ({
    found,
    told,
    there,
  }));
  console.log(`all: changes ${figures(changes)}; anomalies ${figures(anomalies)}`);
  console.log(`the interval of a change holds the true factor: ${shareOf(covered, intervals)}`);
  assert.ok(shareOf(changes.found, changes.told) >= 0.9, "precision of changes");
  assert.ok(shareOf(changes.found, changes.there) >= 0.95, "recall of changes");
  assert.ok(shareOf(anomalies.found, anomalies.told) >= 0.85, "precision of anomalies");
  assert.ok(shareOf(anomalies.found, anomalies.there) >= 0.9, "recall of anomalies");
});

function figures({ found, told, there }: Score): string {
  const [precision, recall] = [shareOf(found, told), shareOf(found, there)];
  return `precision ${precision.toFixed(2)}, recall ${
    recall.toFixed(2)
  } (${found} of ${there}, ${told} told)`;
}

Deno.test("a steady step changes once in more than a thousand runs, whatever its costs are like", () => {
  const random = randomOf(SEED);
  const draws: Readonly<Record<string, () => number>> = {
    "log-normal (σ 0.15)": () => 0.15 * normalOf(random),
    "log-normal (σ 0.5)": () => 0.5 * normalOf(random),
    "exponential": () => Math.log(-Math.log(1 - random())),
    "Cauchy": () => Math.tan(Math.PI * (random() - 0.5)),
  };
  for (const [name, draw] of Object.entries(draws)) {
    let changes = 0;
    for (let i = 0; i < 20; i++) {
      const series = new Series();
      for (let run = 0; run < 1_000; run++) {
        if (series.observe(run, 1.75e9 + 600 * run, draw()).change !== undefined) changes++;
      }
    }
    console.log(`${name}: ${changes} false changes in 20,000 runs`);
    assert.ok(changes <= 20, `${name}: ${changes}`);
  }
});

Deno.test("what is slow every Monday at eight is no anomaly then, and is one on Tuesday", () => {
  const random = randomOf(SEED);
  const series = new Series();
  const monday = 1_750_032_000;
  const told: number[] = [];
  const weeks = 6;
  for (let hour = 0; hour < weeks * 168; hour++) {
    const slow = hour % 168 === 8 || hour === (weeks - 1) * 168 + 24 + 8 ? Math.log(5) : 0;
    const { anomaly } = series.observe(hour, monday + hour * 3_600, slow + 0.1 * normalOf(random));
    if (anomaly !== undefined && hour >= 4 * 168) told.push(hour - (weeks - 1) * 168);
  }
  assert.deepEqual(told, [32]);
});

Deno.test("a series goes on where it was kept as if nothing had been", () => {
  const random = randomOf(SEED);
  const [whole, told]: [Series, unknown[]] = [new Series(), []];
  let kept = new Series();
  const again: unknown[] = [];
  for (let run = 0; run < 300; run++) {
    const cost = 0.2 * normalOf(random) + (run >= 150 ? 1 : 0);
    told.push(whole.observe(run, 1.75e9 + 1_800 * run, cost));
    kept = new Series(JSON.parse(JSON.stringify(kept.write())));
    again.push(kept.observe(run, 1.75e9 + 1_800 * run, cost));
  }
  const runs = (all: unknown[]) => all.map((one) => (one as { change?: Change }).change?.run);
  assert.deepEqual(runs(again), runs(told));
  assert.ok(
    runs(told).some((run) => run !== undefined && Math.abs(run - 150) <= 2),
    runs(told).join(),
  );
});
