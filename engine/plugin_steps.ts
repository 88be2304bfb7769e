import { InvalidError, StepError } from "./core/errors.ts";
import type { JsonObject } from "./core/json.ts";
import type { PluginStepCall, RunPluginStep } from "./core/step.ts";
import type { Workflow } from "./core/workflow.ts";
import { checkConfig } from "./host/config.ts";
import type { Opened } from "./host/instance.ts";
import { PluginError } from "./host/plugin_error.ts";
import type { PluginOpener } from "./plugin_opener.ts";

/**
 * Runs the step types that plugins bring, each plugin of a workflow in a process of its own (or in this one, if it is
 * trusted): apart from the one that hears spans, so that neither waits for the other.
 */
export class PluginSteps {
  readonly #opener: PluginOpener;
  readonly #workflow: (file: string) => Workflow | undefined;
  readonly #opened = new Map<string, Promise<Opened>>();

  /** `workflow` gives the one of a file that runs here. */
  constructor(opener: PluginOpener, workflow: (file: string) => Workflow | undefined) {
    this.#opener = opener;
    this.#workflow = workflow;
  }

  /** Runs an attempt. Throws StepError. */
  async run(...[of, call, options]: Parameters<RunPluginStep>): Promise<JsonObject> {
    const key = `${of.file}\n${of.plugin}`;
    let opening = this.#opened.get(key);
    if (opening === undefined) this.#opened.set(key, opening = this.#open(of, key));
    const { link, description } = await opening.catch((thrown) => {
      this.#opened.delete(key);
      throw stepError(thrown);
    });
    return await link.step(checked(of.plugin, description.steps, call), options);
  }

  /** Lets all of them go. */
  async close(): Promise<void> {
    const opening = [...this.#opened.values()];
    this.#opened.clear();
    for (const opened of await Promise.allSettled(opening)) {
      if (opened.status === "fulfilled") await opened.value.link.close();
    }
  }

  async #open({ file, plugin }: Parameters<RunPluginStep>[0], key: string): Promise<Opened> {
    const workflow = this.#workflow(file);
    const use = workflow?.plugins.find(({ name }) => name === plugin);
    if (workflow === undefined || use === undefined) {
      throw new StepError("step.unknown", `${file} uses no plugin ${plugin}`);
    }
    const opened = await this.#opener.open(use);
    // Gone, it is opened again by the next attempt.
    opened.link.onGone = () => void this.#opened.delete(key);
    opened.link.start(opened.config, {}, workflow.name);
    return opened;
  }
}

function checked(
  plugin: string,
  steps: Opened["description"]["steps"],
  call: PluginStepCall,
): PluginStepCall {
  const names = Object.keys(steps);
  if (!names.includes(call.step)) {
    const has = names.length === 0 ? "it brings none" : `it brings ${names.join(", ")}`;
    throw new StepError(
      "step.unknown",
      `The plugin ${plugin} has no step type ${call.step}; ${has}`,
    );
  }
  const schema = steps[call.step];
  if (schema === null) return call;
  const found = checkConfig(schema, call.with);
  if ("config" in found) return { ...call, with: found.config };
  throw new StepError(
    "step.input",
    `\`with\` of ${plugin}/${call.step} does not hold: ${found.problems.join("; ")}`,
  );
}

function stepError(thrown: unknown): unknown {
  if (!(thrown instanceof PluginError || thrown instanceof InvalidError)) return thrown;
  return new StepError(thrown.code, `The plugin cannot be loaded: ${thrown.message}`, {
    cause: thrown,
  });
}
