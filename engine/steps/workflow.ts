import { StepError } from "../core/errors.ts";
import { isObject } from "../core/json.ts";
import type { StepType } from "../core/step.ts";
import { resolve } from "node:path";

/**
 * The step type `workflow`: runs `file` (relative to the calling workflow's folder) with `params` as a run
 * of its own (S6); its outputs are that run's. After an interruption it goes on with the same run (R5).
 */
export function workflowStep(): StepType {
  return {
    name: "workflow",
    interruption: "continue",
    async run(context) {
      const { file, params = {} } = context.with;
      if (typeof file !== "string" || file === "") {
        throw new StepError("step.input", "A workflow step needs `file`, the path of a workflow");
      }
      if (!isObject(params)) {
        throw new StepError("step.input", "`params` of a workflow step must be a map of values");
      }
      const request = { file: resolve(context.folder, file), params };
      return { outputs: await context.services.runWorkflow(request) };
    },
  };
}
