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
