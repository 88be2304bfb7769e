import assert from "node:assert/strict";
import type { LogRecord } from "../core/log.ts";
import type { EndEntry, StartEntry } from "../core/span.ts";
import { taskAttributes, taskEndAttributes } from "./attributes.ts";
import { Bus } from "./bus.ts";
import { EngineLog } from "./log.ts";
import { logExceptions } from "./exceptions.ts";
import { logOutput, logRuns } from "./run_log.ts";

const RUN = "0190a000-0000-7000-8000-000000000001";
const SPAN = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
const AT = 1_795_251_600_000_000_000n;
const FAILURE = { code: "shell.exit", message: "exit code 3", errorClass: "error" } as const;

/** The records of a span that started at AT and ended 1.5 s later, with `listener` on the bus. */
function recordsOf(
  end: Partial<EndEntry>,
  start: Partial<StartEntry> = {},
  listener: typeof logRuns = logRuns,
): readonly LogRecord[] {
  const heard: LogRecord[] = [];
  const log = new EngineLog({ now: () => assert.fail("the end says when it was") });
  log.addConsumer((record) => heard.push(record));
  const bus = new Bus((thrown) => assert.fail(String(thrown)));
  bus.subscribe(listener(log));
  const common = { runId: RUN, role: "attempt", key: "load", stepId: "load", position: 1 } as const;
  const task = { runId: RUN, workflow: "orders", key: "load", stepId: "load", type: "shell" };
  const outcome = end.outcome ?? "succeeded";
  bus.publish([
    {
      ...common,
      type: "start",
      span: {
        ...SPAN,
        name: "load",
        kind: "internal",
        startTime: AT,
        attributes: taskAttributes({ ...task, attempt: 1 }),
      },
      ...start,
    },
    {
      ...common,
      type: "end",
      spanId: SPAN.spanId,
      outcome,
      end: {
        endTime: AT + 1_500_000_000n,
        error: outcome === "failed" || outcome === "timed_out",
        attributes: taskEndAttributes(outcome, end.failure, end.items),
      },
      role: start.role ?? "attempt",
      key: start.key ?? "load",
      ...end,
    },
  ]);
  return heard;
}

Deno.test("a step's end is one record under its span, at the time of its end", () => {
  assert.deepEqual(recordsOf({ items: { processed: 3, failed: 0 } }), [{
    time: AT + 1_500_000_000n,
    severity: "debug",
    body: "load succeeded after 1.50 s",
    eventName: "spanloop.step.end",
    attributes: {
      "cicd.pipeline.task.run.result": "success",
      "spanloop.items.processed": 3,
      "spanloop.items.failed": 0,
    },
    span: SPAN,
    workflow: "orders",
    runId: RUN,
    stepId: "load",
  }]);
});

Deno.test("how a step ended decides how grave its record is, and what it says", () => {
  const told = (end: Partial<EndEntry>, start?: Partial<StartEntry>) =>
    recordsOf(end, start).map(({ severity, body }) => `${severity} ${body}`);
  const failed = { outcome: "failed", failure: FAILURE } as const;
  const batch = { key: "load[0,20)", range: { from: 0, to: 20 } };
  assert.deepEqual(told(failed), ["error load failed after 1.50 s: exit code 3"]);
  assert.deepEqual(told({ ...failed, retryAt: AT + 1_900_000_000n }), [
    "warn load failed after 1.50 s, again in 400 ms: exit code 3",
  ]);
  assert.deepEqual(told({ outcome: "timed_out", failure: { ...FAILURE, message: "late" } }), [
    "error load timed out after 1.50 s: late",
  ]);
  assert.deepEqual(told({ outcome: "cancelled" }), ["warn load cancelled after 1.50 s"]);
  assert.deepEqual(told({ outcome: "interrupted" }), ["warn load interrupted"]);
  assert.deepEqual(told({ outcome: "skipped", role: "skip", reason: "upstream" }), [
    "debug load skipped: upstream",
  ]);
  assert.deepEqual(told({}, batch), [], "its step says so");
  assert.deepEqual(told(failed, batch), ["error load[0,20) failed after 1.50 s: exit code 3"]);
  assert.deepEqual(told({}, { role: "emit" }), [], "an emitted span says itself what it is");
});

Deno.test("a run's end is a record of its own; of a sub-workflow's the calling step speaks", () => {
  const run = (trigger: string) =>
    recordsOf({ stepId: undefined }, {
      role: "run",
      key: "run",
      stepId: undefined,
      span: {
        ...SPAN,
        name: "RUN orders",
        kind: "server",
        startTime: AT,
        attributes: { "cicd.pipeline.name": "orders", "spanloop.trigger.type": trigger },
      },
    });
  const [{ severity, body, eventName, workflow, stepId }] = run("manual");
  assert.deepEqual([severity, body, eventName, workflow, stepId], [
    "info",
    "succeeded after 1.50 s",
    "spanloop.run.end",
    "orders",
    undefined,
  ]);
  assert.deepEqual(run("workflow"), []);
});

Deno.test("a failure as a log record: the operation's exception, with its type and message", () => {
  const failed = { outcome: "failed", failure: FAILURE } as const;
  assert.deepEqual(recordsOf(failed, {}, logExceptions), [{
    time: AT + 1_500_000_000n,
    severity: "error",
    body: "exit code 3",
    eventName: "spanloop.step.exception",
    attributes: { "exception.type": "shell.exit", "exception.message": "exit code 3" },
    span: SPAN,
    workflow: "orders",
    runId: RUN,
    stepId: "load",
  }]);
  const again = recordsOf({ ...failed, retryAt: AT + 2_000_000_000n }, {}, logExceptions);
  assert.deepEqual(again.map(({ severity }) => severity), ["warn"], "it is handled");
  const run = recordsOf(failed, { role: "run", key: "run" }, logExceptions);
  assert.deepEqual(run.map(({ eventName }) => eventName), ["spanloop.run.exception"]);
  const cancelled = { outcome: "cancelled", failure: { ...FAILURE, code: "cancelled" } } as const;
  assert.deepEqual(recordsOf(cancelled, {}, logExceptions), [], "what was cancelled did not fail");
  assert.deepEqual(recordsOf({}, {}, logExceptions), []);
});

Deno.test("a line of output is a record under the attempt's span; one that nobody wants is not made", () => {
  const line = {
    stream: "stderr",
    text: "hello",
    span: SPAN,
    workflow: "orders",
    runId: RUN,
    stepId: "load",
  } as const;
  const heard: LogRecord[] = [];
  const log = new EngineLog({ now: () => AT });
  const leave = log.addConsumer((record) => heard.push(record), "info");
  logOutput(log, line);
  assert.deepEqual(heard, [{
    time: AT,
    severity: "info",
    body: "hello",
    eventName: "spanloop.step.output",
    attributes: { "log.iostream": "stderr" },
    span: SPAN,
    workflow: "orders",
    runId: RUN,
    stepId: "load",
  }]);
  leave();
  log.addConsumer((record) => heard.push(record), "warn");
  const untouched = new Proxy(line, { get: () => assert.fail("nobody wants it") });
  logOutput(log, untouched);
  assert.equal(heard.length, 1);
});
