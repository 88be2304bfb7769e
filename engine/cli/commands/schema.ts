import type { Arguments } from "../arguments.ts";
import type { Caller } from "../caller.ts";

/** `schema`: the JSON Schema of workflow files, as an editor wants it. */
export async function execute(_args: Arguments, caller: Caller): Promise<number> {
  caller.out(await Deno.readTextFile(new URL("../../spec/schema.json", import.meta.url)));
  return 0;
}
