/** Registries of authors: they build upon Spanloop's, and get constants of their own. */
import { readFolder } from "./folder.ts";
import { formatted } from "./formatted.ts";
import { OPENTELEMETRY } from "./opentelemetry.ts";
import type { Registry } from "./model.ts";
import { readRegistry } from "./registry.ts";
import { renderAttributes, renderEvents, renderMetrics } from "./render_constants.ts";

/** Spanloop's registry. */
export async function ownRegistry(): Promise<Registry> {
  return readRegistry(await readFolder(new URL("registry/", import.meta.url)), OPENTELEMETRY);
}

/** An author's registry, which may refer to Spanloop's attributes and OpenTelemetry's; `shown`: its folder in messages. */
export async function authorsRegistry(
  folder: URL,
  shown: string,
  base: Registry,
): Promise<Registry> {
  return readRegistry(await readFolder(folder, shown), OPENTELEMETRY, base);
}

/** The text of a module with the registry's constants: attributes, with those it refers to, metrics and events. */
export async function constantsOf(registry: Registry, shown: string): Promise<string> {
  const head = `// Generated from ${shown} by \`spanloop semconv generate\`; do not edit.\n`;
  const parts = [head, renderAttributes(registry)];
  if (registry.metrics.length > 0) parts.push(renderMetrics(registry));
  if (registry.events.length > 0) parts.push(renderEvents(registry));
  return await formatted("ts", parts.join("\n"));
}
