import type { Grant } from "../core/plugin_use.ts";
import { matcherOf } from "../core/wildcard.ts";
import type { Heard } from "./heard.ts";

/** What a plugin, as it is used, may see of the spans. */
export interface Sees extends Pick<Grant, "see" | "workflows" | "external"> {
  /** The plugin's name: what it emitted, under whichever workflow, it never hears (H2). */
  readonly plugin: string;
  /** The workflow that uses it; absent: all do. */
  readonly workflow?: string;
}

/** The same, compiled. */
export interface Sight {
  /** Whether spans of that name may be seen. */
  name(name: string): boolean;
  /** Whether spans of that workflow may be seen; undefined: of no workflow at all. */
  workflow(workflow: string | undefined): boolean;
  /** Whether that span may be seen, its name left out of account. */
  span(heard: Heard): boolean;
}

/** Compiles what a plugin may see. Emitted spans count as the workflow that they carry. */
export function sightOf(sees: Sees): Sight {
  const { plugin, workflow: own, external } = sees;
  const other = matcherOf(sees.workflows);
  const workflow = own === undefined
    ? () => true
    : (name: string | undefined) => name === own || (name !== undefined && other(name));
  return {
    name: matcherOf(sees.see),
    workflow,
    span(heard) {
      switch (heard.kind) {
        case "journal":
          return workflow(heard.workflow);
        case "received":
          return external;
        case "emitted":
          return heard.span.plugin !== plugin && workflow(heard.span.workflow);
      }
    },
  };
}
