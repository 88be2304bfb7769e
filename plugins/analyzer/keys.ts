import type { PluginState } from "spanloop";
import { FLOW, type Flow } from "./flow.ts";
import { STEP, type Step } from "./step.ts";

// Of at most 9 KB a step and, with names of common length, 30 KB a workflow, so that all fit into the state.
const MOST_STEPS = 64;
const MOST_FLOWS = 12;
const LONG_S = 30 * 86_400;

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

/** What is known of a workflow; undefined where there is no room for one that is new. */
export function heldFlow(
  state: PluginState,
  workflow: string,
  now: number,
  log: Log,
): Flow | undefined {
  const key = keyOf.flow(workflow);
  if (!state.has(key) && !hasRoom(state, "flow", now, log)) return undefined;
  return state.hold(key, FLOW);
}

/** What is known of a step; undefined where there is no room for one that is new. */
export function heldStep(
  state: PluginState,
  workflow: string,
  step: string,
  now: number,
  log: Log,
): Step | undefined {
  const key = keyOf.step(workflow, step);
  if (!state.has(key) && !hasRoom(state, "step", now, log)) return undefined;
  return state.hold(key, STEP);
}

// What has not been heard of for long makes room for what is new. Others do not: of more steps than there is room for
// that take turns nothing would be known.
function hasRoom(state: PluginState, kind: "flow" | "step", now: number, log: Log): boolean {
  const others = state.keys().filter((other) => other.startsWith(`${kind}/`));
  const most = kind === "flow" ? MOST_FLOWS : MOST_STEPS;
  if (others.length === most - 1) {
    log(
      `It knows ${most} ${kind === "flow" ? "workflows" : "steps"} now, and has no room for more`,
    );
  }
  if (others.length < most) return true;
  const seen = (key: string) =>
    kind === "flow" ? state.hold(key, FLOW).last : state.hold(key, STEP).seen;
  const oldest = others.reduce((a, b) => seen(a) <= seen(b) ? a : b);
  if (now - seen(oldest) < LONG_S) return false;
  state.delete(oldest);
  return true;
}
