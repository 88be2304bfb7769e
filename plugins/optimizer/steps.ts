/** The plugin's step types, of which a workflow that improves others is made. */
import type { JsonObject, PluginStep } from "spanloop";
import type { Config } from "./config.ts";
import { contractOf } from "./contract.ts";
import { knownOf, next, retreat } from "./loop.ts";
import { concludedBy, ENGINE, VERDICT } from "./measurement.ts";
import { recall } from "./memory.ts";
import { pastOf, relearn } from "./past.ts";

const WORKFLOW = { type: "string", description: "The workflow that is tuned." } as const;
const SHOWN = 10;
const MOST = 1_000;

/** What it would try next, without trying it. */
export const suggest: PluginStep = {
  with: {
    type: "object",
    additionalProperties: false,
    required: ["workflow"],
    properties: { workflow: WORKFLOW },
  },
  async run(context) {
    const workflow = String(context.with.workflow);
    const state = await context.kept(workflow);
    const kept = recall({ get: (key) => state[key] }, workflow);
    const past = kept === undefined ? await context.query(pastOf(workflow)) : [];
    const unknown = `No run of ${workflow} has been measured yet`;
    // Of one that never ran nothing else is known, its parameters included.
    if (kept === undefined && past.length === 0) return none(unknown, 0);
    const seen = await context.parameters(workflow);
    const nothing = (reason: string) => none(reason, seen.version);
    const contract = contractOf(workflow, seen, (context.config as Config).parameters);
    if (contract === undefined) {
      return nothing(`${workflow} has no \`tune.objective\`, or no parameter that may be tuned`);
    }
    const known = kept ?? relearn(past, contract);
    if (known === undefined) return nothing(unknown);
    const now = knownOf(known, contract);
    const back = retreat(now, contract, seen.version, context.now);
    if (back !== undefined) {
      const { changes, reason } = back;
      return { changes, reason, exposure: 1, immediate: true, version: seen.version };
    }
    if (seen.experiment !== undefined) {
      return nothing(`${JSON.stringify(seen.experiment.values)} is being tried`);
    }
    const { told, rest } = known.notes;
    if (told < rest) {
      return nothing(`Much was tried in vain: it rests for ${rest - told} more runs`);
    }
    const found = next(now, contract, seen.version, context.now);
    if (found === undefined) return nothing("Nothing near promises more than what rules");
    const { changes, reason, exposure, version } = found;
    return { changes, reason, exposure, immediate: false, version };
  },
};

function none(reason: string, version: number): JsonObject {
  return { changes: {}, reason, version };
}

/** Proposes what `suggest` gave, or what a person writes; without changes it does nothing. */
export const apply: PluginStep = {
  with: {
    type: "object",
    additionalProperties: false,
    required: ["workflow", "changes", "reason"],
    properties: {
      workflow: WORKFLOW,
      changes: { type: "object", description: "The wanted values by parameter." },
      reason: { type: "string", description: "Why, a sentence." },
      exposure: {
        type: "number",
        exclusiveMinimum: 0,
        maximum: 1,
        description: "The share of the items that it is tried on.",
      },
      immediate: { type: "boolean", description: "Whether it rules at once, without being tried." },
      version: {
        type: "integer",
        minimum: 0,
        description: "The version of the values that it was worked out from.",
      },
    },
  },
  async run({ with: given, propose }) {
    const { workflow, changes, reason, exposure, immediate, version } = given as {
      readonly workflow: string;
      readonly changes: JsonObject;
      readonly reason: string;
      readonly exposure?: number;
      readonly immediate?: boolean;
      readonly version?: number;
    };
    if (Object.keys(changes).length === 0) return { outcome: "none", message: reason };
    const decision = await propose({
      workflow,
      changes,
      reason,
      ...immediate ? { immediate } : exposure !== undefined && { exposure },
      ...version !== undefined && { version },
    });
    return { ...decision };
  },
};

/** The last verdicts, newest first: those of the store, whoever heard them. */
export const verdicts: PluginStep = {
  with: {
    type: "object",
    additionalProperties: false,
    required: ["workflow"],
    properties: {
      workflow: WORKFLOW,
      limit: {
        type: "integer",
        minimum: 1,
        maximum: MOST,
        default: SHOWN,
        description: "At most so many.",
      },
    },
  },
  async run({ with: { workflow, limit = SHOWN }, query }) {
    const spans = await query({
      plugin: ENGINE,
      name: VERDICT,
      workflow: String(workflow),
      limit: Number(limit),
    });
    const told = spans.map(({ startTime: time, attributes }) => {
      const { outcome, action, message } = concludedBy(attributes);
      return { time, outcome, action, message };
    });
    return { verdicts: told };
  },
};
