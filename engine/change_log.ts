import { SPANLOOP_PARAMETERS_VERSION, SPANLOOP_PLUGIN_NAME } from "../semconv/attributes.ts";
import { EVENT_SPANLOOP_PARAMETERS_CHANGE } from "../semconv/events.ts";
import type { Logger } from "./core/log.ts";
import type { CarriedOut } from "./core/plugin_report.ts";
import type { Decision } from "./core/proposal.ts";

// What became of a change, in words.
const DID: Readonly<Record<Decision["outcome"], string>> = {
  applied: "changed",
  testing: "tries",
  waiting: "asks to try",
  held: "asks to change",
  refused: "may not change",
  ended: "tried",
};

/** Tells of the changes that plugins and experiments have made or asked for; what was refused is in the ledger alone. */
export function tellChanges(log: Logger, outcomes: readonly CarriedOut[]): void {
  for (const { entry } of outcomes) {
    if (entry === undefined || entry.decision.outcome === "refused") continue;
    const { proposal: { author, workflow }, decision, number, version } = entry;
    if (author.kind !== "plugin" && author.kind !== "engine") continue;
    const by = author.kind === "plugin"
      ? `plugin ${author.name} `
      : decision.rule === "guard"
      ? "the engine "
      : "an experiment ";
    log.log({
      severity: "info",
      body: `${by}${DID[decision.outcome]} ${decision.message} (change ${number})`,
      eventName: EVENT_SPANLOOP_PARAMETERS_CHANGE,
      attributes: {
        ...author.kind === "plugin" ? { [SPANLOOP_PLUGIN_NAME]: author.name } : {},
        ...version === undefined ? {} : { [SPANLOOP_PARAMETERS_VERSION]: version },
      },
      workflow,
    });
  }
}
