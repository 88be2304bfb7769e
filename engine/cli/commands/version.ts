import { isObject } from "../../core/json.ts";
import type { Caller } from "../caller.ts";

/** `--version`: Spanloop's and its runtime's. */
export async function execute(caller: Caller): Promise<number> {
  const config: unknown = JSON.parse(
    await Deno.readTextFile(new URL("../../../deno.json", import.meta.url)),
  );
  const version = isObject(config) ? config.version : undefined;
  caller.out(`spanloop ${version} (deno ${Deno.version.deno})\n`);
  return 0;
}
