import type { TraceSettings } from "../core/span.ts";
import type { Baggage } from "../core/workflow.ts";
import type { Names, Texts } from "./texts.ts";
import { asMapping, type Entry, type Node, wordOf } from "./tree.ts";

// W3C Baggage, "Limits": every party takes that many members.
const MOST_MEMBERS = 64;

// Names of these become attributes of the engine's spans with a meaning of their own.
const RESERVED: readonly string[] = [
  "cicd",
  "error",
  "exception",
  "http",
  "otel",
  "process",
  "server",
  "service",
  "spanloop",
  "telemetry",
  "url",
];

const NO_SECRETS = "baggage goes in plain text to every process and service that the run calls";

/** Compiles `baggage:`; `names` are those of a place before the first step. */
export function compileBaggage(node: Node | undefined, texts: Texts, names: Names): Baggage {
  const entries = asMapping(node)?.entries ?? [];
  if (entries.length > MOST_MEMBERS) {
    texts.fault(
      entries[MOST_MEMBERS],
      "too-large",
      `baggage has at most ${MOST_MEMBERS} members (W3C Baggage), and here are ${entries.length}`,
    );
  }
  const careful: Names = Object.assign(
    (text: string) => ({ ...names(text), noSecrets: NO_SECRETS }),
    { early: names.early },
  );
  const set: [string, Baggage["set"][string]][] = [];
  const fromCaller: string[] = [];
  for (const entry of entries) {
    checkName(entry, texts);
    if (entry.value.kind === "mapping") fromCaller.push(entry.key);
    else set.push([entry.key, texts.written(entry.value, careful)]);
  }
  return { set: Object.fromEntries(set), fromCaller };
}

function checkName(entry: Entry, texts: Texts): void {
  const space = /^[^.]*/.exec(entry.key)![0];
  if (!RESERVED.includes(space)) return;
  texts.fault(
    entry,
    "name",
    `the name \`${entry.key}\` is reserved: names that begin with \`${space}\` are the engine's and ` +
      "OpenTelemetry's own",
    `app.${entry.key}`,
  );
}

/** Compiles `trace:`. */
export function compileTrace(node: Node | undefined): TraceSettings {
  const given = asMapping(node);
  const mode = wordOf(given?.get("mode"), ["single", "linked"]) ?? "single";
  return {
    mode,
    // Whoever asks for traces of batches wants the batches.
    detail: wordOf(given?.get("detail"), ["run", "steps", "batches"]) ??
      (mode === "linked" ? "batches" : "steps"),
  };
}
