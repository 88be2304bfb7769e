import { messageOf, SpanloopError } from "../core/errors.ts";
import { isObject, type JsonObject } from "../core/json.ts";
import type { GivenValues } from "../engine.ts";
import { type Arguments, UsageError } from "./arguments.ts";
import { absolute, type Caller } from "./caller.ts";

/** The parameter values of `--param` and `--params` (V3). */
export async function givenValues(args: Arguments, caller: Caller): Promise<GivenValues> {
  const file = args.value("params");
  const text = textValues(args.all("param"), args.command.name);
  return {
    text,
    ...file === undefined ? {} : { file: await fileValues(absolute(caller, file), file) },
  };
}

function textValues(given: readonly string[], command: string): Record<string, string> {
  const values = new Map<string, string>();
  for (const pair of given) {
    const at = pair.indexOf("=");
    if (at < 1) throw new UsageError(`--param takes NAME=VALUE, not \`${pair}\``, command);
    const name = pair.slice(0, at);
    if (values.has(name)) throw new UsageError(`--param gives \`${name}\` twice`, command);
    values.set(name, pair.slice(at + 1));
  }
  return Object.fromEntries(values);
}

async function fileValues(path: string, shown: string): Promise<JsonObject> {
  const wrong = (what: string, cause?: unknown) =>
    new SpanloopError("params.file", `Cannot read parameter values from ${shown}: ${what}`, {
      exitCode: 2,
      cause,
    });
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw wrong("there is no such file", error);
    if (error instanceof Deno.errors.IsADirectory) throw wrong("it is a folder, not a file", error);
    throw wrong(messageOf(error), error);
  }
  let values: unknown;
  try {
    values = path.endsWith(".json") ? JSON.parse(text) : await parseYaml(text);
  } catch (error) {
    throw wrong(messageOf(error).split("\n")[0], error);
  }
  if (!isObject(values)) throw wrong("it must hold one object, a value for each parameter name");
  return values;
}

async function parseYaml(text: string): Promise<unknown> {
  const { parse } = await import("yaml");
  // An empty file gives no values; a bound on aliases keeps a hostile file small.
  return parse(text, { maxAliasCount: 100 }) ?? {};
}
