/** `deno task chaos [--kills N] [--seed S] [--run R] [--parallel P]`: kills engines and checks what is left. */
import { campaign } from "./campaign.ts";

const options = new Map<string, number>();
for (let i = 0; i < Deno.args.length; i += 2) {
  const name = /^--(kills|seed|run|parallel)$/.exec(Deno.args[i])?.[1];
  const value = Number(Deno.args[i + 1]);
  if (name === undefined || !Number.isInteger(value) || value < 0) {
    console.error("usage: chaos [--kills N] [--seed S] [--run R] [--parallel P], whole numbers");
    Deno.exit(2);
  }
  options.set(name, value);
}
const seed = options.get("seed") ?? crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000;
console.log(`seed ${seed}`);
const began = performance.now();
const result = await campaign({
  seed,
  kills: options.get("kills") ?? 1000,
  parallel: options.get("parallel") ?? 2,
  only: options.get("run"),
  onRun: (line) => console.log(line),
});
const { kills, interrupting, attempts, resumes, runs, kinds } = result;
console.log(
  `${kills} kills, ${interrupting} of them interrupted ${attempts} attempts; ${resumes} resumes, ` +
    `${runs} runs through, ${((performance.now() - began) / 1000).toFixed(1)} s; ` +
    Object.entries(kinds).map(([kind, count]) => `${kind} ${count}`).join(", "),
);
