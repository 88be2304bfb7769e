/**
 * How often verdicts are wrong, and how soon they come: prints the tables of FIGURES.md.
 *
 *     deno task test:sequential [--experiments N] [--seed N] [--only PART_OF_A_NAME]
 */
import { parseArgs } from "node:util";
import { campaign } from "./campaign.ts";
import { missed } from "./coverage.ts";
import { NULLS, POWERS } from "./truths.ts";

const percent = (share: number) => (share * 100).toFixed(1);

if (import.meta.main) {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      experiments: { type: "string", default: "2000" },
      seed: { type: "string", default: "1" },
      only: { type: "string" },
    },
  });
  const [experiments, seed] = [Number(values.experiments), Number(values.seed)];
  for (const [title, truths] of [["Nothing is better", NULLS], ["Something is", POWERS]] as const) {
    console.log(`${title}: ${experiments} experiments each, seed ${seed}\n`);
    console.log(
      "| | improved % | regressed % | of these by a guard % | futile % | budget % | covered % | pairs | pairs to improved | items to guard |",
    );
    console.log("| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |");
    for (const [name, truth] of Object.entries(truths)) {
      if (values.only !== undefined && !name.includes(values.only)) continue;
      const rates = campaign(truth, experiments, seed);
      const cells = [
        ...[rates.improved, rates.regressed, rates.guard, rates.futile, rates.budget, rates.covered]
          .map(percent),
        rates.pairs,
        ...[rates.pairsToImproved, rates.itemsToGuard].map((n) => n === Infinity ? "" : n),
      ];
      console.log(`| ${name} | ${cells.join(" | ")} |`);
    }
    console.log("");
  }
  console.log("The interval alone, looked at 60 times whatever it says\n");
  console.log("| | missed % |");
  console.log("| --- | --: |");
  for (
    const name of [
      "split, normal noise",
      "split",
      "split, worst noise",
      "whole runs",
      "whole runs, worst noise",
    ]
  ) console.log(`| ${name} | ${percent(missed(NULLS[name], experiments, seed))} |`);
}
