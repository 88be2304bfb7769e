import type { ActionType } from "../core/action.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Grant, PluginUse } from "../core/plugin_use.ts";

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

/** A grant for people, a line for each thing; `workflow`: the one that uses the plugin, absent for all. */
export function grantLines(grant: Grant, workflow?: string): readonly string[] {
  const lines = [`sees ${seenText(grant, workflow)}`];
  if (grant.actions.includes("emit")) lines.push("may emit spans");
  if (grant.actions.includes("propose")) {
    const all = grant.propose.includes("*");
    lines.push(`may propose ${all ? "changes of all tunable parameters" : list(grant.propose)}`);
  }
  if (grant.actions.includes("command")) {
    const all = grant.command.includes("*");
    lines.push(`may give ${all ? "all commands" : `the commands ${list(grant.command)}`}`);
  }
  if (grant.actions.length > 0) {
    const rate = new Intl.NumberFormat("en").format(grant.rate);
    lines.push(`at most ${rate} actions a minute`);
  } else lines.push("may do nothing");
  const permissions = permissionTexts(grant.permissions);
  if (permissions.length > 0) lines.push(`Deno permissions: ${permissions.join("; ")}`);
  return lines;
}

function seenText({ see, workflows, external }: Grant, workflow: string | undefined): string {
  if (see.length === 0) return "no spans";
  const which = see.includes("*") ? "all spans" : `the spans ${list(see)}`;
  if (workflow === undefined || workflows.includes("*")) {
    return `${which} of all workflows${external ? " and other programs" : ""}`;
  }
  const of = [workflow, ...workflows, ...external ? ["other programs"] : []];
  return `${which} of ${list(of)}`;
}

function permissionTexts(permissions: JsonObject): string[] {
  return Object.entries(permissions).flatMap(([kind, value]: [string, Json]) => {
    if (value === true) return [`${kind} (all)`];
    if (!Array.isArray(value) || value.length === 0) return [];
    return [`${kind} ${list(value.map(String))}`];
  });
}

function list(names: readonly string[]): string {
  return names.length < 2
    ? names.join("")
    : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}
