import type { TelemetryReport } from "../../core/telemetry_report.ts";
import { reportTelemetry, testTelemetry } from "../../engine.ts";
import { type Arguments, UsageError } from "../arguments.ts";
import type { Caller } from "../caller.ts";
import { clean } from "../text.ts";

/** `otel status`: what the environment asks for; `otel test`: sends one of each signal and says what happened. */
export async function execute(args: Arguments, caller: Caller): Promise<number> {
  const [what] = args.operands;
  if (what === "test") return await test(args, caller);
  if (what === "status") return await status(args, caller);
  throw new UsageError(`\`otel\` takes status or test, not \`${what}\``, "otel");
}

async function status(args: Arguments, caller: Caller): Promise<number> {
  const report = await reportTelemetry();
  if (args.flag("json")) {
    caller.out(JSON.stringify(report) + "\n");
    return 0;
  }
  const style = caller.outStyle;
  const lines = Object.entries(report.signals).map(([signal, exporters]) =>
    `${style.bold(signal.padEnd(8))} ${
      exporters.map(clean).join(", ") || style.dim("not exported")
    }`
  );
  const sampled = `${report.sampled * 100} % of runs` +
    (report.parentBased ? ", or as a caller in another process decided" : "");
  lines.push(
    "",
    `${style.bold("sampled")}  ${sampled}`,
    `${style.bold("context")}  ${report.propagators.join(", ") || style.dim("not handed on")}`,
    style.bold("resource"),
    ...Object.entries(report.resource).sort().map(([key, value]) =>
      `  ${key} = ${clean(String(value))}`
    ),
  );
  if (report.disabled) lines.unshift("OTEL_SDK_DISABLED is set: nothing is exported", "");
  caller.out(lines.join("\n") + "\n");
  warn(report, caller);
  return 0;
}

// A variable that is ignored is why something does not arrive.
function warn({ warnings }: TelemetryReport, caller: Caller): void {
  for (const warning of warnings) {
    caller.err(`${caller.errStyle.yellow("!")} ${clean(warning)}\n`);
  }
}

async function test(args: Arguments, caller: Caller): Promise<number> {
  const report = await reportTelemetry();
  const tests = await testTelemetry();
  const failed = tests.some(({ ok }) => !ok);
  if (args.flag("json")) {
    caller.out(JSON.stringify(tests) + "\n");
  } else if (tests.length === 0) {
    caller.out(`${untested(report)}\n`);
  } else {
    const style = caller.outStyle;
    for (const { signal, exporter, ok, ms, message } of tests) {
      const mark = ok ? style.green("\u2713") : style.red("\u2717");
      const what = ok ? `arrived in ${Math.round(ms)} ms` : clean(message ?? "");
      caller.out(`${mark} ${signal.padEnd(7)} ${clean(exporter)}: ${what}\n`);
    }
  }
  warn(report, caller);
  return tests.length === 0 ? 2 : failed ? 1 : 0;
}

function untested({ disabled, signals }: TelemetryReport): string {
  if (disabled) return "OTEL_SDK_DISABLED is set: nothing is exported";
  const [scraped] = signals.metrics;
  if (scraped !== undefined) {
    return `Nothing is sent: while it runs, metrics are there to be scraped, ${clean(scraped)}`;
  }
  return "Nothing is exported: set OTEL_EXPORTER_OTLP_ENDPOINT, such as http://localhost:4318";
}
