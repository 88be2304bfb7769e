import { parseDuration } from "../../core/duration.ts";
import type { TailedSpan, TailFrom } from "../../core/received.ts";
import type { ReceivedValue } from "../../core/span.ts";
import { matches } from "../../core/wildcard.ts";
import { type Arguments, UsageError } from "../arguments.ts";
import type { Caller } from "../caller.ts";
import { wallTime } from "../follower.ts";
import { interruption } from "../interruption.ts";
import { withEngine } from "../open_engine.ts";
import { spanLine, valueText } from "../tail_lines.ts";

/** `tail`: one line for each span that ends, of runs and received ones, until a signal stops it. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  const isWanted = filter(args);
  const from = fromOf(args);
  const json = args.flag("json");
  const stop = interruption(() => {}, () => {}, "stopping");
  try {
    await withEngine(args, caller, caller.cwd, async (engine) => {
      const spans = engine.tail({ from, follow: !args.flag("once"), signal: stop.signal });
      for await (const span of spans) {
        if (!isWanted(span)) continue;
        caller.out(json ? JSON.stringify(span.otlp()) + "\n" : spanLine(span, caller));
      }
    });
  } finally {
    stop.dispose();
  }
  return 0;
}

function fromOf(args: Arguments): TailFrom {
  const given = args.value("from") ?? (args.flag("once") ? "start" : "now");
  if (given === "now" || given === "start") return given;
  const age = parseDuration(given);
  if (age === undefined) {
    throw new UsageError(
      `--from takes now, start or an age such as 15m, not \`${given}\``,
      "tail",
    );
  }
  return wallTime() - BigInt(Math.round(age)) * 1_000_000n;
}

function filter(args: Arguments): (span: TailedSpan) => boolean {
  const names = args.all("name");
  const statuses = args.all("status");
  const attributes = args.all("attribute").map((text) => {
    const at = text.indexOf("=");
    if (at < 1) {
      throw new UsageError(`--attribute takes KEY=VALUE, not \`${text}\``, "tail");
    }
    return [text.slice(0, at), text.slice(at + 1)] as const;
  });
  return ({ span }) =>
    (names.length === 0 || names.some((name) => matches(name, span.name))) &&
    (statuses.length === 0 || statuses.includes(span.status)) &&
    attributes.every(([key, wanted]) =>
      [span.attributes, span.resource].some((all) =>
        Object.hasOwn(all, key) && isValue(all[key], wanted)
      )
    );
}

// Of a list, any of its values.
function isValue(value: ReceivedValue, wanted: string): boolean {
  return Array.isArray(value)
    ? value.some((one) => matches(wanted, valueText(one)))
    : matches(wanted, valueText(value));
}
