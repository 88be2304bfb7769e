import assert from "node:assert/strict";
import { findCommand } from "./table.ts";
import { parseArguments } from "./arguments.ts";
import type { Caller } from "./caller.ts";
import { jsonLine, wantsJsonLogs, withJsonLogs } from "./log_output.ts";
import { makeStyle } from "./style.ts";

function caller(env: Readonly<Record<string, string>> = {}) {
  const said: string[] = [];
  const one: Caller = {
    cwd: "/",
    env: (name) => env[name],
    out: () => assert.fail("stdout is for results"),
    err: (text) => said.push(text),
    outStyle: makeStyle(false),
    errStyle: makeStyle(true),
    outTerminal: false,
    animated: true,
    size: () => ({ columns: 80, rows: 24 }),
  };
  return { caller: one, said };
}

const parsed = (name: string, ...args: string[]) => parseArguments(findCommand(name)!, args);

Deno.test("--log-format goes before SPANLOOP_LOG_FORMAT; a command without logs has neither", () => {
  const json = caller({ SPANLOOP_LOG_FORMAT: "json" }).caller;
  assert.equal(wantsJsonLogs(parsed("run", "a.yaml"), caller().caller), false);
  assert.equal(wantsJsonLogs(parsed("run", "a.yaml", "--log-format=json"), caller().caller), true);
  assert.equal(wantsJsonLogs(parsed("run", "a.yaml"), json), true);
  assert.equal(wantsJsonLogs(parsed("run", "a.yaml", "--log-format=text"), json), false);
  for (const name of ["resume", "rerun", "serve"]) {
    assert.equal(wantsJsonLogs(parsed(name, "x"), json), true, name);
  }
  assert.equal(wantsJsonLogs(parsed("show", "last"), json), false);
  assert.throws(
    () => wantsJsonLogs(parsed("run", "a.yaml"), caller({ SPANLOOP_LOG_FORMAT: "xml" }).caller),
    /SPANLOOP_LOG_FORMAT is `text` or `json`, not `xml`/,
  );
});

Deno.test("a record is one line of JSON, with its time to the nanosecond", () => {
  const line = jsonLine({
    time: 1_795_251_600_000_000_009n,
    severity: "warn",
    body: 'two\nlines, "quoted" \u001b[31m',
    eventName: "spanloop.step.end",
    attributes: { "error.type": "shell.exit", n: 1 },
    span: { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" },
    workflow: "orders",
    runId: "r1",
    stepId: "load",
  });
  assert.match(line, /^[^\n]+\n$/);
  assert.deepEqual(JSON.parse(line), {
    time: "2026-11-21T09:00:00.000000009Z",
    severity: "warn",
    body: 'two\nlines, "quoted" \u001b[31m',
    event_name: "spanloop.step.end",
    trace_id: "0af7651916cd43dd8448eb211c80319c",
    span_id: "b7ad6b7169203331",
    workflow: "orders",
    run_id: "r1",
    step_id: "load",
    attributes: { "error.type": "shell.exit", n: 1 },
  });
  assert.deepEqual(
    Object.keys(JSON.parse(jsonLine({ time: 0n, severity: "info", body: "" }))),
    ["time", "severity", "body", "attributes"],
  );
});

Deno.test("what a command says on stderr is records too, without colours, one a line", () => {
  const { caller: plain, said } = caller();
  const logged = withJsonLogs(plain);
  logged.err(`${logged.errStyle.red("one")}\n\ntwo\n`);
  logged.log?.({ time: 1n, severity: "error", body: "three" });
  assert.equal(logged.animated, false);
  assert.deepEqual(
    said.map((line) => JSON.parse(line)).map(({ severity, body }) => `${severity} ${body}`),
    ["info one", "info two", "error three"],
  );
});
