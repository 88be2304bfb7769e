import { RegistryError } from "./located.ts";

const MANIFESTS = ["manifest.yaml", "registry_manifest.yaml"];

/**
 * The texts of a registry's files, by their paths below `shown`, in the order of their names; folders within
 * are read, too. Throws RegistryError for a folder that cannot be read.
 */
export async function readFolder(
  folder: URL,
  shown: string = decodeURIComponent(folder.pathname),
): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  const base = shown.replace(/\/*$/, "/");
  for (const { name, isDirectory } of await list(folder, shown)) {
    const url = new URL(encodeURIComponent(name) + (isDirectory ? "/" : ""), folder);
    if (isDirectory) {
      for (const [file, text] of await readFolder(url, base + name)) files.set(file, text);
    } else if (/\.ya?ml$/.test(name) && !MANIFESTS.includes(name)) {
      files.set(base + name, await Deno.readTextFile(url));
    }
  }
  return files;
}

async function list(folder: URL, shown: string): Promise<readonly Deno.DirEntry[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.sort((a, b) => a.name < b.name ? -1 : 1);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound ? "it does not exist" : "it is not a folder";
    throw new RegistryError(`Cannot read the registry ${shown}: ${why}`, { cause: error });
  }
}
