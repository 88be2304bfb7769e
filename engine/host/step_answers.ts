import { SpanloopError, StepError, StoreError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { CarriedOut } from "../core/plugin_report.ts";
import type { Grant, PluginUse } from "../core/plugin_use.ts";
import type { PluginStepAttempt } from "../core/step.ts";
import type { Store } from "../core/store.ts";
import type { Workflow } from "../core/workflow.ts";
import type { Actor, Effects } from "./effects.ts";
import { effectiveGrant, reaches } from "./grant.ts";
import { Judge } from "./judge.ts";
import type { PluginDescription, StepQuestion } from "./protocol.ts";
import { querySpans } from "./query.ts";
import { instanceId, readRecord } from "./record.ts";
import { tunableParameters } from "./tunable.ts";

/** What answering a step's questions needs. */
export interface StepAnswersPorts {
  /** Where the answers are. */
  readonly store: Pick<Store, "runs" | "read" | "emitted" | "snapshot" | "items">;
  /** A workflow as its file says it now; undefined for one that is not known. */
  readonly contract: (workflow: string) => Promise<Workflow | undefined>;
  /** Carries out proposals. */
  readonly effects: () => Promise<Pick<Effects, "carryOut">>;
  /** Hears what was decided. */
  readonly onOutcomes: (outcomes: readonly CarriedOut[]) => void;
}

/** A plugin whose steps are answered: as a workflow uses it. */
export interface AnsweredPlugin {
  /** How the workflow uses it. */
  readonly use: PluginUse;
  /** Whether it is one of Spanloop's own. */
  readonly own: boolean;
  /** What it says of itself. */
  readonly description: Pick<PluginDescription, "actions" | "stateVersion">;
  /** Whether spanloop.yaml uses it as well: what it keeps there is its own. */
  readonly forAll: boolean;
}

/**
 * Answers what a plugin's steps ask. They have the grant of its handlers, and reach the workflow whose step it is and
 * those that `grant.workflows` names.
 *
 * Invariants: P2, T3 (a proposal's id is made of the plugin, the run, the step, the range and its place in the attempt: a
 * retry or a resume that asks again is given what was decided), T4 (all of an attempt is asked as of its beginning).
 */
export class StepAnswers {
  readonly #ports: StepAnswersPorts;
  readonly #plugin: AnsweredPlugin;
  readonly #grant: Grant;
  readonly #actor: Actor;

  /** For the steps of one plugin. */
  constructor(ports: StepAnswersPorts, plugin: AnsweredPlugin) {
    const { use, own, description } = plugin;
    this.#ports = ports;
    this.#plugin = plugin;
    this.#grant = effectiveGrant(use, own, description);
    this.#actor = {
      name: use.name,
      workflow: use.workflow,
      grant: this.#grant,
      judge: new Judge({
        id: instanceId(use.name, use.workflow),
        workflow: use.workflow,
        declared: description.actions,
        grant: this.#grant,
      }),
    };
  }

  /** A function that answers the questions of one attempt; it throws SpanloopError, a sentence for the plugin. */
  of(
    attempt: PluginStepAttempt,
    idempotencyKey: string,
  ): (question: StepQuestion) => Promise<Json> {
    let proposals = 0;
    return async (question) => {
      const key = question.ask === "propose" ? `step@${idempotencyKey}/${proposals++}` : "";
      try {
        return await this.#answer(attempt, question, key);
      } catch (thrown) {
        if (!isPassing(thrown)) throw thrown;
        const { code, message } = thrown;
        throw new StepError(code, message, { errorClass: "transient", cause: thrown });
      }
    };
  }

  async #answer(attempt: PluginStepAttempt, question: StepQuestion, key: string): Promise<Json> {
    const { use: { name: plugin, workflow: own } } = this.#plugin;
    // What is no text is refused with the action.
    const named = question.ask === "propose" ? question.action.workflow : question.workflow;
    const workflow = named ?? own;
    if (workflow === undefined) throw refusal("Name a workflow: nothing says which one");
    if (question.ask === "query") {
      const { see, workflows, external } = this.#grant;
      const sees = { plugin, workflow: own, see, workflows, external };
      const asker = { sees, workflow, at: attempt.at };
      return await querySpans(this.#ports.store, question.query, asker) as unknown as Json;
    }
    this.#mustReach(workflow);
    switch (question.ask) {
      case "parameters":
        return await this.#parameters(workflow);
      case "kept":
        return await this.#kept(workflow);
      case "propose":
        return await this.#propose(attempt, { ...question.action, workflow }, key);
    }
  }

  #mustReach(workflow: string): void {
    const { use } = this.#plugin;
    if (typeof workflow !== "string" || reaches(use.workflow, this.#grant, workflow)) return;
    throw refusal(
      `It was granted nothing of ${workflow}: name that in \`grant.workflows\` at ${use.file}:${use.line}`,
    );
  }

  async #parameters(name: string): Promise<Json> {
    const workflow = await this.#ports.contract(name);
    if (workflow === undefined) throw refusal(`There is no workflow ${name} in this store`);
    const snapshot = await this.#ports.store.snapshot(name);
    return tunableParameters(workflow, snapshot) as unknown as Json;
  }

  async #kept(workflow: string): Promise<Json> {
    const { use: { name, workflow: own }, description: { stateVersion }, forAll } = this.#plugin;
    const { store } = this.#ports;
    // Of one that reaches another workflow, its own handlers hear that one, too.
    const by = [own, workflow, ...forAll ? [undefined] : []];
    for (const id of new Set(by.map((one) => instanceId(name, one)))) {
      const { state, stateVersion: version } = await readRecord(store, id);
      // What another version of it has kept, this one cannot read.
      if (version === stateVersion && Object.keys(state).length > 0) return state;
    }
    return {};
  }

  async #propose(attempt: PluginStepAttempt, action: object, key: string): Promise<Json> {
    const { use } = this.#plugin;
    const { at, span: { traceId, spanId }, runId, stepId } = attempt;
    const effects = await this.#ports.effects();
    const { outcomes } = await effects.carryOut(this.#actor, {
      key,
      at,
      depth: 0,
      workflow: use.workflow,
      position: null,
      span: { traceId, spanId },
      runId,
      stepId,
    }, [{ ...action, type: "propose" }]);
    const [{ refused, entry }] = outcomes;
    if (refused !== undefined || entry === undefined) {
      const granted = refused?.why === "grant" ? ` (see \`grant\` at ${use.file}:${use.line})` : "";
      throw refusal(`Nothing is proposed: ${refused?.message}${granted}`);
    }
    this.#ports.onOutcomes(outcomes);
    const { decision: { outcome, rule, message }, number: change } = entry;
    return { outcome, rule, message, change };
  }
}

function refusal(message: string): SpanloopError {
  return new SpanloopError("plugin.refused", message);
}

function isPassing(thrown: unknown): thrown is SpanloopError {
  return thrown instanceof SpanloopError &&
    (thrown instanceof StoreError || thrown.code === "params.busy");
}
