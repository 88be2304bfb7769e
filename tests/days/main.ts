// Leaves the improvement loop alone for 500 simulated days, and says what came of it:
// `deno task test:days [DAYS [RUNS_A_DAY]]`. SEED in the environment repeats one.
import { faults } from "./faults.ts";
import { type Day, leaveAlone } from "./loop.ts";

const [days = 500, runsADay = 4] = Deno.args.map(Number);
const began = performance.now();
const shown = Math.ceil(days / 25);
const found = await leaveAlone({
  days,
  runsADay,
  onSeed: (seed) => console.log(`seed ${seed}`),
  onDay: (day) => day.day % shown === 0 && console.log(line(day)),
});
for (const { number, proposal: { at }, decision: { outcome, rule, message } } of found.entries) {
  const time = new Date(Number(at / 1_000_000n)).toISOString().slice(0, 16);
  if (outcome !== "refused") console.log(`${time} ${number} ${outcome} ${rule}: ${message}`);
}
const count = (outcome: string) =>
  found.entries.filter(({ decision }) => decision.outcome === outcome).length;
console.log(
  `${days} days of ${runsADay} runs: ${count("testing")} changes tried, ${
    count("applied")
  } kept, ` +
    `${count("refused")} refused; ${((performance.now() - began) / 1000).toFixed(0)} s`,
);
const wrong = faults(found, runsADay);
for (const fault of wrong.slice(0, 50)) console.log(`FAULT ${fault}`);
console.log(wrong.length === 0 ? "no faults" : `${wrong.length} faults`);
if (wrong.length > 0) Deno.exit(1);

function line({ day, values, regret, failing, failed, runs, stored, items, entries, heap }: Day) {
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  return `day ${day}: batch ${values.batch}, workers ${values.workers}; ${
    regret.toFixed(2)
  } times ` +
    `the best; ${percent(failed)} failed (${percent(failing)} in truth); ${runs} runs, ` +
    `${(stored / 1e6).toFixed(1)} MB, state ${(items / 1e3).toFixed(0)} kB, ${entries} entries, ` +
    `heap ${(heap / 1e6).toFixed(0)} MB`;
}
