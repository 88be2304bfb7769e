/**
 * How quickly and how safely the tuner finds good values, on surfaces with known optima. Prints the tables in Markdown.
 *
 *     deno task bench:tuner [--seeds N] [--only S1,S2] [--speed]
 */
import { parseArgs } from "node:util";
import { campaign } from "./campaign.ts";
import { HELD_OUT } from "./held_out.ts";
import { speed } from "./speed.ts";
import type { Surface } from "./surface.ts";
import { goals, type Result, table } from "./table.ts";
import { VISIBLE } from "./visible.ts";

const RUNS = 50;
const RUNS_WITH_STEP = 100;

function run(surfaces: readonly Surface[], seeds: number, first: number): Result[] {
  return surfaces.map((surface) => {
    const runs = surface.step === undefined ? RUNS : RUNS_WITH_STEP;
    const campaigns = Array.from({ length: seeds }, (_, i) => campaign(surface, first + i, runs));
    console.error(`${surface.name}: ${seeds} seeds of ${runs} runs`);
    return { name: surface.name, campaigns };
  });
}

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      seeds: { type: "string", default: "30" },
      first: { type: "string", default: "1" },
      only: { type: "string" },
      speed: { type: "boolean", default: false },
    },
  });
  const only = values.only?.split(",");
  const wanted = (surface: Surface) =>
    only === undefined || only.includes(surface.name.split(" ")[0]);
  if (!values.speed) {
    const seeds = Number(values.seeds);
    const visible = run(VISIBLE.filter(wanted), seeds, Number(values.first));
    const heldOut = run(HELD_OUT.filter(wanted), seeds, Number(values.first));
    console.log(
      `Median regret in % of J* after 10/25/50 runs over ${seeds} seeds; v: items over the guard, %.\n`,
    );
    console.log(table(visible));
    console.log(`\n${goals(visible)}`);
    console.log(`\nHeld out:\n\n${table(heldOut)}`);
  }
  console.log(`\n${speed()}`);
}
