import assert from "node:assert/strict";
import type { LogRecord } from "../core/log.ts";
import { EngineLog } from "./log.ts";

const clock = { now: () => 1_795_251_600_123_456_789n };

Deno.test("a record gets the time of its call, unless it has one", () => {
  const heard: LogRecord[] = [];
  const log = new EngineLog(clock);
  log.addConsumer((record) => heard.push(record));
  log.log({ severity: "info", body: "one" });
  log.log({ severity: "info", body: "two", time: 2n });
  assert.deepEqual(heard, [
    { severity: "info", body: "one", time: 1_795_251_600_123_456_789n },
    { severity: "info", body: "two", time: 2n },
  ]);
});

Deno.test("a consumer hears what is grave enough for it, until it is removed", () => {
  const [all, grave]: [string[], string[]] = [[], []];
  const log = new EngineLog(clock);
  assert.ok(!log.enabled("error"), "nobody hears anything yet");
  const leaveGrave = log.addConsumer(({ body }) => grave.push(body), "warn");
  assert.deepEqual(
    (["debug", "info", "warn", "error"] as const).map((severity) => log.enabled(severity)),
    [false, false, true, true],
  );
  const leaveAll = log.addConsumer(({ body }) => all.push(body));
  for (const severity of ["debug", "info", "warn", "error"] as const) {
    log.log({ severity, body: severity });
  }
  leaveAll();
  leaveAll();
  log.log({ severity: "error", body: "later" });
  leaveGrave();
  log.log({ severity: "error", body: "too late" });
  assert.deepEqual(all, ["debug", "info", "warn", "error"]);
  assert.deepEqual(grave, ["warn", "error", "later"]);
  assert.ok(!log.enabled("error"));
});

Deno.test("a consumer that throws costs neither the writer nor the others, who hear of it once (J5)", () => {
  const heard: string[] = [];
  const log = new EngineLog(clock);
  log.addConsumer(() => {
    throw new TypeError("no disk");
  });
  log.addConsumer(({ severity, body }) => heard.push(`${severity} ${body}`));
  log.log({ severity: "info", body: "one" });
  log.log({ severity: "info", body: "two" });
  assert.deepEqual(heard.sort(), ["info one", "info two", "warn a log consumer failed: no disk"]);
});

Deno.test("a consumer does not hear what it writes itself: a log cannot feed itself", () => {
  const heard: string[] = [];
  const log = new EngineLog(clock);
  let calls = 0;
  log.addConsumer(({ body }) => {
    calls++;
    log.log({ severity: "warn", body: `dropped: ${body}` });
  });
  log.addConsumer(({ body }) => heard.push(body));
  log.log({ severity: "info", body: "one" });
  assert.equal(calls, 1);
  assert.deepEqual(heard.sort(), ["dropped: one", "one"]);
});

Deno.test("a consumer that leaves while it hears keeps nothing from the others", () => {
  const heard: string[] = [];
  const log = new EngineLog(clock);
  const leave = log.addConsumer(() => leave());
  log.addConsumer(({ body }) => heard.push(body));
  log.log({ severity: "info", body: "one" });
  log.log({ severity: "info", body: "two" });
  assert.deepEqual(heard, ["one", "two"]);
});
