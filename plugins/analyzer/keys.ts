import type { PluginState } from "spanloop";
import { FLOW, type Flow } from "./flow.ts";
import { STEP, type Step } from "./step.ts";

// Of at most 9 KiB a step and 24 KiB a workflow, so that all fit into the state.
const MOST_STEPS = 64;
const MOST_FLOWS = 16;

/** Under which keys what is known is kept; neither name has a slash. */
export const keyOf = {
  flow: (workflow: string): string => `flow/${workflow}`,
  step: (workflow: string, step: string): string => `step/${workflow}/${step}`,
};

/** What a key says; undefined for one that is none of these. */
export function readKey(
  key: string,
): { readonly workflow: string; readonly step?: string } | undefined {
  const [kind, workflow, step] = key.split("/");
  if (kind === "flow" && workflow !== undefined) return { workflow };
  return kind === "step" && step !== undefined ? { workflow, step } : undefined;
}

type Log = (line: string) => void;

/** What is known of a workflow. */
export function heldFlow(state: PluginState, workflow: string, log: Log): Flow {
  const key = keyOf.flow(workflow);
  return state.hold(key, {
    ...FLOW,
    read: (kept) => FLOW.read(kept ?? made(state, "flow", MOST_FLOWS, log)),
  });
}

/** What is known of a step. */
export function heldStep(state: PluginState, workflow: string, step: string, log: Log): Step {
  const key = keyOf.step(workflow, step);
  return state.hold(key, {
    ...STEP,
    read: (kept) => STEP.read(kept ?? made(state, "step", MOST_STEPS, log)),
  });
}

// Room for one that is new: what was heard of longest ago is forgotten.
function made(state: PluginState, kind: "flow" | "step", most: number, log: Log): undefined {
  const others = state.keys().filter((other) => other.startsWith(`${kind}/`));
  if (others.length < most) return;
  const seen = (key: string) =>
    kind === "flow" ? state.hold(key, FLOW).last : state.hold(key, STEP).seen;
  const oldest = others.reduce((a, b) => seen(a) <= seen(b) ? a : b);
  state.delete(oldest);
  const [, workflow, step] = oldest.split("/");
  log(
    step === undefined
      ? `It knows ${most} workflows, and forgets ${workflow}, of which it has heard longest ago`
      : `It knows ${most} steps, and forgets ${step} of ${workflow}, of which it has heard longest ago`,
  );
}
