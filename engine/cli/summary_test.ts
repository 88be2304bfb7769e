import assert from "node:assert/strict";
import { eventful } from "./_fixture_test.ts";
import { hints } from "./hints.ts";
import { makeStyle } from "./style.ts";
import { exitCode, outputLines, summaryLines } from "./summary.ts";
import { parseArguments } from "./arguments.ts";
import { findCommand } from "./table.ts";

const plain = makeStyle(false);
const command = findCommand("run")!;

Deno.test("exit codes follow the run's status", () => {
  assert.deepEqual(
    (["succeeded", "skipped", "failed", "timed_out", "cancelled"] as const).map(exitCode),
    [0, 0, 1, 1, 130],
  );
});

Deno.test("the summary of a failed run tells why, with the last output, and how to go on", () => {
  const { report } = eventful();
  const steps = new Map([["report", { tail: "a\nno such table" }]]) as never;
  const view = { columns: 100, hints: [["spanloop show deadbeef", "what happened"]] as const };
  assert.deepEqual(summaryLines(report, { steps }, view, plain), [
    "✗ import-orders failed in 10.5 s  4 succeeded, 1 failed, 1 skipped",
    "  run 019aa573-1f80-7000-8000-0000deadbeef",
    "",
    "  report  The command ended with exit code 1",
    "    │ a",
    "    │ no such table",
    "",
    "  spanloop show deadbeef  what happened",
  ]);
});

Deno.test("hints name the store only where commands would not find it", () => {
  const { report } = eventful();
  const shown = (
    cwd: string,
    location: string,
    args: string[] = [],
    env: Record<string, string> = {},
  ) =>
    hints(
      parseArguments(command, ["f.yaml", ...args]),
      { cwd, env: (name) => env[name] },
      location,
      report,
    )
      .map(([line]) => line);
  assert.deepEqual(shown("/home/me/flows", "sqlite:/home/me/.spanloop/store.db"), [
    "spanloop show deadbeef",
    "spanloop show deadbeef --step report",
    "spanloop rerun deadbeef --failed",
  ]);
  assert.equal(
    shown("/home/me", "sqlite:/home/me/my flows/.spanloop/store.db")[0],
    "spanloop show deadbeef --store 'sqlite:my flows/.spanloop/store.db'",
  );
  assert.equal(
    shown("/home/me", "sqlite:/tmp/x.db", ["--store", "sqlite:/tmp/x.db"], {
      INIT_CWD: "/home/me",
    })[0],
    "deno task spanloop show deadbeef --store sqlite:/tmp/x.db",
  );
  assert.equal(
    shown("/", "sqlite:/tmp/x.db", [], { SPANLOOP_STORE: "sqlite:/tmp/x.db" })[0],
    "spanloop show deadbeef",
  );
  assert.deepEqual(shown("/home/me", "memory:"), []);
});

Deno.test("outputs are name: value, and text of several lines below its name", () => {
  assert.deepEqual(
    outputLines({ n: 3, who: "a\u001b[31mb", list: [1, "x"], table: "r1\nr2\n", none: null }),
    ["n: 3", "who: ab", 'list: [1,"x"]', "table:", "r1", "r2", "none: null"],
  );
});
