import { glob } from "node:fs/promises";

/**
 * The files that a pattern matches, as paths relative to `folder` (absolute when the pattern is), sorted by
 * their code units so that the order is the same everywhere. Folders are left out.
 */
export async function matchGlob(pattern: string, folder: string): Promise<readonly string[]> {
  const paths: string[] = [];
  for await (const entry of glob(pattern, { cwd: folder, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = `${entry.parentPath}/${entry.name}`;
    paths.push(
      pattern.startsWith("/") || !path.startsWith(`${folder}/`)
        ? path
        : path.slice(folder.length + 1),
    );
  }
  return paths.sort();
}
