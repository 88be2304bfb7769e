import type { Schedule } from "../core/workflow.ts";
import { durationOf, optional } from "./compile_steps.ts";
import { cronProblem, timeZoneProblem } from "./cron.ts";
import type { Texts } from "./texts.ts";
import { asMapping, itemsOf, type Mapping, type Node, textOf, wordOf } from "./tree.ts";

/** Compiles the schedules of `on:`. */
export function compileSchedules(on: Node | undefined, texts: Texts): Schedule[] {
  const given = asMapping(on)?.get("schedule");
  const list = given?.kind === "list" ? itemsOf(given) : given === undefined ? [] : [given];
  return list.flatMap((node) => {
    if (node.kind !== "mapping") return [];
    const { cron, timezone } = compileCron(node, texts);
    return [{
      cron,
      ...optional("timezone", timezone),
      overlap: wordOf(node.get("overlap"), ["skip", "queue", "cancel"]) ?? "skip",
      catchUp: wordOf(node.get("catch_up"), ["none", "latest", "all"]) ?? "latest",
      jitterMs: durationOf(node.get("jitter"), texts) ?? 0,
    }];
  });
}

/** Compiles the commands of `on:`. */
export function compileCommands(on: Node | undefined, texts: Texts): string[] {
  const given = asMapping(on)?.get("command");
  const commands: string[] = [];
  for (const node of given?.kind === "list" ? given.items : given === undefined ? [] : [given]) {
    const name = textOf(node);
    if (name === undefined) continue;
    if (commands.includes(name)) {
      texts.fault(node, "duplicate", `the command \`${name}\` stands here twice`);
    } else commands.push(name);
  }
  return commands;
}

/** Reads and checks `cron` and `timezone` of a mapping. */
export function compileCron(node: Mapping, texts: Texts): { cron: string; timezone?: string } {
  const cron = node.get("cron");
  const text = textOf(cron);
  if (cron !== undefined && text !== undefined) {
    const problem = cronProblem(text);
    if (problem !== undefined) texts.fault(cron, "cron", `not a cron expression: ${problem}`);
  }
  const zone = node.get("timezone");
  const name = textOf(zone);
  if (zone !== undefined && name !== undefined) {
    const problem = timeZoneProblem(name);
    if (problem !== undefined) texts.fault(zone, "timezone", problem);
  }
  return { cron: text ?? "", ...optional("timezone", name) };
}
