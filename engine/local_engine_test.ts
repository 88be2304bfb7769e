import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createEngine } from "./engine.ts";

const FLOW = "name: one\nsteps:\n  - id: say\n    uses: emit\n    with: { name: said }\n";

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/one.yaml`, FLOW);
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("an engine that looked for runs in vain makes no store, and finds one made later (R3)", () =>
  inFolder(async (folder) => {
    const [watching, running] = [
      await createEngine({ near: folder }),
      await createEngine({ near: folder }),
    ];
    const unknown = { code: "run.unknown", exitCode: 2 };
    try {
      assert.deepEqual(await watching.runs(), []);
      assert.deepEqual(await watching.prune(0), { runs: 0, receivedSpans: 0, changes: 0 });
      assert.equal(await watching.cancel("01a1fd9b-11b5-75d1-b0c7-c061965a46c4"), false);
      for (const call of ["find", "history", "resume", "rerun"] as const) {
        await assert.rejects(watching[call]("01a1fd9b-11b5-75d1-b0c7-c061965a46c4"), unknown);
      }
      assert.ok(!existsSync(`${folder}/.spanloop`));
      const { run_id } = await running.run(`${folder}/one.yaml`);
      assert.deepEqual((await watching.runs()).map(({ runId }) => runId), [run_id]);
      assert.equal((await watching.find("last")).runId, run_id);
    } finally {
      await watching.close();
      await running.close();
    }
  }));

Deno.test("one engine runs while it is asked for runs that are not there yet", () =>
  inFolder(async (folder) => {
    const engine = await createEngine({ near: folder });
    try {
      const [before, ...reports] = await Promise.all([
        engine.runs(),
        engine.run(`${folder}/one.yaml`),
        engine.run(`${folder}/one.yaml`),
      ]);
      assert.deepEqual(before, []);
      assert.deepEqual(reports.map(({ status }) => status), ["succeeded", "succeeded"]);
      assert.equal((await engine.runs()).length, 2);
    } finally {
      await engine.close();
    }
  }));

Deno.test("two files of one name are refused in a sentence; a file that was moved is not (R1)", () =>
  inFolder(async (folder) => {
    const engine = await createEngine({ near: folder, store: "memory:" });
    try {
      await Deno.writeTextFile(`${folder}/two.yaml`, FLOW);
      await engine.run(`${folder}/one.yaml`);
      await assert.rejects(engine.run(`${folder}/two.yaml`), {
        message: `${folder}/two.yaml and ${folder}/one.yaml are both named one; a store knows a ` +
          "workflow by its name, so give one of them another name",
      });
      await Deno.remove(`${folder}/one.yaml`);
      assert.equal((await engine.run(`${folder}/two.yaml`)).status, "succeeded");
    } finally {
      await engine.close();
    }
  }));
