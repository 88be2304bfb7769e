/**
 * An engine in a process of its own, for tests that kill it: `driver.ts STORE run FILE [NAME=VALUE...]`,
 * `driver.ts STORE resume RUN [--accept-changes]` or `driver.ts STORE rerun RUN [--failed]`. The last line on stdout is the run's report as JSON, or `{ error }`.
 *
 * SPANLOOP_TEST_KILL says when it dies of SIGKILL:
 * - `span:N` at the Nth start or end of a span, before that is committed;
 * - `turn:N:K` K turns of the event loop after it, about when the commit is made;
 * - `time:N:MS` some milliseconds after it;
 * - `commit:N` when the Nth record of the run has just been committed;
 * - `outside:N` never by itself: it writes a line to stdout, and whoever reads that kills it.
 */
import type { RunEvent, RunReport } from "../../engine/core/report.ts";
import { SpanloopError } from "../../engine/core/errors.ts";
import { createEngine } from "../../engine/engine.ts";
import type { RunOptions } from "../../engine/engine.ts";

/** The line that `outside:N` writes. */
const KILL_ME = "kill me";

const [store, action, subject, ...values] = Deno.args;
const [mode, at, delay] = (Deno.env.get("SPANLOOP_TEST_KILL") ?? "").split(":");

let spans = 0;
let commits = 0;

const die = () => Deno.kill(Deno.pid, "SIGKILL");

function onSpan(): void {
  if (++spans !== Number(at)) return;
  if (mode === "span") die();
  else if (mode === "turn") turns(Number(delay));
  else if (mode === "time") setTimeout(die, Number(delay));
  else if (mode === "outside") console.log(KILL_ME);
}

function turns(left: number): void {
  if (left === 0) die();
  else setImmediate(() => turns(left - 1));
}

function onEvent(event: RunEvent): void {
  if (event.type === "notice") console.error(event.message);
  if (event.type === "journal" && mode === "commit" && ++commits === Number(at)) die();
}

const engine = await createEngine({
  near: "/",
  store: `sqlite:${store}`,
  spanProcessors: [{
    onStart: onSpan,
    onEnd: onSpan,
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  }],
});
const options: RunOptions = { onEvent };

async function act(): Promise<RunReport> {
  if (action === "resume") {
    return await engine.resume(subject, {
      ...options,
      acceptChanges: values.includes("--accept-changes"),
    });
  }
  if (action === "rerun") {
    return await engine.rerun(subject, { ...options, failed: values.includes("--failed") });
  }
  const text = Object.fromEntries(values.map((pair) => pair.split(/=(.*)/s)));
  return await engine.run(subject, { ...options, given: { text } });
}

let code = 0;
try {
  const report = await act();
  console.log(JSON.stringify({ report }));
} catch (thrown) {
  if (!(thrown instanceof SpanloopError)) throw thrown;
  console.log(JSON.stringify({ error: { code: thrown.code, message: thrown.message } }));
  code = thrown.exitCode;
}
await engine.close();
Deno.exit(code);
