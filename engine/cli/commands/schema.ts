import type { Arguments } from "../arguments.ts";
import type { Caller } from "../caller.ts";

/** `schema`: the JSON Schema of workflow files, as an editor wants it; with `--settings` that of spanloop.yaml. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  const text = await Deno.readTextFile(new URL("../../spec/schema.json", import.meta.url));
  if (!args.flag("settings")) {
    caller.out(text);
    return 0;
  }
  const { $schema, definitions } = JSON.parse(text);
  caller.out(JSON.stringify({ $schema, ...definitions.settings, definitions }, null, 2) + "\n");
  return 0;
}
