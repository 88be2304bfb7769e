import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf } from "./core/errors.ts";
import type { Logger } from "./core/log.ts";
import type { LoadedWorkflow, WorkflowFiles } from "./workflow_files.ts";

/**
 * The workflows with `on: { command: NAME }` in the folders of these files, by their names' order. One that does not
 * hold is told of and left out.
 */
export function listenersOf(
  command: string,
  files: Iterable<string>,
  workflows: WorkflowFiles,
  log: Logger,
): readonly LoadedWorkflow[] {
  const folders = new Set([...files].map((file) => dirname(file)));
  const listening = new Map<string, LoadedWorkflow>();
  for (const folder of [...folders].sort()) {
    for (const name of namesIn(folder)) {
      const file = join(folder, name);
      try {
        // Most files have none: they are not parsed.
        if (!readFileSync(file, "utf8").includes(command)) continue;
        const loaded = workflows.load(file);
        const { workflow } = loaded.plan;
        if (workflow.commands.includes(command) && !listening.has(workflow.name)) {
          listening.set(workflow.name, loaded);
        }
      } catch (thrown) {
        log.log({
          severity: "warn",
          body: `Cannot look whether ${file} listens to the command ${command}: ${
            messageOf(thrown)
          }`,
        });
      }
    }
  }
  return [...listening.values()];
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort()
      .filter((name) => /\.ya?ml$/.test(name) && name !== "spanloop.yaml");
  } catch {
    return []; // gone since
  }
}
