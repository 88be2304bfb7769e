// workflows/improve.yaml, on a workflow whose best value is known: the loop as a workflow.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createEngine, type Engine } from "../../engine/engine.ts";
import { readRecord } from "../../engine/host/record.ts";
import { openStore } from "../../engine/store/open.ts";

const IMPROVE = new URL("../../workflows/improve.yaml", import.meta.url);
const MAIN = new URL("../../engine/cli/main.ts", import.meta.url).pathname;
// A batch holds up to 64 items; those beyond fail. Nothing here depends on how fast the machine is.
const LOAD = `
name: load
params:
  batch_size: { type: integer, default: 4, tune: { min: 1, max: 1000, scale: log, max_step: 4x, apply: live, mode: auto } }
tune:
  objective: { minimize: attempts / items, of: load }
  guards: [{ metric: error_rate, of: load, below: 0.02 }]
  cooldown: 0s
steps:
  - id: load
    for_each: { file: items.ndjson, batch: "\${{ params.batch_size }}", on_item_error: continue }
    uses: script
    with: { module: ./load.ts }
`;
const SCRIPT = `
export default ({ items }) => ({
  processed: Math.min(64, items.length),
  failed: Math.max(0, items.length - 64),
});`;

async function withFolder(
  test: (folder: string, engine: Engine) => Promise<void>,
  change = (improve: string) => improve,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-improve-" });
  try {
    const improve = change(await Deno.readTextFile(IMPROVE))
      .replace(/, params: \{ database: [^}]* \}/, "")
      .replaceAll("quickstart", "load")
      .replace("deno run -A ../engine/cli/main.ts", `${Deno.execPath()} run -A --no-check ${MAIN}`);
    const items = Array.from({ length: 2_000 }, (_, i) => `{"i":${i}}\n`).join("");
    const files = { "load.yaml": LOAD, "load.ts": SCRIPT, "items.ndjson": items };
    for (const [name, text] of Object.entries({ ...files, "improve.yaml": improve })) {
      await Deno.writeTextFile(join(folder, name), text);
    }
    const engine = await createEngine({ near: folder, durability: "normal", drainMs: 60_000 });
    try {
      await test(folder, engine);
    } finally {
      await engine.close();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the loop is a workflow: it measures, suggests, tries, keeps what is better, and reports", () =>
  withFolder(async (folder, engine) => {
    const [improve, load] = [join(folder, "improve.yaml"), join(folder, "load.yaml")];
    const told: string[] = [];
    for (let tick = 0; tick < 6; tick++) {
      const { status, error, outputs, steps, run_id } = await engine.run(improve);
      assert.equal(status, "succeeded", JSON.stringify(error ?? steps));
      told.push(String(outputs.suggested));
      if (tick === 0) assert.match(told[0], /No run of load has been measured yet/);
      // Each of its runs is a run of the workflow like any other, below this one.
      const measured = await engine.runs({ workflow: "load", limit: 3 });
      assert.deepEqual(measured.map(({ parent }) => parent?.runId), [run_id, run_id, run_id]);
    }
    const entries = (await engine.tuning.history(load)).toReversed();
    const begun = entries.filter(({ decision }) => decision.outcome === "testing");
    assert.ok(begun.length >= 2, told.join("\n"));
    for (const { proposal } of begun) {
      // What was suggested is what was applied, and the attempt that did so is the evidence.
      assert.deepEqual(proposal.author, { kind: "plugin", name: "optimizer" });
      assert.ok(told.includes(proposal.reason), proposal.reason);
      const [{ spanId }] = proposal.evidence;
      const applied = await Promise.all(
        (await engine.runs({ workflow: "improve" })).map(({ runId }) => engine.history(runId)),
      );
      const attempts = applied.flatMap(({ steps }) =>
        steps.find(({ report }) => report.id === "apply")!.attempts
      );
      assert.ok(attempts.some(({ span }) => span.spanId === spanId));
    }
    const kept = entries.filter(({ verdict }) => verdict?.action === "kept");
    assert.ok(kept.length >= 1, entries.map(({ decision }) => decision.message).join("\n"));
    const { parameters: [{ value }] } = await engine.tuning.list(load);
    assert.ok(Number(value) > 4 && Number(value) <= 65, String(value));
    for (const page of ["report.md", "report.html"]) {
      assert.ok(existsSync(join(folder, "out/report", page)), page);
    }
    // It learned all that: the plugins of `improve` alone are used.
    const states = await engine.plugins.list(improve);
    assert.deepEqual(states.map(({ name, workflow }) => `${name} ${workflow}`), [
      "analyzer improve",
      "optimizer improve",
    ]);
  }));

Deno.test("after an improve the loop goes on with what that learned, and tells of its verdicts from its first run on", () =>
  withFolder(async (folder, engine) => {
    const { verdicts } = await engine.improve(join(folder, "load.yaml"), { runs: 8 });
    assert.ok(verdicts.length > 0);
    const { outputs, steps } = await engine.run(join(folder, "improve.yaml"));
    const told = outputs.verdicts as readonly string[];
    assert.deepEqual(
      told.slice(-verdicts.length),
      verdicts.toReversed().map(({ decision }) => decision.message),
      JSON.stringify(steps),
    );
    assert.doesNotMatch(String(outputs.suggested), /No run of load has been measured/);
    // Once it has heard all it knows what was measured before it as well.
    await engine.close();
    const store = await openStore(engine.location, { durability: "normal" });
    try {
      const { state } = await readRecord(store, "optimizer@improve");
      const measured = { plugin: "experiments", name: "experiment.measurement", workflow: "load" };
      const runs = new Set((await store.emitted(measured)).map(({ span }) => span.runId));
      assert.equal(runs.size, 8 + 3);
      assert.equal((state["notes/load"] as { readonly told: number }).told, runs.size);
    } finally {
      await store.close();
    }
  }));

Deno.test("killed at work, the loop goes on in the process that waited: nothing is asked or started twice (R5, R8, R9, T3)", () =>
  withFolder(async (folder, engine) => {
    const process = new URL("./serve_process.ts", import.meta.url).pathname;
    const serving = () =>
      new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", process, folder, engine.location],
        stdout: "null",
        stderr: "inherit",
      }).spawn();
    // A bound, not a measure: it only ends a test that would never end.
    const until = async (what: string, holds: () => Promise<boolean>) => {
      for (let i = 0; i < 1_200; i++) {
        if (await holds()) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assert.fail(`${what} never came`);
    };
    const ticks = (status?: "running" | "succeeded") =>
      engine.runs({ workflow: "improve", limit: 100, statuses: status && [status] });
    const processes = [serving()];
    try {
      await until("two ticks", async () => (await ticks("succeeded")).length >= 2);
      processes.push(serving());
      await until("a run of one under way", async () => {
        const [running] = await ticks("running");
        if (running === undefined) return false;
        const runs = await engine.runs({ workflow: "load", limit: 1, statuses: ["running"] });
        return runs[0]?.parent?.runId === running.runId;
      });
      processes[0].kill("SIGKILL");
      await processes[0].status;
      const before = (await ticks()).length;
      await until("two more", async () => (await ticks("succeeded")).length >= before + 2);
      processes[1].kill("SIGTERM");
      await processes[1].status;
      const runs = await ticks();
      assert.equal(new Set(runs.map(({ trigger }) => trigger)).size, runs.length);
      assert.deepEqual(runs.filter(({ status }) => status === "failed"), []);
      // The newest may have been cancelled as the second one ended.
      assert.ok(runs.slice(1).every(({ status }) => status === "succeeded"));
      const entries = await engine.tuning.history(join(folder, "load.yaml"));
      assert.ok(entries.some(({ decision }) => decision.outcome === "testing"));
      assert.equal(new Set(entries.map(({ proposal }) => proposal.id)).size, entries.length);
      // Each try was asked for by one attempt of one run.
      const asked = entries.flatMap(({ proposal, decision }) =>
        decision.outcome === "testing" ? proposal.evidence.map(({ spanId }) => spanId) : []
      );
      assert.equal(new Set(asked).size, asked.length);
    } finally {
      for (const one of processes) {
        try {
          one.kill("SIGKILL");
        } catch {
          // It has ended, as it should.
        }
        await one.status;
      }
    }
  }, (improve) => improve.replace("*/10 * * * *", "*/2 * * * * *")));
