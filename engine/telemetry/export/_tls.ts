import { readFileSync } from "node:fs";
import { messageOf, SpanloopError } from "../../core/errors.ts";

/** Reads a PEM file that a setting names. Throws SpanloopError. */
export function readPem(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    throw new SpanloopError(
      "telemetry.certificate",
      `Cannot read the certificate ${path}: ${messageOf(thrown)}`,
      { cause: thrown },
    );
  }
}

/** What a failed connection says, with its cause, which holds the reason. */
export function errorMessage(thrown: unknown): string {
  const messages = new Set<string>();
  for (let error = thrown; error instanceof Error; error = error.cause) messages.add(error.message);
  // Each names the ones below it at times: the last is the reason.
  return [...messages].at(-1) ?? messageOf(thrown);
}
