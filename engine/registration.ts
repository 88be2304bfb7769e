import { existsSync } from "node:fs";
import { InvalidError } from "./core/errors.ts";
import type { Store } from "./core/store.ts";
import type { Workflow } from "./core/workflow.ts";

/** Ties workflows' names to their files in a store, each once a process (R1). */
export class Registration {
  readonly #known = new Map<string, string>();

  /** Ties a workflow's name to its file; throws InvalidError when another file that is there has it. */
  async register(
    store: Pick<Store, "register" | "reregister">,
    workflow: Pick<Workflow, "name" | "file">,
  ): Promise<void> {
    const { name, file } = workflow;
    if (this.#known.get(name) === file) return;
    const other = await store.register(name, file);
    if (other !== undefined && other !== file) {
      if (existsSync(other)) {
        throw new InvalidError(
          `${file} and ${other} are both named ${name}; a store knows a workflow by its name, so give ` +
            "one of them another name",
        );
      }
      await store.reregister(name, file); // the file was moved
    }
    this.#known.set(name, file);
  }
}
