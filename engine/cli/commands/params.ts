import type { JsonObject } from "../../core/json.ts";
import { nearest } from "../../core/diagnostic.ts";
import { SpanloopError } from "../../core/errors.ts";
import type { Engine, LedgerEntry, ParameterState, Pinned } from "../../engine.ts";
import { type Arguments, UsageError } from "../arguments.ts";
import { type Caller, display } from "../caller.ts";
import { wallTime } from "../follower.ts";
import { meant } from "../meant.ts";
import { withEngine } from "../open_engine.ts";
import {
  entryJson,
  entryLine,
  explainLines,
  historyLines,
  listLines,
  stateJson,
  type View,
} from "../params_lines.ts";
import { PARAMS_VERBS } from "../table.ts";
import { lines } from "../text.ts";
import { unifiedDiff } from "../unified_diff.ts";
import { workflowFile } from "../workflow_file.ts";

const EXPLAINED = 10;
const LISTED = 20;

interface Call {
  readonly args: Arguments;
  readonly caller: Caller;
  readonly engine: Engine;
  /** Absolute. */
  readonly file: string;
  /** As the person wrote it. */
  readonly shown: string;
  /** What follows the file. */
  readonly rest: readonly string[];
}

/** `params VERB FILE ...`: what is tuned, why, and a person's orders about it. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  const [verb, shown, ...rest] = args.operands;
  const perform = VERBS[verb];
  if (perform === undefined) {
    const near = nearest(verb, PARAMS_VERBS);
    const hint = near === undefined ? "" : `; did you mean \`${near}\`?`;
    throw wrong(`takes ${PARAMS_VERBS.join(", ")}, not \`${verb}\`${hint}`);
  }
  const file = workflowFile(args, caller, shown);
  return await withEngine(
    args,
    caller,
    file,
    (engine) => perform({ args, caller, engine, file, shown, rest }),
  );
}

const VERBS: Readonly<Record<string, (call: Call) => Promise<number>>> = {
  __proto__: null as never,
  list,
  explain,
  history,
  set,
  freeze: (call) => freeze(call, true),
  unfreeze: (call) => freeze(call, false),
  accept: (call) => answer(call, true),
  reject: (call) => answer(call, false),
  revert,
  pin,
};

async function list({ engine, args, caller, file, shown, rest }: Call): Promise<number> {
  if (rest.length > 0) throw wrong(`list FILE takes no \`${rest[0]}\``);
  const tuned = await engine.tuning.list(file, shown);
  const { workflow, version, parameters, held, tested } = tuned;
  if (args.flag("json")) {
    return json(caller, {
      workflow,
      version,
      parameters: parameters.map(stateJson),
      held: held.map(entryJson),
      tested: tested === undefined ? null : entryJson(tested),
    });
  }
  return print(caller, listLines(tuned, display(caller, file), view(caller), caller.outStyle));
}

async function explain({ engine, args, caller, file, shown, rest }: Call): Promise<number> {
  if (rest.length !== 1) throw wrong("explain FILE takes one NAME");
  const { parameters } = await engine.tuning.list(file, shown);
  const state = stateOf(parameters, rest[0], shown);
  const history = await engine.tuning.history(file, {
    parameter: state.parameter.name,
    limit: EXPLAINED,
    display: shown,
  });
  if (args.flag("json")) {
    return json(caller, {
      ...stateJson(state),
      tuned_by: state.change === undefined ? null : entryJson(state.change),
      history: history.map(entryJson),
    });
  }
  return print(caller, explainLines(state, history, view(caller), caller.outStyle));
}

async function history({ engine, args, caller, file, shown, rest }: Call): Promise<number> {
  if (rest.length > 1) throw wrong("history FILE takes one NAME at most");
  const given = args.value("limit");
  const limit = given === undefined ? LISTED : Number(given);
  if (!Number.isInteger(limit) || limit < 1) {
    throw wrong(`--limit takes a whole number from 1, not \`${given}\``);
  }
  const entries = await engine.tuning.history(file, { parameter: rest[0], limit, display: shown });
  // One that is gone may have a past; one without may be a slip of the pen.
  if (entries.length === 0 && rest[0] !== undefined) {
    stateOf((await engine.tuning.list(file, shown)).parameters, rest[0], shown);
  }
  if (args.flag("json")) return json(caller, { changes: entries.map(entryJson) });
  return print(caller, historyLines(entries, view(caller), caller.outStyle));
}

async function set(call: Call): Promise<number> {
  const { engine, file, rest } = call;
  const values = new Map<string, string>();
  for (const pair of rest) {
    const at = pair.indexOf("=");
    if (at < 1) throw wrong(`set FILE takes NAME=VALUE, not \`${pair}\``);
    if (values.has(pair.slice(0, at))) throw wrong(`set gives \`${pair.slice(0, at)}\` twice`);
    values.set(pair.slice(0, at), pair.slice(at + 1));
  }
  if (values.size === 0) throw wrong("set FILE needs NAME=VALUE");
  return done(call, await engine.tuning.set(file, Object.fromEntries(values), order(call)));
}

async function freeze(call: Call, frozen: boolean): Promise<number> {
  const { engine, file, rest } = call;
  if (rest.length === 0) throw wrong(`${frozen ? "freeze" : "unfreeze"} FILE needs a NAME`);
  return done(call, await engine.tuning.freeze(file, rest, frozen, order(call)));
}

async function answer(call: Call, accept: boolean): Promise<number> {
  const number = numberOf(call, accept ? "accept" : "reject");
  return done(call, await call.engine.tuning.answer(call.file, number, accept, order(call)));
}

async function revert(call: Call): Promise<number> {
  const number = numberOf(call, "revert");
  return done(call, await call.engine.tuning.revert(call.file, number, order(call)));
}

async function pin({ engine, args, caller, file, shown, rest }: Call): Promise<number> {
  const asJson = args.flag("json");
  const mayAsk = !asJson && Deno.stdin.isTerminal() && caller.outTerminal;
  const confirm = (pinned: Pinned): boolean => {
    if (!asJson) {
      print(caller, diffLines(pinned, display(caller, file), caller));
    }
    return args.flag("yes") || (mayAsk && globalThis.confirm(`Write this to ${shown}?`));
  };
  const pinned = await engine.tuning.pin(file, rest, confirm, shown);
  const { values, written } = pinned;
  if (asJson) {
    json(caller, { values, written });
  } else if (Object.keys(values).length === 0) {
    caller.out("Nothing to write: the file's defaults rule already.\n");
  } else if (written) {
    caller.out(`Wrote ${Object.keys(values).join(", ")} to ${shown}.\n`);
  }
  if (written || Object.keys(values).length === 0) return 0;
  if (!mayAsk) {
    throw new UsageError("`params pin` writes with --yes where it cannot ask", "params");
  }
  caller.out("Nothing was written.\n");
  return 1;
}

function diffLines({ before, after }: Pinned, name: string, { outStyle }: Caller): string[] {
  return unifiedDiff(before, after, name).map((line) => {
    // A carriage return at the end is shown by nothing, and stays in the file.
    const [text] = lines(line.replace(/\r$/, ""));
    if (/^(---|\+\+\+|@@)/.test(line)) return outStyle.dim(text ?? "");
    if (line.startsWith("-")) return outStyle.red(text ?? "");
    return line.startsWith("+") ? outStyle.green(text ?? "") : text ?? "";
  });
}

function stateOf(
  parameters: readonly ParameterState[],
  name: string,
  shown: string,
): ParameterState {
  const state = parameters.find(({ parameter }) => parameter.name === name);
  if (state !== undefined) return state;
  const others = meant(name, parameters.map(({ parameter }) => parameter.name));
  throw new SpanloopError(
    "params.not_tunable",
    `${shown} has no tunable parameter \`${name}\`${others}`,
    { exitCode: 2 },
  );
}

function order({ args, shown }: Call): { display: string; reason?: string } {
  const reason = args.value("reason");
  return { display: shown, ...reason === undefined ? {} : { reason } };
}

function numberOf({ rest }: Call, verb: string): number {
  const [text] = rest;
  if (rest.length === 1 && /^\d{1,15}$/.test(text)) return Number(text);
  throw wrong(`${verb} FILE takes the number of one change, as \`params history\` shows it`);
}

function done({ args, caller }: Call, entry: LedgerEntry): number {
  if (args.flag("json")) return json(caller, entryJson(entry));
  return print(caller, [entryLine(entry)]);
}

function json(caller: Caller, document: JsonObject): number {
  caller.out(JSON.stringify(document) + "\n");
  return 0;
}

function print(caller: Caller, text: readonly string[]): number {
  caller.out(text.join("\n") + "\n");
  return 0;
}

function view(caller: Caller): View {
  return { now: wallTime(), columns: caller.outTerminal ? caller.size().columns : Infinity };
}

function wrong(what: string): UsageError {
  return new UsageError(`\`params\` ${what}`, "params");
}
