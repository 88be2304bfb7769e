/**
 * `deno task chaos [--kills N] [--plugins N] [--seed S] [--run R] [--parallel P]`: kills engines in the middle of runs, or
 * (`--plugins`) as they host plugins, and checks what is left.
 */
import { campaign } from "./campaign.ts";
import { pluginCampaign } from "./plugin_campaign.ts";

const options = new Map<string, number>();
for (let i = 0; i < Deno.args.length; i += 2) {
  const name = /^--(kills|plugins|seed|run|parallel)$/.exec(Deno.args[i])?.[1];
  const value = Number(Deno.args[i + 1]);
  if (name === undefined || !Number.isInteger(value) || value < 0) {
    console.error(
      "usage: chaos [--kills N] [--plugins N] [--seed S] [--run R] [--parallel P], whole numbers",
    );
    Deno.exit(2);
  }
  options.set(name, value);
}
const seed = options.get("seed") ?? crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000;
const parallel = options.get("parallel") ?? 2;
console.log(`seed ${seed}`);
const began = performance.now();
const tell = (what: string, kinds: Readonly<Record<string, number>>) =>
  console.log(
    `${what}, ${((performance.now() - began) / 1000).toFixed(1)} s; ` +
      Object.entries(kinds).map(([kind, count]) => `${kind} ${count}`).join(", "),
  );
const plugins = options.get("plugins");
if (plugins === undefined) {
  const { kills, interrupting, attempts, resumes, runs, kinds } = await campaign({
    seed,
    kills: options.get("kills") ?? 1000,
    parallel,
    only: options.get("run"),
    onRun: (line) => console.log(line),
  });
  tell(
    `${kills} kills, ${interrupting} of them interrupted ${attempts} attempts; ${resumes} resumes, ` +
      `${runs} runs through`,
    kinds,
  );
} else {
  const { kills, between, events, decisions, kinds } = await pluginCampaign({
    seed,
    kills: plugins,
    parallel,
    onStore: (line) => console.log(line),
  });
  tell(
    `${kills} kills of plugins' hosts, ${between} of them between a decision and its event's cursor; ` +
      `${events} events, ${decisions} decisions`,
    kinds,
  );
}
