import { parseDuration } from "../core/duration.ts";
import type { LogRecord } from "../core/log.ts";
import { createEngine, type Engine, type EngineOptions } from "../engine.ts";
import { type Arguments, UsageError } from "./arguments.ts";
import { absolute, type Caller } from "./caller.ts";
import { terminalLine } from "./log_body.ts";
import { clean } from "./text.ts";

/** Where the engine's warnings are shown; a screen that is redrawn takes them over while it is there. */
export interface Warnings {
  /** Shows a line, which says what a record does. */
  show(text: string, record?: LogRecord): void;
}

/**
 * Opens the engine near a workflow file or a folder with what `--store`, SPANLOOP_STORE and `--durability` say
 * (R3). Throws UsageError for a store that is neither `sqlite:FILE` nor `memory:`.
 */
export function openEngine(args: Arguments, caller: Caller, near: string): Promise<Engine> {
  const store = storeOf(args, caller);
  return createEngine({
    near,
    ...store === undefined ? {} : { store },
    ...durabilityOf(args),
    ...drainOf(args),
  });
}

/**
 * Opens the engine, hands it to `use`, and closes it whatever happens. Until then its log is heard: all of it where
 * logs are JSON, else its warnings.
 */
export async function withEngine<T>(
  args: Arguments,
  caller: Caller,
  near: string,
  use: (engine: Engine, warnings: Warnings) => Promise<T>,
): Promise<T> {
  const engine = await openEngine(args, caller, near);
  const warnings: Warnings = { show: (text) => caller.err(`${text}\n`) };
  if (caller.log !== undefined) {
    engine.onLog(caller.log, args.flag("quiet") ? "warn" : "debug");
  } else {
    const quiet = args.flag("quiet");
    engine.onLog((record) => {
      const text = terminalLine(record);
      if (text !== undefined) warnings.show(clean(text), record);
    }, quiet ? "warn" : "info");
  }
  try {
    return await use(engine, warnings);
  } finally {
    await engine.close();
  }
}

/** The store that was asked for, with its file made absolute; undefined leaves it to the engine. */
export function storeOf(args: Arguments, caller: Caller): string | undefined {
  const given = args.value("store") ?? caller.env("SPANLOOP_STORE");
  if (given === undefined || given === "memory:") return given;
  const file = given.startsWith("sqlite:") ? given.slice("sqlite:".length) : "";
  if (file === "") {
    throw new UsageError(
      `A store is \`sqlite:FILE\` or \`memory:\`, not \`${given}\``,
      args.command.name,
    );
  }
  return `sqlite:${absolute(caller, file)}`;
}

function drainOf(args: Arguments): Pick<EngineOptions, "drainMs"> {
  const given = args.value("drain");
  if (given === undefined) return {};
  const drainMs = parseDuration(given);
  if (drainMs !== undefined) return { drainMs };
  throw new UsageError(
    `--drain takes a duration such as 5s, 1m or 0s, not \`${given}\``,
    args.command.name,
  );
}

function durabilityOf(args: Arguments): Pick<EngineOptions, "durability"> {
  const given = args.value("durability");
  return given === "full" || given === "normal" ? { durability: given } : {};
}
