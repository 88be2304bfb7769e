import { SPANLOOP_STEP_ID } from "../../semconv/attributes.ts";
import type { EmitAction } from "../core/action.ts";
import { StoreError, TransientError } from "../core/errors.ts";
import type { PluginContext, PluginDefinition, SpanEvent } from "../core/plugin.ts";
import { Hearing } from "./hearing.ts";
import type { ExperimenterPorts, Measured } from "./measured.ts";
import { keepRun, readRun } from "./run_record.ts";

/**
 * The engine's own plugin for a workflow with an objective: it measures the workflow's runs, compares the arms of the
 * experiment that is open, and ends it with its verdict.
 *
 * Invariants: A6 (only what one arm did alone is compared), A7 (it hears the workflow's own spans alone), P4 (values are
 * those of the attempts' spans), T3 (its evidence is in its state, and what the ledger says of later than the span that it
 * hears counts for nothing: told the same spans again, after a crash, it does the same).
 */
export function experimenter(
  measured: Measured,
  ports: ExperimenterPorts,
): PluginDefinition {
  const steps = Object.keys(measured.tries);
  return {
    name: "experiments",
    description: "Measures what is tuned, and ends experiments with a verdict.",
    role: "analyzer",
    subscribe: [
      ...steps.map((id) => ({ role: "attempt" as const, attributes: { [SPANLOOP_STEP_ID]: id } })),
      { role: "step", attributes: { [SPANLOOP_STEP_ID]: measured.of } },
      { role: "run" },
      { role: "resume" },
    ],
    actions: ["emit"],
    onSpan: ({ span }: SpanEvent, context: PluginContext) => {
      const { state } = context;
      if (span.runId === undefined) return;
      const { runId } = span;
      const record = readRun(state, runId);
      const hearing = new Hearing(measured, ports, context, span, record);
      const made = hearing.hear();
      // What most attempts come to costs no promise.
      if (!(made instanceof Promise)) return keepRun(state, runId, record, hearing.record);
      return made.then((actions) => {
        keepRun(state, runId, record, hearing.record);
        // The host knows of the actions that no other plugin may ask for.
        return actions as EmitAction[];
      }, (thrown) => {
        throw thrown instanceof StoreError ? new TransientError(thrown.message) : thrown;
      });
    },
  };
}
