import { StoreError } from "../core/errors.ts";

/** Throws StoreError `store.invalid` for a run id that could not name a folder of spilled outputs. */
export function checkRunId(runId: string): void {
  if (isRunId(runId)) return;
  throw new StoreError(
    "store.invalid",
    `Cannot store run ${JSON.stringify(runId.slice(0, 140))}: ` +
      "its id must be 1 to 128 letters, digits, _ and -",
  );
}

/** Whether `name` can be a run's id. */
export function isRunId(name: string): boolean {
  return /^[0-9A-Za-z_-]{1,128}$/.test(name);
}
