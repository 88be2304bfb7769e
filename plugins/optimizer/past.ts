/** What was measured of a workflow before the plugin heard of it: by `improve`, say, or while another one learned. */
import type { PluginSpan, SpanQuery } from "spanloop";
import { SPANLOOP_MEASUREMENT_GOAL } from "../../semconv/attributes.ts";
import type { Contract } from "./contract.ts";
import { begin, conclude, learn } from "./loop.ts";
import { concludedBy, ENGINE, measuredBy, MEASUREMENT, VERDICT } from "./measurement.ts";
import type { Known } from "./memory.ts";

// As many as are worth the time that it takes to learn from them.
const MOST = 50;

/** What there is to learn from. */
export function pastOf(workflow: string): SpanQuery {
  return { plugin: ENGINE, workflow, limit: MOST };
}

/**
 * Learns from the engine's spans, the newest first, as if it had heard them: from the first on that was measured for
 * what the workflow is tuned for now. Undefined when there is none. Throws TunerError.
 */
export function relearn(spans: readonly PluginSpan[], contract: Contract): Known | undefined {
  const last = spans.findIndex(({ name, attributes }) =>
    name === MEASUREMENT && attributes[SPANLOOP_MEASUREMENT_GOAL] !== contract.goal
  );
  const same = (last < 0 ? spans : spans.slice(0, last)).toReversed();
  if (!same.some(({ name }) => name === MEASUREMENT)) return undefined;
  const { tuner, notes: none } = begin(contract);
  let notes = none;
  for (const span of same) {
    if (span.name === MEASUREMENT) {
      notes = learn({ tuner, notes }, measuredBy(span), contract, span.startTime);
    } else if (span.name === VERDICT && notes.told > 0) {
      notes = conclude(notes, concludedBy(span.attributes), contract);
    }
  }
  return { tuner, notes };
}
