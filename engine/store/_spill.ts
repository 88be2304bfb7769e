import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { messageOf, StoreError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { Spilled } from "./_row.ts";
import { isRunId } from "./_run_id.ts";

/**
 * Outputs too large for a row, in `FILE.d/RUN_ID/SHA256.json`.
 *
 * J1: a file and the folders that lead to it are synced before the transaction that names it commits.
 * Writing happens under the database's write lock, and so does `sweep`: no file is taken for an orphan
 * between its writing and its commit.
 */
export class SpillFolder {
  /** The folder, whether or not it is there. */
  readonly folder: string;

  /** Uses the folder beside the database `file`; it is made when the first file is. */
  constructor(file: string) {
    this.folder = `${file}.d`;
  }

  /** Writes and syncs outputs of a run. */
  write(runId: string, json: string): Spilled {
    const sha256 = sha256Of(json);
    const folder = `${this.folder}/${runId}`;
    // The highest folder that was made is an entry of its parent, which must be synced as well.
    const made = mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = `${folder}/${sha256}.json`;
    const partial = `${path}.partial`;
    try {
      const bytes = new TextEncoder().encode(json);
      writeFileSync(partial, bytes, { mode: 0o600 });
      sync(partial);
      renameSync(partial, path);
      sync(folder);
      if (made !== undefined) sync(this.folder);
      if (made === this.folder) sync(parentOf(this.folder));
      return { file: `${runId}/${sha256}.json`, sha256, bytes: bytes.length };
    } catch (thrown) {
      rmSync(partial, { force: true });
      throw thrown;
    }
  }

  /** Reads outputs back. Throws StoreError `store.corrupt` naming a file that is missing or changed. */
  read(spilled: Spilled): JsonObject {
    const path = `${this.folder}/${spilled.file}`;
    let json: string;
    try {
      json = readFileSync(path, "utf8");
    } catch (thrown) {
      throw damaged(path, messageOf(thrown), thrown);
    }
    if (sha256Of(json) !== spilled.sha256) {
      throw damaged(path, "its content is not what was written");
    }
    return JSON.parse(json);
  }

  /** The runs that have files. */
  runs(): readonly string[] {
    if (!existsSync(this.folder)) return [];
    return readdirSync(this.folder).filter(isRunId);
  }

  /** Removes a run's files but those in `keep`, named as in `Spilled.file`. */
  sweep(runId: string, keep: ReadonlySet<string>): void {
    const folder = `${this.folder}/${runId}`;
    if (keep.size === 0) return rmSync(folder, { recursive: true, force: true });
    for (const name of readdirSync(folder)) {
      if (!keep.has(`${runId}/${name}`)) rmSync(`${folder}/${name}`);
    }
  }
}

function damaged(path: string, why: string, cause?: unknown): StoreError {
  return new StoreError(
    "store.corrupt",
    `Cannot read the outputs in ${path}: ${why}; restore the file from a copy, or rerun the workflow`,
    { cause },
  );
}

function sha256Of(json: string): string {
  return createHash("sha256").update(json, "utf8").digest("hex");
}

/** Makes a file's content, or a folder's entries, durable. */
export function sync(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The folder that a path is in; paths are absolute. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
