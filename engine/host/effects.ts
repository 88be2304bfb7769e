import { SPANLOOP_PLUGIN_NAME, SPANLOOP_REACTION_DEPTH } from "../../semconv/attributes.ts";
import type { CommandAction, EmitAction, ProposeAction } from "../core/action.ts";
import { messageOf, StoreError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { CarriedOut } from "../core/plugin_report.ts";
import type { Proposal } from "../core/proposal.ts";
import type { EmittedSpan, SpanReference } from "../core/span.ts";
import type { Store } from "../core/store.ts";
import type { Contract } from "../parameters/entries.ts";
import type { ParameterLedger } from "../parameters/ledger.ts";
import { type ConcludeAction, type RollBackAction, verdictSpan } from "./engine_action.ts";
import { seconds } from "./plugin_span.ts";
import { emittedSpanId, emittedTraceId, type Judge, type Occasion } from "./judge.ts";

/** What a command is given with. */
export interface CommandOrder {
  /** The action's id: one run for one id and workflow, however often it is given (R9). */
  readonly id: string;
  /** The command. */
  readonly name: string;
  /** Values for what it starts. */
  readonly params: JsonObject;
  /** How many reactions lead to what it starts. */
  readonly depth: number;
  /** The plugin that gives it. */
  readonly plugin: string;
  /** The workflow whose plugin it is; absent: used for all. */
  readonly workflow?: string;
  /** The span that it answers. */
  readonly triggeredBy?: SpanReference;
}

/** What carrying out actions needs. */
export interface EffectPorts {
  /** Where evidence, versions and runs are looked up. */
  readonly store: Pick<Store, "known" | "snapshot" | "run">;
  /** Where proposals are decided. */
  readonly ledger: Pick<ParameterLedger, "propose" | "conclude" | "begin" | "rollBack">;
  /** A workflow's parameters and contract, as its file says them now; undefined for one that is not known. */
  readonly contract: (workflow: string) => Promise<Contract | undefined>;
  /** Starts what listens to a command; gives the runs, none when nothing listens. Throws for one that cannot start. */
  readonly command: (order: CommandOrder) => Promise<readonly string[]>;
}

/** Whose actions are carried out. */
export interface Actor {
  /** The plugin's name. */
  readonly name: string;
  /** The workflow that uses it. */
  readonly workflow?: string;
  /** What it was granted. */
  readonly grant: { readonly propose: readonly string[] };
  /** Judges its actions. */
  readonly judge: Judge;
}

/** What the answered event is, beside what judging it needs. */
export interface Answered extends Occasion {
  /** Its place in the store's order; null for a tick. */
  readonly position: number | null;
  /** Its span. */
  readonly span?: SpanReference;
  /** Its run. */
  readonly runId?: string;
  /** Its step. */
  readonly stepId?: string;
}

/** What actions came to: spans that are still to be stored, and what became of each action. */
export interface Effect {
  /** Spans to store. */
  readonly spans: readonly EmittedSpan[];
  /** The actions' outcomes, in order. */
  readonly outcomes: readonly CarriedOut[];
}

/**
 * Carries out what a plugin asks for in answer to one event.
 *
 * Invariants: T3 (ids are derived, so that doing it again changes nothing), P2 by the ledger, R9 by the command's id.
 */
export class Effects {
  readonly #ports: EffectPorts;

  /** Works through `ports`. */
  constructor(ports: EffectPorts) {
    this.#ports = ports;
  }

  /** Judges and carries out; throws StoreError, and for nothing that the plugin did. */
  async carryOut(actor: Actor, answered: Answered, actions: readonly unknown[]): Promise<Effect> {
    const spans: EmittedSpan[] = [];
    const outcomes: CarriedOut[] = [];
    for (const judged of actor.judge.judge(answered, actions)) {
      const { id, action } = judged;
      const common = { id, position: answered.position, time: seconds(answered.at) };
      if (judged.refused !== undefined) {
        outcomes.push({ ...common, action: judged.action, refused: judged.refused });
        continue;
      }
      switch (action.type) {
        case "emit":
          spans.push(emitted(actor, answered, id, action));
          outcomes.push({ ...common, action });
          break;
        case "propose":
          outcomes.push({
            ...common,
            action,
            ...await this.#propose(actor, answered, id, action),
          });
          break;
        case "command":
          outcomes.push({
            ...common,
            action,
            ...await this.#command(actor, answered, id, action),
          });
          break;
        case "conclude": {
          const concluded = await this.#conclude(actor, answered, action);
          if (concluded === undefined) break;
          spans.push(emitted(actor, answered, id, concluded.action));
          outcomes.push({ ...common, ...concluded });
          break;
        }
        case "roll_back": {
          const back = await this.#rollBack(actor, answered, action);
          if (back !== undefined) outcomes.push({ ...common, ...back });
          break;
        }
        case "begin": {
          const begun = await this.#begin(actor, answered);
          if (begun !== undefined) outcomes.push({ ...common, ...begun });
        }
      }
    }
    return { spans, outcomes };
  }

  async #conclude(
    { workflow: of }: Actor,
    { at }: Answered,
    action: ConcludeAction,
  ): Promise<Pick<CarriedOut, "decision" | "entry"> & { action: EmitAction } | undefined> {
    const contract = of === undefined ? undefined : await this.#contract(of);
    // Its file does not hold just now: whoever runs it next finds the experiment as it is, and measures on.
    if (contract === undefined) return undefined;
    const { experiment, verdict, evidence } = action;
    const concluded = await this.#ports.ledger.conclude(contract, {
      experiment,
      verdict,
      evidence,
      at,
    });
    if (concluded === undefined) return undefined;
    const { entry } = concluded;
    return { action: verdictSpan(action, entry), decision: entry.decision, entry };
  }

  async #begin(
    { workflow: of }: Actor,
    { at, runId }: Answered,
  ): Promise<Pick<CarriedOut, "action" | "decision" | "entry"> | undefined> {
    const contract = of === undefined ? undefined : await this.#contract(of);
    if (contract === undefined) return undefined;
    const begun = await this.#ports.ledger.begin(contract, at, await this.#isOrdered(runId));
    if (begun === undefined) return undefined;
    const { entry } = begun;
    const { proposal: { changes, reason }, decision } = entry;
    return { action: { type: "propose", changes, reason }, decision, entry };
  }

  async #rollBack(
    { workflow: of }: Actor,
    { at }: Answered,
    { type: _, ...breach }: RollBackAction,
  ): Promise<Pick<CarriedOut, "action" | "decision" | "entry"> | undefined> {
    const contract = of === undefined ? undefined : await this.#contract(of);
    if (contract === undefined) return undefined;
    const entered = await this.#ports.ledger.rollBack(contract, { ...breach, at });
    if (entered === undefined) return undefined;
    const { entry } = entered;
    const { proposal: { changes, reason }, decision } = entry;
    return { action: { type: "propose", changes, reason }, decision, entry };
  }

  async #contract(workflow: string): Promise<Contract | undefined> {
    try {
      return await this.#ports.contract(workflow);
    } catch (thrown) {
      if (thrown instanceof StoreError) throw thrown;
      return undefined; // its file does not hold
    }
  }

  // Whether a person has the run done for the sake of tuning (A4).
  async #isOrdered(runId: string | undefined): Promise<boolean> {
    if (runId === undefined) return false;
    return (await this.#ports.store.run(runId))?.ordered ?? false;
  }

  async #propose(
    actor: Actor,
    answered: Answered,
    id: string,
    action: ProposeAction,
  ): Promise<Pick<CarriedOut, "refused" | "decision" | "entry">> {
    const { store, ledger, contract } = this.#ports;
    // The judge refuses a proposal for none.
    const workflow = (action.workflow ?? answered.workflow ?? actor.workflow)!;
    const refuse = (message: string) => ({ refused: { why: "invalid" as const, message } });
    let known: Contract | undefined;
    try {
      known = await contract(workflow);
    } catch (thrown) {
      if (thrown instanceof StoreError) throw thrown;
      // Its file does not hold just now.
      return refuse(`nothing is proposed for ${workflow}: ${messageOf(thrown)}`);
    }
    if (known === undefined) return refuse(`there is no workflow ${workflow} in this store`);
    const evidence = action.evidence ?? (answered.span === undefined ? [] : [answered.span]);
    const proposal: Proposal = {
      id,
      workflow,
      author: { kind: "plugin", name: actor.name },
      changes: action.changes,
      reason: action.reason,
      evidence,
      version: action.version ?? (await store.snapshot(workflow)).version,
      at: answered.at,
      ...action.exposure === undefined ? {} : { exposure: action.exposure },
      ...action.immediate ? { immediate: true } : {},
    };
    // Looking for a span costs; the event's own is there.
    const { span: own } = answered;
    const others = evidence.filter((span) => own === undefined || !isSame(span, own));
    const there = others.length === 0 ? [] : await store.known(others);
    const { propose } = actor.grant;
    const { entry } = await ledger.propose(proposal, known, {
      evidenceKnown: others.every((span) => there.some((other) => isSame(span, other))),
      ordered: await this.#isOrdered(answered.runId),
      ...propose.includes("*") ? {} : { grant: { propose } },
    });
    return { decision: entry.decision, entry };
  }

  async #command(
    actor: Actor,
    answered: Answered,
    id: string,
    { name, params = {} }: CommandAction,
  ): Promise<Pick<CarriedOut, "refused">> {
    const refuse = (message: string) => ({ refused: { why: "invalid" as const, message } });
    try {
      const runs = await this.#ports.command({
        id,
        name,
        params,
        depth: answered.depth + 1,
        plugin: actor.name,
        workflow: actor.workflow,
        triggeredBy: answered.span,
      });
      return runs.length > 0 ? {} : refuse(`no workflow here has \`on: { command: ${name} }\``);
    } catch (thrown) {
      // A store that fails may be there again when the event is delivered anew.
      if (thrown instanceof StoreError) throw thrown;
      return refuse(
        `${name} cannot be started: ${messageOf(thrown)}`,
      );
    }
  }
}

function emitted(
  actor: Actor,
  answered: Answered,
  id: string,
  action: EmitAction,
): EmittedSpan {
  const depth = answered.depth + 1;
  const { span } = answered;
  const workflow = answered.workflow ?? actor.workflow;
  return {
    traceId: span?.traceId ?? emittedTraceId(id),
    spanId: emittedSpanId(id),
    ...span === undefined ? {} : { parentSpanId: span.spanId },
    name: action.name,
    time: answered.at,
    attributes: {
      ...action.attributes,
      [SPANLOOP_PLUGIN_NAME]: actor.name,
      [SPANLOOP_REACTION_DEPTH]: depth,
    },
    links: action.links ??
      (span === undefined ? [] : [{ traceId: span.traceId, spanId: span.spanId }]),
    plugin: actor.name,
    depth,
    ...workflow === undefined ? {} : { workflow },
    ...answered.runId === undefined ? {} : { runId: answered.runId },
    ...answered.stepId === undefined ? {} : { stepId: answered.stepId },
  };
}

function isSame(a: SpanReference, b: SpanReference): boolean {
  return a.spanId === b.spanId && a.traceId === b.traceId;
}
