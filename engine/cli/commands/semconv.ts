import { type Advices, checkTelemetry, generateConstants, type Place } from "../../conventions.ts";
import { messageOf, SpanloopError } from "../../core/errors.ts";
import { type Arguments, UsageError } from "../arguments.ts";
import { absolute, type Caller } from "../caller.ts";
import { counted } from "../figures.ts";
import type { Style } from "../style.ts";
import { clean } from "../text.ts";

/** `semconv check FILE...`: exit code 1 with a violation; `semconv generate FOLDER`: constants of a registry. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  const [what, ...operands] = args.operands;
  const places = operands.map((shown) => ({ path: absolute(caller, shown), shown }));
  if (what === "check") return await check(places, args, caller);
  if (what === "generate") return await generate(places, args, caller);
  throw new UsageError(`\`semconv\` takes check or generate, not \`${what}\``, "semconv");
}

async function check(files: readonly Place[], args: Arguments, caller: Caller): Promise<number> {
  if (args.value("out") !== undefined) {
    throw new UsageError("`semconv check` takes no --out", "semconv");
  }
  const registries = args.all("registry")
    .map((shown) => ({ path: absolute(caller, shown), shown }));
  const { lines, advice } = await checkTelemetry(files, {
    registries,
    strict: args.flag("strict"),
  });
  const violated = advice.some(({ level }) => level === "violation");
  if (args.flag("json")) {
    caller.out(JSON.stringify({ valid: !violated, lines, advice }) + "\n");
    return violated ? 1 : 0;
  }
  for (const one of advice) caller.out(adviceLine(one, caller.outStyle) + "\n");
  const counts = (["violation", "improvement", "information"] as const).map((level) => {
    const count = advice.filter((one) => one.level === level)
      .reduce((sum, one) => sum + one.count, 0);
    return counted(count, level, level === "information" ? level : undefined);
  });
  caller.err(`${counts.join(", ")} in ${counted(lines, "line")}\n`);
  return violated ? 1 : 0;
}

async function generate(
  folders: readonly Place[],
  args: Arguments,
  caller: Caller,
): Promise<number> {
  const misplaced = ["registry", "strict", "json"].find((name) => args.flag(name));
  if (misplaced !== undefined) {
    throw new UsageError(`\`semconv generate\` takes no --${misplaced}`, "semconv");
  }
  if (folders.length > 1) {
    throw new UsageError("`semconv generate` takes one folder", "semconv");
  }
  const text = await generateConstants(folders[0]);
  const out = args.value("out");
  if (out === undefined) {
    caller.out(text);
    return 0;
  }
  try {
    await Deno.writeTextFile(absolute(caller, out), text);
  } catch (error) {
    throw new SpanloopError("file.unwritable", `Cannot write ${out}: ${messageOf(error)}`, {
      exitCode: 2,
      cause: error,
    });
  }
  return 0;
}

function adviceLine(advice: Advices, style: Style): string {
  const { level, id, signal, name, message, file, line, count } = advice;
  const colour = { violation: style.red, improvement: style.yellow, information: style.dim }[level];
  const of = `${signal.replace("_", " ")}${name === "" ? "" : ` ${clean(name)}`}`;
  const times = count === 1 ? "" : style.dim(`, ${counted(count, "time")}`);
  return `${colour(level)} ${clean(file)}:${line} ${style.bold(of)}: ${clean(message)} ${
    style.dim(`(${id})`)
  }${times}`;
}
