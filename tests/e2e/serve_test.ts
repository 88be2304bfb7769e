import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import type { RunSummary } from "../../engine/core/store.ts";
import { createEngine, type Engine, type LogRecord } from "../../engine/engine.ts";

const EVERY_SECOND = `on: { schedule: { cron: "* * * * * *", timezone: UTC } }`;
const WAITS = `
steps:
  - id: hold
    run: echo "$SPANLOOP_RUN_ID" >> held; while ! test -e release; do sleep 0.05; done
finally:
  - id: tidy
    run: echo "$SPANLOOP_RUN_ID" >> tidied
`;

interface Served {
  readonly folder: string;
  readonly engine: Engine;
  readonly logs: LogRecord[];
  write(name: string, text: string): Promise<void>;
  read(name: string): readonly string[];
  /** Waits until `holds`; what serve logged is shown when it does not come. */
  until(what: string, holds: () => boolean | Promise<boolean>): Promise<void>;
  said(text: string, workflow?: string): boolean;
}

async function inFolder(test: (served: Served) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-serve-" });
  const engine = await createEngine({ near: folder, store: `sqlite:${folder}/.spanloop/store.db` });
  const logs: LogRecord[] = [];
  engine.onLog((record) => logs.push(record), "info");
  try {
    await test({
      folder,
      engine,
      logs,
      write: (name, text) => Deno.writeTextFile(`${folder}/${name}`, text),
      read: (name) =>
        existsSync(`${folder}/${name}`)
          ? Deno.readTextFileSync(`${folder}/${name}`).split("\n").filter((line) => line !== "")
          : [],
      async until(what, holds) {
        // A bound, not a measure: it only ends a test that would never end.
        for (let i = 0; i < 600; i++) {
          if (await holds()) return;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        assert.fail(`${what} never came; logged:\n${logs.map(({ body }) => body).join("\n")}`);
      },
      said: (text, workflow) =>
        logs.some((record) =>
          record.body.includes(text) && (workflow === undefined || record.workflow === workflow)
        ),
    });
  } finally {
    await engine.close();
    await Deno.remove(folder, { recursive: true });
  }
}

function serve(served: Served): { stop(): Promise<void> } {
  const controller = new AbortController();
  const done = served.engine.serve(served.folder, { signal: controller.signal });
  return {
    stop: () => {
      controller.abort();
      return done;
    },
  };
}

const runsOf = (engine: Engine, workflow: string): Promise<readonly RunSummary[]> =>
  engine.runs({ workflow, limit: 100 });

function assertOneRunATick(runs: readonly RunSummary[]): void {
  const triggers = runs.map(({ trigger }) => trigger);
  assert.ok(triggers.every((trigger) => trigger !== undefined), "each run names its tick");
  assert.equal(new Set(triggers).size, triggers.length, "a tick started two runs (R9)");
}

Deno.test("serve starts one run a tick, skips over a run under way, and stops gently (R8, R9)", () =>
  inFolder(async (served) => {
    const { engine } = served;
    await served.write(
      "tick.yaml",
      `name: tick\n${EVERY_SECOND}\nsteps:\n  - id: mark\n    run: echo x >> ticks\n`,
    );
    await served.write("slow.yaml", `name: slow\n${EVERY_SECOND}${WAITS}`);
    await served.write(
      "manual.yaml",
      `name: manual\nsteps:\n  - id: never\n    run: touch manual\n`,
    );
    const serving = serve(served);
    await served.until("a third tick", () => served.read("ticks").length >= 3);
    await served.until("a skip", () => served.said("skipped", "slow"));

    assert.equal((await runsOf(engine, "slow")).length, 1, "overlap: skip");
    assert.equal(served.read("held").length, 1);
    await serving.stop();
    const slow = await runsOf(engine, "slow");
    assert.deepEqual(slow.map(({ status }) => status), ["cancelled"]);
    assert.deepEqual(served.read("tidied"), slow.map(({ runId }) => runId), "finally ran (S3)");
    const ticks = await runsOf(engine, "tick");
    assertOneRunATick([...ticks, ...slow]);
    assert.ok(ticks.every(({ endedAt }) => endedAt !== undefined), "no run is left under way");
    assert.ok(!existsSync(`${served.folder}/manual`), "a workflow without a schedule is not run");
    assert.equal((await runsOf(engine, "manual")).length, 0);
  }));

Deno.test("serve reloads a file that is added, changed or broken; the others go on (R8)", () =>
  inFolder(async (served) => {
    const tick = (mark: string) =>
      `name: tick\n${EVERY_SECOND}\nsteps:\n  - id: mark\n    run: echo x >> ${mark}\n`;
    await served.write("tick.yaml", tick("first"));
    await served.write("broken.yaml", "name: broken\nsteps:\n  - id: a\n    rum: echo\n");
    const serving = serve(served);
    await served.until("a run", () => served.read("first").length >= 1);
    assert.ok(
      served.logs.some(({ severity, body }) =>
        severity === "error" && body.includes(`${served.folder}/broken.yaml:4:5`)
      ),
      "a file that does not hold is told with its place",
    );

    await served.write("tick.yaml", tick("second"));
    await served.until("a run of the changed file", () => served.read("second").length >= 1);
    await served.write("added.yaml", tick("third").replace("name: tick", "name: added"));
    await served.until("a run of the added file", () => served.read("third").length >= 1);
    await served.write("tick.yaml", tick("second").replace("run:", "runn:"));
    await served.until("the mistake is told", () => served.said("tick.yaml:5:5"));
    const before = served.read("third").length;
    await served.until("the others go on", () => served.read("third").length > before);
    await served.write("tick.yaml", tick("fourth"));
    await served.until("the mended file runs", () => served.read("fourth").length >= 1);
    await Deno.remove(`${served.folder}/added.yaml`);
    await served.until("the removed file is left out", async () => {
      const count = served.read("third").length;
      const ticks = served.read("fourth").length;
      await served.until("two ticks", () => served.read("fourth").length >= ticks + 2);
      return served.read("third").length === count;
    });
    await served.write("twin.yaml", tick("twin"));
    await served.until("two files of one name are told", () => served.said("are both named tick"));
    await serving.stop();
    assertOneRunATick(await runsOf(served.engine, "tick"));
    assert.equal(served.read("twin").length, 0, "the second file of a name is left out (R1)");
  }));

Deno.test("a second serve stands by, and takes over schedules and runs of one that was killed (R7, R8)", () =>
  inFolder(async (served) => {
    await served.write("slow.yaml", `name: slow\n${EVERY_SECOND}${WAITS}`);
    const other = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        new URL("./serve_process.ts", import.meta.url).pathname,
        served.folder,
        served.engine.location,
      ],
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    try {
      await served.until("the other's run", () => served.read("held").length === 1);
      const serving = serve(served);
      await served.until("standby", () => served.said("serves this store; this one takes over"));
      const [run] = await runsOf(served.engine, "slow");
      assert.ok(!served.said("resumed"), "a run whose process lives is left alone");
      other.kill("SIGKILL");
      await other.status;
      await served.until("the schedules", () => served.said("serving 1 scheduled workflow"));
      await served.until("the run", () => served.said("resumed", "slow"));
      await served.until("its step, again", () => served.read("held").length === 2);
      assert.deepEqual(served.read("held"), [run.runId, run.runId], "the same run (R5)");
      await served.write("release", "");
      await served.until(
        "its end",
        async () => (await served.engine.find(run.runId)).endedAt !== undefined,
      );
      await served.until("a run of its own", () => served.said("started", "slow"));
      await serving.stop();
      assert.equal((await served.engine.find(run.runId)).status, "succeeded");
      assertOneRunATick(await runsOf(served.engine, "slow"));
    } finally {
      try {
        other.kill("SIGKILL");
      } catch {
        // It has ended, as it should.
      }
    }
  }));

Deno.test("a second serve says in one line that it waits, and serves once the first has ended gently (R8)", () =>
  inFolder(async (served) => {
    await served.write(
      "tick.yaml",
      `name: tick\n${EVERY_SECOND}\nsteps:\n  - id: mark\n    run: echo x >> ticks\n`,
    );
    const process = new URL("./serve_process.ts", import.meta.url).pathname;
    const other = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", process, served.folder, served.engine.location],
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    try {
      await served.until("the other's ticks", () => served.read("ticks").length >= 1);
      const serving = serve(served);
      const waits =
        `waiting: process ${other.pid} serves this store; this one takes over when it ` +
        "is gone";
      await served.until("the line", () => served.said(waits));
      assert.deepEqual(served.logs.map(({ body }) => body), [waits]);
      other.kill("SIGTERM");
      await other.status;
      await served.until("the schedules", () => served.said("serving 1 scheduled workflow"));
      await served.until("a tick of its own", () => served.said("started", "tick"));
      await serving.stop();
      assertOneRunATick(await runsOf(served.engine, "tick"));
    } finally {
      try {
        other.kill("SIGKILL");
      } catch {
        // It has ended, as it should.
      }
    }
  }));
