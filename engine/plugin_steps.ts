import { InvalidError, StepError } from "./core/errors.ts";
import type { JsonObject } from "./core/json.ts";
import type { PluginUse } from "./core/plugin_use.ts";
import type { PluginStepAttempt, RunPluginStep } from "./core/step.ts";
import type { Workflow } from "./core/workflow.ts";
import type { Opened } from "./host/instance.ts";
import { PluginError } from "./host/plugin_error.ts";
import { checkedCall } from "./host/step_call.ts";
import { StepAnswers, type StepAnswersPorts } from "./host/step_answers.ts";
import type { PluginOpener } from "./plugin_opener.ts";
import { findPlugin } from "./plugin_places.ts";

/** What running plugins' steps needs. */
export interface PluginStepsPorts extends StepAnswersPorts {
  /** Opens plugins. */
  readonly opener: PluginOpener;
  /** The workflow of a file that runs here. */
  readonly workflow: (file: string) => Workflow | undefined;
  /** What spanloop.yaml uses, for all workflows. */
  readonly forAll: readonly PluginUse[];
}

type Running = Opened & { readonly answers: StepAnswers };

/**
 * Runs the step types that plugins bring, each plugin of a workflow in a process of its own (or in this one, if it is
 * trusted): apart from the one that hears spans, so that neither waits for the other.
 */
export class PluginSteps {
  readonly #ports: PluginStepsPorts;
  readonly #opened = new Map<string, Promise<Running>>();

  /** Uses the engine's ports. */
  constructor(ports: PluginStepsPorts) {
    this.#ports = ports;
  }

  /** Runs an attempt. Throws StepError. */
  async run(...[of, call, options]: Parameters<RunPluginStep>): Promise<JsonObject> {
    const key = `${of.file}\n${of.plugin}`;
    let opening = this.#opened.get(key);
    if (opening === undefined) this.#opened.set(key, opening = this.#open(of, key));
    const { link, description, answers } = await opening.catch((thrown) => {
      this.#opened.delete(key);
      throw stepError(thrown);
    });
    return await link.step(checkedCall(of.plugin, description.steps, call), {
      ...options,
      answer: answers.of(of, call.idempotencyKey),
    });
  }

  /** Lets all of them go. */
  async close(): Promise<void> {
    const opening = [...this.#opened.values()];
    this.#opened.clear();
    for (const opened of await Promise.allSettled(opening)) {
      if (opened.status === "fulfilled") await opened.value.link.close();
    }
  }

  async #open({ file, plugin }: PluginStepAttempt, key: string): Promise<Running> {
    const { opener, forAll } = this.#ports;
    const workflow = this.#ports.workflow(file);
    const use = workflow?.plugins.find(({ name }) => name === plugin);
    if (workflow === undefined || use === undefined) {
      throw new StepError("step.unknown", `${file} uses no plugin ${plugin}`);
    }
    const opened = await opener.open(use);
    // Gone, it is opened again by the next attempt.
    opened.link.onGone = () => void this.#opened.delete(key);
    opened.link.start(opened.config, {}, workflow.name);
    const answers = new StepAnswers(this.#ports, {
      use,
      own: opened.own,
      description: opened.description,
      forAll: forAll.some((other) => isSamePlugin(other, use)),
    });
    return { ...opened, answers };
  }
}

// Two plugins may have one name.
function isSamePlugin(one: PluginUse, other: PluginUse): boolean {
  if (one.name !== other.name) return false;
  const places = [one, other].map((use) => findPlugin(use));
  const [a, b] = places.map((place) =>
    "missing" in place ? undefined : place.kind === "npm" ? place.specifier : place.path
  );
  return a !== undefined && a === b;
}

function stepError(thrown: unknown): unknown {
  if (!(thrown instanceof PluginError || thrown instanceof InvalidError)) return thrown;
  return new StepError(thrown.code, `The plugin cannot be loaded: ${thrown.message}`, {
    cause: thrown,
  });
}
