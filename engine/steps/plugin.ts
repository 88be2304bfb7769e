import type { StepResult, StepType } from "../core/step.ts";
import { scriptResult } from "./_script_outputs.ts";
import { Tail } from "./_stream.ts";
import type { StepPorts } from "./ports.ts";

/**
 * A step type that a plugin brings: `name` is `plugin/step`. It runs wherever that plugin runs, in the engine's process
 * or in a sandbox; what it returns are the outputs, `processed` and `failed` among them the batch's counts (S5).
 */
export function pluginStep(name: string, { runPluginStep }: StepPorts): StepType {
  const slash = name.indexOf("/");
  const [plugin, step] = [name.slice(0, slash), name.slice(slash + 1)];
  return {
    name,
    interruption: "retry",
    async run(context): Promise<StepResult> {
      const tail = new Tail();
      const outputs = await runPluginStep(
        { file: context.file, plugin },
        {
          step,
          with: context.with,
          items: context.batch?.items ?? [],
          attempt: context.attempt,
          idempotencyKey: context.idempotencyKey,
        },
        {
          signal: context.signal,
          onLine(line) {
            tail.add(line);
            context.line("stdout", line);
          },
        },
      );
      const result = scriptResult(outputs, context.batch?.size);
      const last = tail.text((text) => context.mask(text));
      return last === undefined ? result : { ...result, tail: last };
    },
  };
}
