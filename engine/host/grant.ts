import type { ActionType } from "../core/action.ts";
import type { Grant, PluginUse } from "../core/plugin_use.ts";
import { matches } from "../core/wildcard.ts";

/** Actions a minute without a grant. */
export const DEFAULT_RATE = 6_000;

const KINDS: readonly ActionType[] = ["emit", "propose", "command"];

/**
 * What a plugin may do where it is used: what the file grants, and for what that leaves open the default. One of
 * Spanloop's own (`own`) may by default do all that it declares, any other may emit. A kind of actions whose list the
 * file gives is among the kinds, one with an empty list is none of them, and a list of a kind that the file's `actions`
 * leave out is empty.
 */
export function effectiveGrant(
  use: Pick<PluginUse, "grant">,
  own: boolean,
  description: { readonly actions: readonly string[] },
): Grant {
  const given = use.grant ?? {};
  const lists = { propose: given.propose, command: given.command };
  const wanted = new Set<string>(given.actions ?? (own ? description.actions : ["emit"]));
  for (const [kind, list] of Object.entries(lists)) {
    if (list !== undefined && list.length > 0) wanted.add(kind);
  }
  const listOf = (kind: "propose" | "command") =>
    lists[kind] ?? (own && wanted.has(kind) ? ["*"] : []);
  const [propose, command] = [listOf("propose"), listOf("command")];
  if (propose.length === 0) wanted.delete("propose");
  if (command.length === 0) wanted.delete("command");
  return {
    see: given.see ?? ["*"],
    workflows: given.workflows ?? [],
    external: given.external ?? false,
    propose,
    command,
    actions: KINDS.filter((kind) => wanted.has(kind)),
    permissions: given.permissions ?? {},
    rate: given.rate ?? DEFAULT_RATE,
  };
}

/** Whether a plugin that the workflow `own` uses (absent: all do) may ask about a workflow, and propose for it. */
export function reaches(
  own: string | undefined,
  { workflows }: Pick<Grant, "workflows">,
  workflow: string,
): boolean {
  return own === undefined || workflow === own ||
    workflows.some((pattern) => matches(pattern, workflow));
}
