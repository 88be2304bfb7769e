import { type Arguments, commandOf } from "../arguments.ts";
import type { Caller } from "../caller.ts";
import { overview, page } from "../help.ts";

/** `help [COMMAND]`. */
export function execute(args: Arguments, caller: Caller): number {
  const [name] = args.operands;
  const lines = name === undefined
    ? overview(caller.outStyle)
    : page(commandOf(name), caller.outStyle, caller.size().columns);
  caller.out(lines.join("\n") + "\n");
  return 0;
}
