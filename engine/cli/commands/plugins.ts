import { nearest } from "../../core/diagnostic.ts";
import { newPlugin, runPluginTests, testedPlugins } from "../../plugin_authoring.ts";
import { type Arguments, UsageError } from "../arguments.ts";
import { type Caller, display } from "../caller.ts";
import { list, replay, retry } from "../plugin_verbs.ts";
import { PLUGINS_VERBS } from "../table.ts";

/** `plugins VERB ...`: what plugins do, what they would have done, and help for those who write them. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  const [verb] = args.operands;
  const perform = VERBS[verb];
  if (perform === undefined) {
    const near = nearest(verb, PLUGINS_VERBS);
    const hint = near === undefined ? "" : `; did you mean \`${near}\`?`;
    throw wrong(`takes ${PLUGINS_VERBS.join(", ")}, not \`${verb}\`${hint}`);
  }
  if (verb !== "replay" && args.value("from") !== undefined) throw wrong(`${verb} takes no --from`);
  return await perform(args, caller);
}

const VERBS: Readonly<Record<string, (args: Arguments, caller: Caller) => Promise<number>>> = {
  __proto__: null as never,
  list,
  retry,
  replay,
  new: make,
  test,
};

async function make(args: Arguments, caller: Caller): Promise<number> {
  const [, name, more] = args.operands;
  if (name === undefined || more !== undefined) throw wrong("new takes one NAME");
  const folder = await newPlugin(name, caller.cwd);
  // INIT_CWD is set by `deno task` alone: then there may be no command `spanloop`.
  const program = caller.env("INIT_CWD") === undefined ? "spanloop" : "deno task spanloop";
  caller.out(`Made ${display(caller, folder)}, a plugin that passes its test:

  ${program} plugins test ${name}

A workflow uses it by these lines:

  plugins:
    - use: ${name}
`);
  return 0;
}

async function test(args: Arguments, caller: Caller): Promise<number> {
  const [, ...operands] = args.operands;
  // What comes after `--` is deno's.
  const flags = operands.filter((operand) => operand.startsWith("-"));
  const names = operands.filter((operand) => !operand.startsWith("-"));
  let worst = 0;
  for (const folder of await testedPlugins(names, caller.cwd)) {
    worst = Math.max(worst, await runPluginTests(folder, flags));
  }
  return worst;
}

function wrong(message: string): UsageError {
  return new UsageError(`\`plugins\` ${message}`, "plugins");
}
