/**
 * Writes semconv/{attributes,metrics,events}.ts and semconv/README.md from the registry; with `--check`
 * writes nothing and exits 1 when one of them is stale.
 */
import { OPENTELEMETRY } from "./opentelemetry.ts";
import { readFolder } from "./folder.ts";
import { RegistryError } from "./located.ts";
import { readRegistry } from "./registry.ts";
import { renderAttributes, renderEvents, renderMetrics } from "./render_constants.ts";
import { renderReference } from "./render_reference.ts";
import { formatted } from "./formatted.ts";

const head = (sources: string) =>
  `Generated from ${sources} by \`deno task semconv\`; do not edit.`;

const INTRODUCTION = new URL("introduction.md", import.meta.url);

/** What the registry's files say, by the generated file's name; formatted as \`deno fmt\` does. */
export async function generate(folder: URL): Promise<ReadonlyMap<string, string>> {
  const registry = readRegistry(await readFolder(new URL("registry/", folder)), OPENTELEMETRY);
  const introduction = await Deno.readTextFile(INTRODUCTION);
  const top = `// ${head("registry/*.yaml")}\n\n`;
  return new Map([
    ["attributes.ts", await formatted("ts", top + renderAttributes(registry))],
    ["metrics.ts", await formatted("ts", top + renderMetrics(registry))],
    ["events.ts", await formatted("ts", top + renderEvents(registry))],
    [
      "README.md",
      await formatted(
        "md",
        `<!-- ${head("introduction.md and registry/*.yaml")} -->\n\n${introduction}\n${
          renderReference(registry)
        }`,
      ),
    ],
  ]);
}

/** The names of generated files that do not hold what the registry says. */
export async function stale(folder: URL): Promise<readonly string[]> {
  const names: string[] = [];
  for (const [name, text] of await generate(folder)) {
    if (await read(new URL(name, folder)) !== text) names.push(name);
  }
  return names;
}

async function read(file: URL): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function main(check: boolean): Promise<void> {
  const folder = new URL("./", import.meta.url);
  if (!check) {
    for (const [name, text] of await generate(folder)) {
      await Deno.writeTextFile(new URL(name, folder), text);
    }
    return;
  }
  const names = await stale(folder);
  for (const name of names) {
    console.error(`semconv/${name} is stale: run \`deno task semconv\` and commit what it writes`);
  }
  if (names.length > 0) Deno.exit(1);
}

if (import.meta.main) {
  try {
    await main(Deno.args.includes("--check"));
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
