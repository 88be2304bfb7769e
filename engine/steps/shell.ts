import { sleep } from "../core/clock.ts";
import { StepError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { Attributes } from "../core/span.ts";
import type { AttemptContext, StepResult, StepType } from "../core/step.ts";
import { runChild, withContext } from "./_child.ts";
import { ended } from "./_ended.ts";
import { reportedItems } from "./_items.ts";
import { readOutputFile } from "./_output_file.ts";
import { endProcesses, markers } from "./_process.ts";
import { Capture, CAPTURE_LIMIT, LineReader, Tail } from "./_stream.ts";
import type { StepPorts } from "./ports.ts";
import { PROCESS_EXIT_CODE } from "../../semconv/attributes.ts";

/** The exit code that asks for another try, EX_TEMPFAIL of sysexits.h (F1). */
export const EXIT_TRANSIENT = 75;

/**
 * The step type of `run:`: text for `sh -c`, whose expressions were made quoted words before (V2).
 *
 * The process gets the engine's environment, the declared one, the trace context (W3C), a file for its
 * outputs and, in for_each, its items as NDJSON on stdin (S5). Its outputs are `stdout` (the first MiB, then
 * also `truncated: true`), `exit_code` and what it wrote to SPANLOOP_OUTPUT. Exit code 75 is class
 * `transient`, any other than 0 class `error`. On cancel and timeout all its processes are ended (R6); a
 * process that still holds its pipes one second after the shell's end is ended with the step.
 */
export function shellStep(ports: StepPorts): StepType {
  const { INIT_CWD: _, ...inherited } = ports.environment;
  const supported = ports.platform === "linux" || ports.platform === "darwin";
  return {
    name: "shell",
    interruption: "retry",
    run(context) {
      if (supported) return run(ports, inherited, context);
      return Promise.reject(
        new StepError(
          "shell.unsupported",
          `Shell steps are not supported on ${ports.platform}; run on Linux or macOS, or use a script step`,
        ),
      );
    },
    async cleanUp(span) {
      // On macOS the group of an engine that died is not known any more.
      if (ports.platform === "linux") await endProcesses(ports, { spanId: span.spanId });
    },
  };
}

async function run(
  ports: StepPorts,
  inherited: Readonly<Record<string, string>>,
  context: AttemptContext,
): Promise<StepResult> {
  const text = context.with.run;
  if (typeof text !== "string") {
    throw new StepError("step.input", "A shell step needs `run`, the text of its command");
  }
  const mask = (value: string) => context.mask(value);
  const tail = new Tail();
  const capture = new Capture();
  let out: LineReader | undefined;
  let err: LineReader | undefined;
  const reader = (stream: "stdout" | "stderr", into?: Capture) =>
    new LineReader(
      (line) => {
        tail.add(line);
        context.line(stream, line);
      },
      mask,
      { capture: into },
    );
  const end = await runChild(ports, context, {
    command: "sh",
    args: ["-c", text],
    env: environmentOf(inherited, context, await ports.propagation.environment(context)),
    cwd: context.cwd,
    stdin: context.batch?.ndjson(),
    stdout: (bytes) => (out ??= reader("stdout", capture)).push(bytes),
    stderr: (bytes) => (err ??= reader("stderr")).push(bytes),
  }).catch((error: unknown) => {
    out?.end();
    err?.end();
    throw error instanceof StepError ? withTail(error, tail.text(mask)) : error;
  });
  out?.end();
  err?.end();
  if (end.leftovers > 0) {
    context.line(
      "stderr",
      `${end.leftovers} background process(es) still held the step's output after its shell had ended, ` +
        "and were ended; send their output elsewhere to let them live on",
    );
  }
  if (!end.status.success) {
    await heedInterrupt(ports, context, end.status);
    throw exitError(end.status, tail.text(mask));
  }
  if (capture.truncated) {
    context.line("stderr", `The output stdout holds only the first ${CAPTURE_LIMIT} characters`);
  }
  return result(context, capture, tail, mask);
}

// A terminal's Ctrl-C reaches the shell as well as the engine, and the shell's death may be seen first: it
// was no failure of its own then.
async function heedInterrupt(
  ports: StepPorts,
  context: AttemptContext,
  status: Deno.CommandStatus,
): Promise<void> {
  const { signal, code } = status;
  const interrupted = signal === "SIGINT" || signal === "SIGTERM" || signal === "SIGHUP" ||
    code === 128 + 1 || code === 128 + 2 || code === 128 + 15;
  if (!interrupted || context.signal.aborted) return;
  await sleep(ports.clock, INTERRUPT_MS, context.signal).catch(() => {}); // aborted: that is the answer
  if (context.signal.aborted) throw ended(context.signal);
}

function result(
  context: AttemptContext,
  capture: Capture,
  tail: Tail,
  mask: (text: string) => string,
): StepResult {
  const reported = readOutputFile(context.outputFile);
  const outputs: Record<string, Json> = { stdout: capture.text(mask), exit_code: 0 };
  if (capture.truncated) outputs.truncated = true;
  return {
    outputs: { ...outputs, ...reported },
    items: reportedItems(reported, context.batch?.size),
    tail: tail.text(mask),
    attributes: SUCCEEDED,
  };
}

function environmentOf(
  inherited: Readonly<Record<string, string>>,
  context: AttemptContext,
  carried: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return {
    ...withContext({ ...inherited, ...context.env }, carried),
    SPANLOOP_OUTPUT: context.outputFile,
    SPANLOOP_IDEMPOTENCY_KEY: context.idempotencyKey,
    SPANLOOP_RUN_ID: context.runId,
    SPANLOOP_STEP_ID: context.stepId,
    SPANLOOP_ATTEMPT: String(context.attempt),
    ...markers(context.span.spanId, inherited),
  };
}

function exitError(status: Deno.CommandStatus, tail: string | undefined): StepError {
  const { code, signal } = status;
  if (signal !== null) {
    return new StepError("shell.signal", `The command was killed by ${signal}`, { tail });
  }
  const attributes = { [PROCESS_EXIT_CODE]: code };
  if (code === EXIT_TRANSIENT) {
    return new StepError(
      "shell.exit",
      "The command exited with code 75, which asks to try again later",
      { errorClass: "transient", tail, attributes },
    );
  }
  const why = hintOf(code) || lastLine(tail);
  const message = `The command exited with code ${code}${why}`;
  return new StepError("shell.exit", message, { tail, attributes });
}

const SUCCEEDED: Attributes = { [PROCESS_EXIT_CODE]: 0 };

const LONGEST_REASON = 300;

const INTERRUPT_MS = 100;

// What a program says last is most often why it failed; on_failure sees the message, not the tail.
function lastLine(tail: string | undefined): string {
  const line = tail?.trimEnd().split("\n").at(-1)?.trim() ?? "";
  return line === "" ? "" : `: ${line.slice(0, LONGEST_REASON)}`;
}

// Codes that POSIX shells give a meaning of their own.
function hintOf(code: number): string {
  if (code === 126) return ": a file in it cannot be executed; make it executable with chmod +x";
  if (code === 127) {
    return ": a program in it was not found; install it, or correct its name or PATH";
  }
  if (code > 128 && code <= 128 + 64) return `: a program in it was killed by signal ${code - 128}`;
  return "";
}

function withTail(error: StepError, tail: string | undefined): StepError {
  return new StepError(error.code, error.message, {
    errorClass: error.errorClass,
    tail,
    attributes: error.attributes,
    cause: error.cause,
  });
}
