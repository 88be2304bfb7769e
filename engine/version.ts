import { readFileSync } from "node:fs";
import { isObject } from "./core/json.ts";

/** Spanloop's version, as deno.json has it. */
export function version(): string {
  const config: unknown = JSON.parse(
    readFileSync(new URL("../deno.json", import.meta.url), "utf8"),
  );
  return isObject(config) ? String(config.version) : "unknown";
}
