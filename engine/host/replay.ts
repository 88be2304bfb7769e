import { SpanloopError } from "../core/errors.ts";
import type { ActionOutcome } from "../core/plugin_report.ts";
import type { PluginUse } from "../core/plugin_use.ts";
import type { LedgerEntry, Snapshot } from "../core/proposal.ts";
import type { SpanReference } from "../core/span.ts";
import type { Store } from "../core/store.ts";
import type { Contract } from "../parameters/entries.ts";
import { ParameterLedger } from "../parameters/ledger.ts";
import { Effects } from "./effects.ts";
import { effectiveGrant } from "./grant.ts";
import type { Heard } from "./heard.ts";
import type { Opened } from "./instance.ts";
import { answeredBy, callOf } from "./item.ts";
import { Judge } from "./judge.ts";
import { threwError } from "./plugin_error.ts";
import { instanceId } from "./record.ts";
import { Routes } from "./routes.ts";
import { compileSubscriptions } from "./subscription.ts";

/** What a replay needs. */
export interface ReplayPorts {
  /** What was tuned and decided when the spans were made. */
  readonly past: PastStore;
  /** The zone of blackout windows that name none. */
  readonly machineZone: string;
  /** A workflow's parameters and contract; undefined for one that is not known. */
  readonly contract: (workflow: string) => Promise<Contract | undefined>;
}

/**
 * Hands events of the past to a plugin that was just opened, and says what each of its actions would have come to. It
 * goes the way of the host (the same routes, judge, effects, policy), but its decisions are written to memory, commands
 * start nothing, and the plugin begins without state. Throws SpanloopError `plugin.threw` where the plugin throws.
 *
 * Invariant: T4 (no time but the events': the same events give the same outcomes).
 */
export async function* replay(
  use: PluginUse,
  opened: Opened,
  events: Iterable<Heard>,
  ports: ReplayPorts,
): AsyncIterable<ActionOutcome> {
  const { link, description, config, own } = opened;
  const { name, workflow } = use;
  const grant = effectiveGrant(use, own, description);
  const { see, workflows, external } = grant;
  const routes = new Routes<true>();
  const { spans } = compileSubscriptions(description.subscribe);
  routes.add(true, spans, { plugin: name, workflow, see, workflows, external });
  const judge = new Judge({
    id: instanceId(name, workflow),
    workflow,
    declared: description.actions,
    grant,
  });
  const { past, machineZone } = ports;
  const effects = new Effects({
    store: past,
    ledger: new ParameterLedger({ store: past, machineZone }),
    contract: ports.contract,
    // It would have been given; whether anything listens now says nothing of then.
    command: () => Promise.resolve([""]),
  });
  link.start(config, {}, workflow);
  for (const heard of events) {
    past.hear(heard);
    if (routes.match(heard).length === 0) continue;
    const handled = await link.handle([callOf({ heard })]);
    if (handled.failure !== undefined) {
      const { message } = threwError(handled.failure);
      throw new SpanloopError(
        "plugin.threw",
        `${name} threw at event ${heard.position}: ${message}`,
      );
    }
    for (const { actions } of handled.actions) {
      const answered = answeredBy({ heard }, workflow);
      const { outcomes } = await effects.carryOut(
        { name, workflow, grant, judge },
        answered,
        actions,
      );
      for (const { entry: _, ...outcome } of outcomes) yield outcome;
    }
  }
}

interface Before {
  snapshot(workflow: string): Promise<Snapshot>;
  ledger: Store["ledger"];
  known: Store["known"];
  run: Store["run"];
}

/** What was before the events of a replay, and what the replay decides, which is kept here alone. */
export class PastStore implements Pick<Store, "snapshot" | "ledger" | "decide" | "known" | "run"> {
  readonly #before: Before;
  readonly #snapshots = new Map<string, Snapshot>();
  readonly #entries: LedgerEntry[] = [];
  readonly #spans = new Set<string>();

  /** Begins with what was `before`. */
  constructor(before: Before) {
    this.#before = before;
  }

  /** An event is replayed: its span is known from now on. */
  hear(heard: Heard): void {
    this.#spans.add(keyOf(heard.kind === "journal" ? heard.start.span : heard.span));
  }

  /** See Store. */
  snapshot(workflow: string): Promise<Snapshot>;
  /** See Store. */
  snapshot(workflow: string, version: number): Promise<Snapshot | undefined>;
  async snapshot(workflow: string): Promise<Snapshot> {
    return this.#snapshots.get(workflow) ?? await this.#before.snapshot(workflow);
  }

  /** See Store. */
  run(runId: string): ReturnType<Store["run"]> {
    return this.#before.run(runId);
  }

  /** See Store. */
  async ledger(query: Parameters<Store["ledger"]>[0]): Promise<readonly LedgerEntry[]> {
    const { workflow, proposal, outcome, since } = query;
    const own = this.#entries.filter((entry) =>
      (workflow === undefined || entry.proposal.workflow === workflow) &&
      (proposal === undefined || entry.proposal.id === proposal) &&
      (outcome === undefined || entry.decision.outcome === outcome) &&
      (since === undefined || entry.proposal.at >= since)
    );
    return [...own.reverse(), ...await this.#before.ledger(query)];
  }

  /** See Store. */
  async decide(...[given, change]: Parameters<Store["decide"]>): ReturnType<Store["decide"]> {
    const number = this.#entries.at(-1)?.number ?? await this.#lastNumber();
    const entry = { ...given, number: number + 1 };
    this.#entries.push(entry);
    if (change.snapshot !== undefined) {
      this.#snapshots.set(given.proposal.workflow, change.snapshot);
    }
    return { entry, repeated: false };
  }

  /** See Store. */
  async known(spans: readonly SpanReference[]): Promise<readonly SpanReference[]> {
    const others = spans.filter((span) => !this.#spans.has(keyOf(span)));
    const before = others.length === 0 ? [] : await this.#before.known(others);
    const found = new Set(before.map(keyOf));
    return spans.filter((span) => this.#spans.has(keyOf(span)) || found.has(keyOf(span)));
  }

  // An entry's answer is known by its number: those of before are not to be taken for a replay's.
  async #lastNumber(): Promise<number> {
    return (await this.#before.ledger({ limit: 1 }))[0]?.number ?? 0;
  }
}

function keyOf({ traceId, spanId }: SpanReference): string {
  return `${traceId}${spanId}`;
}
