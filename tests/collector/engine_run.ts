import type { JournalRecord } from "../../engine/core/span.ts";
import { openStore } from "../../engine/store/open.ts";
import { MAIN } from "../../engine/cli/_process_test.ts";

/** A workflow with a bit of everything that spans, logs and metrics tell of. */
const WORKFLOW = `name: through
trace: { detail: batches }
baggage: { team: data }
steps:
  - id: values
    span:
      name: values.named
      attributes:
        text: "naïve ☃ 𝄞 \\"quoted\\" \\\\ \\u0001"
        empty: ""
        whole: 7
        negative: -3
        large: 9007199254740991
        real: 0.1
        tiny: 5.0e-324
        yes: true
    run: |
      echo "out ☃"; echo "err" >&2; printf 'no line end'
  - id: flaky
    needs: []
    retry: { attempts: 3, initial: 1ms }
    run: echo "try $SPANLOOP_ATTEMPT"; test "$SPANLOOP_ATTEMPT" = 3 || exit 75
  - id: each
    needs: []
    for_each: { list: [1, 2, 3, 4, 5, 6, 7], batch: 2, concurrency: 3 }
    retry: { attempts: 2, initial: 1ms }
    run: test "$SPANLOOP_ATTEMPT" = 2 || test "$(head -1)" != 3 || exit 75
  - id: finding
    needs: [each]
    uses: emit
    with: { name: found.something, attributes: { texts: ["a", "b,c", ""], numbers: [1, -2], reals: [0.5, 1.5], flags: [true, false], none: [] } }
  - id: call
    needs: []
    uses: workflow
    with: { file: ./child.yaml }
  - id: never
    needs: []
    if: "false"
    run: echo never
  - id: late
    needs: []
    timeout: 50ms
    continue_on_error: true
    run: sleep 30
  - id: breaks
    needs: []
    continue_on_error: true
    run: echo "the end of it" >&2; exit 3
finally:
  - id: clean
    run: "true"
`;
const CHILD = `name: through-child
steps:
  - id: inner
    run: echo "inside"
`;

/** The lines that its steps say: step and try, stream, text. */
export const LINES: readonly (readonly [string, string, string])[] = [
  ["values/1", "stdout", "out ☃"],
  ["values/1", "stderr", "err"],
  ["values/1", "stdout", "no line end"],
  ["flaky/1", "stdout", "try 1"],
  ["flaky/2", "stdout", "try 2"],
  ["flaky/3", "stdout", "try 3"],
  ["inner/1", "stdout", "inside"],
  ["breaks/1", "stderr", "the end of it"],
];

/** The span that the run is started from, in another process. */
export const CALLER = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceState: "vendor=x,other=y",
} as const;

/** What a run left behind. */
export interface EngineRun {
  /** What it said. */
  readonly err: string;
  /** The process. */
  readonly pid: number;
  /** The journal. */
  readonly records: readonly JournalRecord[];
  /** What the engine wrote to its OTLP files, a request a line, by signal. */
  readonly file: Readonly<Record<Signal, readonly string[]>>;
}

/** The signals. */
export type Signal = "traces" | "metrics" | "logs";

/**
 * Runs the workflow in a process of its own that exports by OTLP, as `env` says, and to files. Throws when the run
 * does not succeed.
 */
export async function runEngine(
  env: Readonly<Record<string, string>>,
  workflow = WORKFLOW,
): Promise<EngineRun> {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-collector-" });
  try {
    await Deno.writeTextFile(`${folder}/workflow.yaml`, workflow);
    await Deno.writeTextFile(`${folder}/child.yaml`, CHILD);
    const store = `sqlite:${folder}/store.db`;
    const both = "otlp,otlp_file";
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", MAIN, "run", `${folder}/workflow.yaml`],
      env: {
        SPANLOOP_STORE: store,
        NO_COLOR: "1",
        OTEL_TRACES_EXPORTER: both,
        OTEL_METRICS_EXPORTER: both,
        OTEL_LOGS_EXPORTER: both,
        SPANLOOP_OTLP_FILE: `${folder}/{signal}.jsonl`,
        OTEL_SERVICE_NAME: "through the collector",
        OTEL_RESOURCE_ATTRIBUTES: "region=n%C3%B6rd,shard=07",
        TRACEPARENT: `00-${CALLER.traceId}-${CALLER.spanId}-01`,
        TRACESTATE: CALLER.traceState,
        ...env,
      },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const { code, stderr } = await child.output();
    const err = new TextDecoder().decode(stderr);
    if (code !== 0) throw new Error(`The run ended with ${code}: ${err}`);
    const opened = await openStore(store, { durability: "normal", readOnly: true });
    const records = await opened.since(0, 100_000);
    await opened.close();
    const lines = async (signal: Signal) =>
      (await Deno.readTextFile(`${folder}/${signal}.jsonl`)).split("\n").slice(0, -1);
    return {
      err,
      pid: child.pid,
      records: records.filter((record) => record.type === "start" || record.type === "end"),
      file: {
        traces: await lines("traces"),
        metrics: await lines("metrics"),
        logs: await lines("logs"),
      },
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
