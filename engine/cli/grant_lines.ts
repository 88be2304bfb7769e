import type { Json, JsonObject } from "../core/json.ts";
import type { Grant } from "../core/plugin_use.ts";

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
