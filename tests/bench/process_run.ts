/**
 * One measured run in a process of its own: `process_run.ts REQUEST`, a request as JSON; prints what was
 * measured as JSON. `inProcess` starts it with the flags that `deno task run` has.
 */
import { createEngine } from "../../engine/engine.ts";
import { rawShell } from "./raw_shell.ts";
import { rawScan } from "./raw_scan.ts";

/** What to do. */
export type ProcessRequest =
  | { readonly kind: "workflow"; readonly file: string; readonly store: string }
  | { readonly kind: "shell"; readonly count: number; readonly concurrency: number }
  | { readonly kind: "scan"; readonly file: string };

/** What was measured. */
export interface ProcessResult {
  /** How long it took, milliseconds. */
  readonly ms: number;
  /** The process's largest resident memory (VmHWM), bytes. */
  readonly peakBytes: number;
  /** Resident memory over time, every 100 ms, bytes. */
  readonly residentBytes: readonly number[];
  /** The run, for a workflow. */
  readonly runId?: string;
  /** How long the run itself took, by its report, milliseconds. */
  readonly runMs?: number;
  /** How long the engine took to close after it, milliseconds. */
  readonly closeMs?: number;
}

const SAMPLE_MS = 100;
const PAGE_BYTES = 4096;
const ROOT = new URL("../../", import.meta.url);

/**
 * Does it in a process of its own, with `env` added to its environment. Throws with what the process said when it
 * fails.
 */
export async function inProcess(
  request: ProcessRequest,
  env: Readonly<Record<string, string>> = {},
): Promise<ProcessResult> {
  const output = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      ...await runFlags(),
      new URL("process_run.ts", import.meta.url).pathname,
      JSON.stringify(request),
    ],
    cwd: ROOT,
    env,
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!output.success) throw new Error(`${text(output.stderr)}${text(output.stdout)}`);
  return JSON.parse(text(output.stdout));
}

/** The flags of deno.json's task `run`, between `deno run` and the module. */
export async function runFlags(): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const words = (tasks.run as string).split(" ");
  return words.slice(2, words.findIndex((word) => word.endsWith(".ts")));
}

async function measure(request: ProcessRequest): Promise<ProcessResult> {
  const residentBytes: number[] = [];
  const sampler = setInterval(() => {
    const [, pages] = Deno.readTextFileSync("/proc/self/statm").split(" ");
    residentBytes.push(Number(pages) * PAGE_BYTES);
  }, SAMPLE_MS);
  const from = performance.now();
  let ms: number;
  let runId: string | undefined;
  let runMs: number | undefined;
  let closeMs: number | undefined;
  if (request.kind === "workflow") {
    const engine = await createEngine({ near: request.file, store: request.store });
    const report = await engine.run(request.file);
    ms = performance.now() - from;
    if (report.status !== "succeeded") throw new Error(`${report.status}: ${report.error}`);
    runId = report.run_id;
    runMs = report.duration_ms;
    const closing = performance.now();
    await engine.close();
    closeMs = performance.now() - closing;
  } else {
    if (request.kind === "shell") await rawShell(request.count, request.concurrency);
    else await rawScan(request.file);
    ms = performance.now() - from;
  }
  clearInterval(sampler);
  const status = Deno.readTextFileSync("/proc/self/status");
  const peakBytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  return { ms, peakBytes, residentBytes, runId, runMs, closeMs };
}

if (import.meta.main) {
  console.log(JSON.stringify(await measure(JSON.parse(Deno.args[0]))));
}
