import { definePlugin, type PluginSpan, type TunableParameters } from "spanloop";
import { CONFIG } from "./config.ts";
import { type Contract, contractOf } from "./contract.ts";
import { begin, conclude, knownOf, learn, look, propose, retreat } from "./loop.ts";
import { concludedBy, ENGINE, measuredBy, MEASUREMENT, VERDICT } from "./measurement.ts";
import { keep, type Known, MOST_WORKFLOWS, type Notes, recall } from "./memory.ts";
import { pastOf, relearn } from "./past.ts";
import { apply, suggest, verdicts } from "./steps.ts";

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
  async onSpan({ span }, { config, now, state, parameters, query, log }) {
    const { workflow } = span;
    if (workflow === undefined || span.plugin !== ENGINE) return;
    const seen = await parameters(workflow).catch((thrown: Error) => log(thrown.message));
    if (!seen) return;
    const contract = contractOf(workflow, seen, config.parameters);
    if (contract === undefined) return;
    let reaction: Reaction;
    try {
      const kept = recall(state, workflow);
      // What came with this one it hears next.
      const past = kept === undefined
        ? (await query(pastOf(workflow))).filter(({ startTime }) => startTime < span.startTime)
        : [];
      const known = knownOf(kept ?? relearn(past, contract), contract);
      reaction = react(span, known, contract, seen, config.propose, now);
    } catch (thrown) {
      // What another version of it has kept, perhaps.
      log(`It forgets what it knew of ${workflow}: ${(thrown as Error).message}`);
      reaction = { known: begin(contract) };
    }
    const { known, proposal } = reaction;
    if (!keep(state, workflow, known)) {
      log(`It tunes ${MOST_WORKFLOWS} workflows and has no room for ${workflow}: use it there`);
      return;
    }
    if (proposal === undefined) return;
    return [{ type: "propose", workflow, ...proposal }];
  },
});

interface Reaction {
  readonly known: Known;
  readonly proposal?: ReturnType<typeof propose>["proposal"];
}

function react(
  span: PluginSpan,
  { tuner, notes: before }: Known,
  contract: Contract,
  { version, experiment }: TunableParameters,
  proposes: boolean,
  now: number,
): Reaction {
  let notes: Notes;
  // Whether an experiment is open, or was until its verdict, which comes next.
  let open = experiment !== undefined;
  if (span.name === VERDICT) {
    notes = conclude(before, concludedBy(span.attributes), contract);
  } else {
    const measured = measuredBy(span);
    notes = learn({ tuner, notes: before }, measured, contract, now);
    open ||= measured.experiment !== undefined;
  }
  // Before the verdict on something else is heard, that may rule already.
  if (span.name === VERDICT || !open) notes = look(notes, contract);
  const known = { tuner, notes };
  if (!proposes) return { known };
  const back = retreat(known, contract, version, now);
  if (back !== undefined) return { known, proposal: back };
  if (open) return { known };
  const next = propose(known, contract, version, now);
  return { known: { tuner, notes: next.notes }, proposal: next.proposal };
}
