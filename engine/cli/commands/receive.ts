import type { ReceiverCounts } from "../../core/received.ts";
import type { Arguments } from "../arguments.ts";
import { type Caller, display, OutputClosed } from "../caller.ts";
import { counted } from "../figures.ts";
import { interruption } from "../interruption.ts";
import { withEngine } from "../open_engine.ts";
import { portOf, tokenOf } from "../receiver_address.ts";
import { itemLine } from "../tail_lines.ts";

/** `receive`: takes other programs' telemetry until a signal stops it, and says how much it was. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  const address = {
    host: args.value("host") ?? "127.0.0.1",
    port: portOf(args),
    ...tokenOf(args, caller),
  };
  const json = args.flag("json");
  const print = args.flag("print");
  const stop = interruption((message) => caller.err(`${message}\n`), () => {}, "stopping");
  const closed = new AbortController();
  const counts = await withEngine(args, caller, caller.cwd, (engine) =>
    engine.receive({
      ...address,
      signal: AbortSignal.any([stop.signal, stop.force, closed.signal]),
      onListen: (url) => {
        const store = display(caller, engine.location.replace(/^sqlite:/, ""));
        caller.err(caller.errStyle.dim(`store ${store}`) + "\n");
        caller.err(`receiving OTLP on ${url}; Ctrl-C stops\n`);
      },
      onItem: !print ? undefined : (item) => {
        try {
          caller.out(itemLine(item, caller));
        } catch (error) {
          if (!(error instanceof OutputClosed)) throw error;
          closed.abort(); // nobody reads any more
        }
      },
    })).finally(() => stop.dispose());
  if (json) caller.out(JSON.stringify(countsJson(counts)) + "\n");
  else caller.err(summary(counts) + "\n");
  return 0;
}

function summary(counts: ReceiverCounts): string {
  const refused = Object.values(counts.refused).reduce((sum, one) => sum + one, 0);
  const lost = [
    ...counts.repeatedSpans === 0
      ? []
      : [`${counted(counts.repeatedSpans, "span")} had come before`],
    ...counts.ownSpans === 0 ? [] : [`${counted(counts.ownSpans, "span")} were a run's own`],
    ...counts.rejectedSpans === 0
      ? []
      : [`${counted(counts.rejectedSpans, "span")} had no valid id`],
    ...refused === 0 ? [] : [`${counted(refused, "request")} refused`],
  ];
  const taken = [
    counted(counts.spans, "span"),
    counted(counts.points, "metric point"),
    counted(counts.logs, "log record"),
  ].join(", ");
  return `received ${taken} in ${counted(counts.requests, "request")}` +
    (lost.length === 0 ? "" : `; ${lost.join(", ")}`);
}

function countsJson(counts: ReceiverCounts): object {
  return {
    requests: counts.requests,
    refused: counts.refused,
    spans: counts.spans,
    rejected_spans: counts.rejectedSpans,
    own_spans: counts.ownSpans,
    repeated_spans: counts.repeatedSpans,
    metric_points: counts.points,
    log_records: counts.logs,
  };
}
