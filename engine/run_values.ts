import type { GivenValues } from "./core/run_options.ts";
import { isObject, type JsonObject } from "./core/json.ts";
import type { RunSummary } from "./core/store.ts";
import type { Workflow } from "./core/workflow.ts";
import { bind, type Binding, type Given } from "./plan/bind.ts";
import { secretReader } from "./workflow_files.ts";

/** What a workflow's values are taken from (V3). */
export function valuesFrom(
  workflow: Workflow,
  given: GivenValues,
  environment: Readonly<Record<string, string>>,
): Given {
  return {
    text: given.text,
    file: given.file,
    environment,
    readSecret: secretReader(workflow.folder, environment),
  };
}

/** The values of the run that is repeated, as far as the file still declares them. */
export function rebindForRerun(workflow: Workflow, summary: RunSummary, given: Given): Binding {
  const values: Record<string, JsonObject[string]> = {};
  for (const [name, value] of Object.entries(summary.params)) {
    const parameter = workflow.params.get(name);
    if (parameter === undefined || parameter.type === "secret") continue;
    if (isObject(value) && "secret" in value) continue;
    values[name] = value;
  }
  const binding = bind(workflow, { ...given, file: values });
  // Repeating a run changes nothing about where its values came from.
  return { ...binding, sources: { ...binding.sources, ...summary.sources } };
}
