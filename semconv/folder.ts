import { RegistryError } from "./located.ts";

const MANIFESTS = ["manifest.yaml", "registry_manifest.yaml"];

/** The texts of a registry's files, by their paths, folders within included, in the order of their names. */
export async function readFolder(folder: URL): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  const entries = await Array.fromAsync(list(folder));
  for (const { name, isDirectory } of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    const url = new URL(encodeURIComponent(name) + (isDirectory ? "/" : ""), folder);
    if (isDirectory) { for (const [file, text] of await readFolder(url)) files.set(file, text); }
    else if (/\.ya?ml$/.test(name) && !MANIFESTS.includes(name)) {
      files.set(decodeURIComponent(url.pathname), await Deno.readTextFile(url));
    }
  }
  return files;
}

async function* list(folder: URL): AsyncGenerator<Deno.DirEntry> {
  try {
    yield* Deno.readDir(folder);
  } catch (error) {
    throw new RegistryError(
      `Cannot read the registry ${decodeURIComponent(folder.pathname)}: ${
        error instanceof Deno.errors.NotFound ? "it does not exist" : "it is not a folder"
      }`,
      { cause: error },
    );
  }
}
