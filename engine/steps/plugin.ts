import { StepError } from "../core/errors.ts";
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
      const last = () => tail.text((text) => context.mask(text));
      const outputs = await runPluginStep(
        {
          file: context.file,
          plugin,
          runId: context.runId,
          stepId: context.stepId,
          span: context.span,
          at: context.startTime,
        },
        {
          step,
          with: context.with,
          items: context.batch?.items ?? [],
          attempt: context.attempt,
          idempotencyKey: context.idempotencyKey,
          now: Number(context.startTime) / 1e9,
        },
        {
          signal: context.signal,
          onLine(line) {
            tail.add(line);
            context.line("stdout", line);
          },
        },
      ).catch((thrown) => {
        throw withTail(thrown, last());
      });
      const result = scriptResult(outputs, context.batch?.size);
      const lines = last();
      return lines === undefined ? result : { ...result, tail: lines };
    },
  };
}

function withTail(thrown: unknown, tail: string | undefined): unknown {
  if (!(thrown instanceof StepError) || tail === undefined) return thrown;
  const { code, message, errorClass, attributes } = thrown;
  return new StepError(code, message, { errorClass, attributes, tail, cause: thrown });
}
