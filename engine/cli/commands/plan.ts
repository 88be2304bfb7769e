import type { Arguments } from "../arguments.ts";
import { type Caller, display } from "../caller.ts";
import { givenValues } from "../given.ts";
import { withEngine } from "../open_engine.ts";
import { workflowFile } from "../workflow_file.ts";

/** `plan FILE`. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  const file = workflowFile(args, caller);
  const given = await givenValues(args, caller);
  const plan = await withEngine(
    args,
    caller,
    file,
    (engine) => engine.plan(file, given, args.operands[0]),
  );
  switch (args.value("format")) {
    case "json":
      caller.out(JSON.stringify(plan) + "\n");
      return 0;
    case "mermaid": {
      const { mermaid } = await import("../mermaid.ts");
      caller.out(mermaid(plan).join("\n") + "\n");
      return 0;
    }
    default: {
      const { planTree } = await import("../plan_tree.ts");
      const columns = caller.outTerminal ? caller.size().columns : Infinity;
      const shown = { ...plan, file: display(caller, plan.file) };
      caller.out(planTree(shown, columns, caller.outStyle).join("\n") + "\n");
      return 0;
    }
  }
}
