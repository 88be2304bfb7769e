import { nearest } from "../../core/diagnostic.ts";
import { type Arguments, UsageError } from "../arguments.ts";
import type { Caller } from "../caller.ts";
import { completionScript, type Shell } from "../completion.ts";

const SHELLS: readonly Shell[] = ["bash", "zsh", "fish"];

/** `completion SHELL`: the script on stdout. */
export function execute(args: Arguments, caller: Caller): number {
  const shell = SHELLS.find((known) => known === args.operands[0]);
  if (shell === undefined) {
    const near = nearest(args.operands[0], SHELLS);
    throw new UsageError(
      `There is no completion for \`${args.operands[0]}\`, only for ${SHELLS.join(", ")}` +
        (near === undefined ? "" : `; did you mean \`${near}\`?`),
      "completion",
    );
  }
  caller.out(completionScript(shell));
  return 0;
}
