import type { Whose } from "./error.ts";

/** A message of Deno's without colours, and without what the engine adds to a module's URL. */
export function plainMessage(message: string): string {
  return message
    // deno-lint-ignore no-control-regex
    .replace(/\u001b\[[0-9;]*m/g, "")
    .replace(/file:\/\/(\S+?)\?spanloop=[\d.]+/g, "file://$1")
    .trim();
}

/**
 * Deno's own words for a permission that was not granted, in ours: what is missing and where to grant it. `store` are
 * the paths that no permission opens. Undefined for any other message.
 */
export function missingPermission(
  message: string,
  whose: Whose,
  store: readonly string[],
): string | undefined {
  const [, kind, what] =
    /Requires (\w+) access(?: to (.+?))?, (?:run again|specify)/.exec(plainMessage(message)) ?? [];
  if (kind === undefined) return undefined;
  const path = what?.replace(/^"|"$/g, "") ?? "";
  if (store.some((part) => path === part || path.startsWith(`${part}/`))) {
    return `The ${whose.noun} may not use ${kind} of ${what}: it belongs to the store, where the inputs and ` +
      `outputs of all runs are; hand the ${whose.noun} what it needs in \`with:\``;
  }
  const value = what === undefined ? "true" : `[${what}]`;
  return `The ${whose.noun} may not use ${kind}${what ? ` of ${what}` : ""}; if it should, add ` +
    `\`${kind}: ${value}\` under \`${whose.key}:\``;
}

/** Text of a stranger's for one line of a terminal or a log: what would move the cursor or begin another line is blank. */
export function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/\s*[\u0000-\u001f\u007f-\u009f\u2028\u2029]+\s*/g, " ").trim();
}
