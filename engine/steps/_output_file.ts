import { existsSync, statSync } from "node:fs";
import { StepError } from "../core/errors.ts";
import { isObject, type JsonObject } from "../core/json.ts";

/** The most that SPANLOOP_OUTPUT may hold, bytes. */
export const OUTPUT_LIMIT = 1 << 20;

const NONE: JsonObject = Object.freeze({});

/**
 * The outputs that a process left in its SPANLOOP_OUTPUT file; none when it wrote none. Throws StepError
 * when the file is not a file, too large, or holds something else.
 */
export function readOutputFile(path: string): JsonObject {
  // Most steps write none: an exception for each would cost more than the question.
  if (!existsSync(path)) return NONE;
  const info = statSync(path);
  // Asked before it is opened: a pipe would block the engine for ever.
  if (!info.isFile()) {
    throw new StepError("step.output", "Cannot read SPANLOOP_OUTPUT: it is not a file any more");
  }
  if (info.size > OUTPUT_LIMIT) {
    throw new StepError(
      "step.output",
      `SPANLOOP_OUTPUT holds ${info.size} bytes, more than ${OUTPUT_LIMIT}; ` +
        "write large results to a file of your own and hand on its path",
    );
  }
  return info.size === 0 ? NONE : parseOutputs(Deno.readTextFileSync(path));
}

/**
 * Reads outputs: one JSON object, or lines `name=value`, or `name<<WORD` and lines up to one that is WORD.
 * Text that starts with `{` is JSON. Throws StepError that shows the line at fault.
 */
export function parseOutputs(text: string): JsonObject {
  return /^\s*\{/.test(text) ? parseObject(text) : parseLines(text);
}

function parseObject(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new StepError(
      "step.output",
      `SPANLOOP_OUTPUT is no valid JSON: ${(error as Error).message}; starts with ${shown(text)}`,
      { cause: error },
    );
  }
  if (isObject(value)) return value;
  throw new StepError("step.output", "SPANLOOP_OUTPUT must hold one JSON object");
}

function parseLines(text: string): JsonObject {
  const outputs = new Map<string, string>();
  const lines = text.split(/\r?\n/);
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    if (line.trim() === "") continue;
    const [, name, operator, rest] = /^([A-Za-z_][A-Za-z0-9_-]*)(=|<<)(.*)$/.exec(line) ?? [];
    if (name === undefined || (operator === "<<" && rest === "")) {
      throw new StepError(
        "step.output",
        `Line ${i + 1} of SPANLOOP_OUTPUT is neither name=value nor name<<END: ${shown(line)}`,
      );
    }
    if (operator === "=") {
      outputs.set(name, rest);
      continue;
    }
    const end = lines.indexOf(rest, i + 1);
    if (end < 0) {
      throw new StepError(
        "step.output",
        `Line ${i + 1} of SPANLOOP_OUTPUT opens ${name}<<${rest}, but no line ${
          shown(rest)
        } closes it`,
      );
    }
    outputs.set(name, lines.slice(i + 1, end).join("\n"));
    i = end;
  }
  return Object.fromEntries(outputs);
}

function shown(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text);
}
