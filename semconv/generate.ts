/**
 * Writes semconv/attributes.ts and semconv/README.md from the registry; with `--check` writes nothing and
 * exits 1 when one of them is stale.
 */
import * as conventions from "@opentelemetry/semantic-conventions/incubating";
import { readRegistry } from "./registry.ts";
import { renderAttributes, renderReference } from "./render.ts";

/** What the registry's files say, by the generated file's name; formatted as `deno fmt` does. */
export async function generate(folder: URL): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const name of ["attributes.yaml", "spans.yaml"]) {
    files.set(name, await Deno.readTextFile(new URL(`registry/${name}`, folder)));
  }
  const registry = readRegistry(files, conventions);
  return new Map([
    ["attributes.ts", await format("ts", renderAttributes(registry))],
    ["README.md", await format("md", renderReference(registry))],
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

async function format(extension: string, text: string): Promise<string> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--quiet", "--no-config", "--line-width", "100", "--ext", extension, "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout } = await process.output();
  if (!success) throw new TypeError("The generated text does not parse; see above");
  return new TextDecoder().decode(stdout);
}

if (import.meta.main) {
  const folder = new URL("./", import.meta.url);
  if (Deno.args.includes("--check")) {
    const names = await stale(folder);
    for (const name of names) {
      console.error(
        `semconv/${name} is stale: run \`deno task semconv\` and commit what it writes`,
      );
    }
    if (names.length > 0) Deno.exit(1);
  } else {
    for (const [name, text] of await generate(folder)) {
      await Deno.writeTextFile(new URL(name, folder), text);
    }
  }
}
