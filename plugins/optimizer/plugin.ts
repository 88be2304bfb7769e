import { definePlugin, type PluginSpan } from "spanloop";
import { CONFIG } from "./config.ts";
import { type Contract, contractOf } from "./contract.ts";
import { begin, conclude, knownOf, learn, propose } from "./loop.ts";
import { concludedBy, measuredBy } from "./measurement.ts";
import { keep, type Known, MOST_WORKFLOWS, recall } from "./memory.ts";
import { apply, suggest, verdicts } from "./steps.ts";

const MEASUREMENT = "experiment.measurement";
const VERDICT = "experiment.verdict";
// The engine's own plugin that measures. What calls itself a measurement otherwise is none (A7).
const ENGINE = "experiments";

/** Searches for values that are better by the workflow's objective, from what the engine measures. */
export default definePlugin({
  name: "optimizer",
  version: "1.0.0",
  description: "Searches for values that are better by the workflow's objective.",
  role: "optimizer",
  subscribe: [{ event: "ended", name: MEASUREMENT }, { event: "ended", name: VERDICT }],
  actions: ["propose"],
  config: CONFIG,
  steps: { suggest, apply, verdicts },
  async onSpan({ span }, { config, now, state, parameters, log }) {
    const { workflow } = span;
    if (workflow === undefined || span.plugin !== ENGINE) return;
    const seen = await parameters(workflow).catch((thrown: Error) => log(thrown.message));
    if (!seen) return;
    const contract = contractOf(workflow, seen, config.parameters);
    if (contract === undefined) return;
    let heard: Heard;
    try {
      heard = hear(span, knownOf(recall(state, workflow), contract), contract, now);
    } catch (thrown) {
      log(`It forgets what it knew of ${workflow}: ${(thrown as Error).message}`);
      heard = { known: begin(contract), open: true };
    }
    const { known, open } = heard;
    const { notes, proposal } = open || seen.experiment !== undefined || !config.propose
      ? { notes: known.notes }
      : propose(known, contract, seen.version, now);
    if (!keep(state, workflow, { ...known, notes })) {
      log(`It tunes ${MOST_WORKFLOWS} workflows and has no room for ${workflow}: use it there`);
      return;
    }
    if (proposal === undefined) return;
    return [{ type: "propose", workflow, ...proposal }];
  },
});

interface Heard {
  readonly known: Known;
  /** Whether an experiment is open, or was until its verdict, which comes next. */
  readonly open: boolean;
}

function hear(
  { name, attributes }: PluginSpan,
  known: Known,
  contract: Contract,
  now: number,
): Heard {
  if (name === VERDICT) {
    const notes = conclude(known.notes, concludedBy(attributes), contract, now);
    return { known: { ...known, notes }, open: false };
  }
  const measured = measuredBy(attributes);
  const notes = learn(known, measured, contract, now);
  return { known: { ...known, notes }, open: measured.experiment !== undefined };
}
