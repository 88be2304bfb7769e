import { definePlugin, type Json, type PluginSpan } from "spanloop";
import {
  CICD_PIPELINE_NAME,
  SPANLOOP_FINDING_ATTEMPTS,
  SPANLOOP_FINDING_P95_BEFORE,
  SPANLOOP_FINDING_P95_NOW,
  SPANLOOP_STEP_ID,
} from "../../semconv/attributes.ts";
import { NOTHING, observe, type Recent } from "./history.ts";

// Of at most 7 KiB each, so that all fit into the state.
const MOST_STEPS = 140;

/** Emits `finding.slow_step` when the 95th percentile of a step's durations leaves its own history. */
export default definePlugin({
  name: "slow_step",
  version: "1.0.0",
  description: "Says when the 95th percentile of a step's durations leaves its own history.",
  role: "analyzer",
  subscribe: { event: "ended", role: "attempt" },
  actions: ["emit"],
  onSpan({ span }, { state, log }) {
    const { workflow, stepId, traceId, spanId } = span;
    const seconds = secondsOf(span);
    if (workflow === undefined || stepId === undefined || seconds === undefined) return;
    const key = `recent/${workflow}/${stepId}`;
    const historyKey = `history/${workflow}/${stepId}`;
    const known = state.get(key) as Recent | undefined;
    if (known === undefined && !hasRoom(state.keys(), log)) return;
    const { recent, history, left } = observe(
      known ?? NOTHING,
      [seconds, traceId, spanId],
      () => (state.get(historyKey) ?? []) as readonly number[],
    );
    state.set(key, recent as unknown as Json);
    if (history !== undefined) state.set(historyKey, history);
    if (left === undefined) return;
    return [{
      type: "emit",
      name: "finding.slow_step",
      attributes: {
        [CICD_PIPELINE_NAME]: workflow,
        [SPANLOOP_STEP_ID]: stepId,
        [SPANLOOP_FINDING_P95_NOW]: left.now,
        [SPANLOOP_FINDING_P95_BEFORE]: left.before,
        [SPANLOOP_FINDING_ATTEMPTS]: left.attempts,
      },
      links: left.slow.map(([, traceId, spanId]) => ({ traceId, spanId })),
    }];
  },
});

// Per item where items are counted, so that batches of another size are no slower step. An attempt that failed says
// nothing of how long the work takes; one that timed out says that it takes long.
function secondsOf({ duration, outcome, items }: PluginSpan): number | undefined {
  if (duration === undefined || (outcome !== "succeeded" && outcome !== "timed_out")) return;
  const count = items === undefined ? 0 : items.processed + items.failed;
  return Number((duration / Math.max(1, count)).toPrecision(4));
}

function hasRoom(keys: readonly string[], log: (line: string) => void): boolean {
  const steps = keys.filter((key) => key.startsWith("recent/")).length;
  if (steps === MOST_STEPS - 1) log(`It watches ${MOST_STEPS} steps now, and no further ones`);
  return steps < MOST_STEPS;
}
