import { definePlugin, type Json, type PluginSpan } from "spanloop";
import {
  SPANLOOP_EXPERIMENT_ARM,
  SPANLOOP_FINDING_HEALTH_ERRORS,
  SPANLOOP_FINDING_HEALTH_SUCCESS,
  SPANLOOP_FINDING_MESSAGE,
  SPANLOOP_FINDING_STATE,
  SPANLOOP_FINDING_STATE_VALUE_BEGUN,
  spanloopParameter,
} from "../../semconv/attributes.ts";
import { CONFIG, type Config } from "./config.ts";
import { begin, hear, look, type Sample, type Watch } from "./rule.ts";

const MOST_EVIDENCE = 50;
const FINDING = "finding.health";

/** Proposes more concurrency while runs wait and are well, and less when they are not. */
export default definePlugin({
  name: "queue_scaling",
  version: "1.0.0",
  description: "Does more at once while runs wait and are well, and less when they are not.",
  role: "optimizer",
  subscribe: [{ event: "ended", role: "run" }, { event: "ended", name: FINDING }],
  actions: ["propose"],
  config: CONFIG,
  async onSpan({ span }, { config, state, parameters }) {
    const { workflow } = span;
    const sample = sampleOf(span);
    if (workflow === undefined || (sample === undefined && span.name !== FINDING)) return;
    let watch = state.get(workflow) as Watch | undefined;
    // Of a run: the value that ruled it.
    const value = span.attributes[spanloopParameter(config.parameter)];
    if (sample === undefined ? watch === undefined : value === undefined) return;
    const { version, parameters: { [config.parameter]: now } } = await parameters(workflow);
    // Used for all workflows it leaves alone those without such a parameter.
    if (now === undefined) return;
    // A run that began before another value ruled.
    if (typeof now.value !== "number" || (sample !== undefined && value !== now.value)) return;
    if (now.value !== watch?.value) watch = begin(now.value, watch);
    const { watch: after, reason } = sample === undefined
      ? hear(watch, isIll(span, config), messageOf(span), config, now)
      : look({ ...watch, samples: [...watch.samples, sample] }, config, now);
    state.set(workflow, after as unknown as Json);
    if (reason === undefined || after.asked === undefined) return;
    const heard = [...watch.samples, span];
    return [{
      type: "propose",
      workflow,
      changes: { [config.parameter]: after.asked.value },
      reason,
      evidence: heard.slice(-MOST_EVIDENCE).map(({ traceId, spanId }) => ({ traceId, spanId })),
      version,
      immediate: true,
    }];
  },
});

// One that was cancelled or skipped says nothing of the workflow, and a candidate's failures are its experiment's.
function sampleOf(span: PluginSpan): Sample | undefined {
  const { traceId, spanId, attributes, outcome, role, runId, startTime } = span;
  if (role !== "run" || attributes[SPANLOOP_EXPERIMENT_ARM] === "candidate") return undefined;
  if (outcome !== "succeeded" && outcome !== "failed" && outcome !== "timed_out") return undefined;
  const waited = Number(Math.max(0, startTime - madeAt(runId, startTime)).toFixed(3));
  return { traceId, spanId, waited, succeeded: outcome === "succeeded" };
}

// When a run was made, seconds since the Unix epoch: a UUIDv7 (RFC 9562) begins with that in milliseconds.
function madeAt(runId: string | undefined, otherwise: number): number {
  const [, high, low] = /^([0-9a-f]{8})-([0-9a-f]{4})-7/.exec(runId ?? "") ?? [];
  return high === undefined ? otherwise : parseInt(high + low, 16) / 1_000;
}

// Long waits and slow steps are a part of health as well, and more at once is what helps against them.
function isIll({ attributes }: PluginSpan, { health }: Config): boolean {
  if (attributes[SPANLOOP_FINDING_STATE] !== SPANLOOP_FINDING_STATE_VALUE_BEGUN) return false;
  return [SPANLOOP_FINDING_HEALTH_SUCCESS, SPANLOOP_FINDING_HEALTH_ERRORS]
    .some((part) => Number(attributes[part] ?? 100) < health);
}

function messageOf({ attributes }: PluginSpan): string {
  return String(attributes[SPANLOOP_FINDING_MESSAGE] ?? "its health has fallen");
}
