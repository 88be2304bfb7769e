import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const prefixOf = (runId: string) => `spanloop-${runId}-`;

/** Makes a run's folder for the files that steps report outputs in; its path. */
export function makeOutputFolder(runId: string): string {
  return mkdtempSync(join(tmpdir(), prefixOf(runId)));
}

/** Removes a file or folder; one that is gone is no error. */
export function removeOutput(path: string): void {
  if (existsSync(path)) rmSync(path, { recursive: true, force: true });
}

/** Removes the folders that a run's earlier engine left behind when it was killed. */
export function removeOutputFolders(runId: string): void {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(prefixOf(runId))) continue;
    rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}
