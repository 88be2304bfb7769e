import { StepError } from "../core/errors.ts";
import { copyJson, isPlain, type JsonObject, kindOf, NotJsonError } from "../core/json.ts";
import type { StepResult } from "../core/step.ts";
import { reportedItems } from "./_items.ts";

const NOTHING: StepResult = Object.freeze({ outputs: Object.freeze({}) });

/**
 * A script's result from what it returned: nothing, or an object that JSON can carry, which is copied so
 * that the script cannot change it afterwards. Throws StepError that names the value at fault.
 */
export function scriptResult(returned: unknown, batchSize: number | undefined): StepResult {
  if (returned === undefined || returned === null) return NOTHING;
  if (typeof returned !== "object" || !isPlain(returned)) {
    throw new StepError(
      "script.outputs",
      `The script must return an object of outputs or nothing, but returned ${kindOf(returned)}`,
    );
  }
  const outputs = outputsOf(returned);
  return { outputs, items: reportedItems(outputs, batchSize) };
}

function outputsOf(returned: object): JsonObject {
  try {
    return copyJson(returned, "outputs") as JsonObject;
  } catch (error) {
    if (!(error instanceof NotJsonError)) throw error;
    throw new StepError("script.outputs", error.message, { cause: error });
  }
}
