import assert from "node:assert/strict";
import { createEngine, type Engine } from "./engine.ts";

// Edits change its size: files that are written twice within a tick of the clock look the same otherwise.
const CHILD = `name: child
params:
  size: { type: integer, default: 20, tune: { min: 1, max: 500, mode: auto } }
  deep: { type: integer, tune: { min: 1, max: 500, mode: auto } }
steps:
  - id: say
    uses: emit
    with: { name: said }
outputs: { size: "\${{ params.size }}", deep: "\${{ params.deep }}" }
`;
const PARENT = `name: parent
params: { size: { type: integer, default: 3 } }
steps:
  - id: tuned
    uses: workflow
    with: { file: child.yaml }
  - id: given
    uses: workflow
    with: { file: child.yaml, params: { size: "\${{ params.size }}" } }
outputs:
  tuned: \${{ steps.tuned.outputs.size }}
  given: \${{ steps.given.outputs.size }}
`;

async function withEngine(
  test: (engine: Engine, path: (name: string) => string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = (name: string) => `${folder}/${name}`;
  const engine = await createEngine({ near: folder, store: "memory:" });
  try {
    await Deno.writeTextFile(path("child.yaml"), CHILD);
    await Deno.writeTextFile(path("parent.yaml"), PARENT);
    await test(engine, path);
  } finally {
    await engine.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a sub-workflow takes its own tuned values, below its caller's (V3)", () =>
  withEngine(async (engine, path) => {
    await engine.tuning.set(path("child.yaml"), { size: "200", deep: "9" });
    const { outputs, status } = await engine.run(path("parent.yaml"));
    assert.equal(status, "succeeded");
    assert.deepEqual(outputs, { tuned: 200, given: 3 });
    const [given, tuned] = await engine.runs({ workflow: "child" });
    assert.deepEqual([tuned.snapshot, tuned.sources.size], [1, "tuned"]);
    assert.deepEqual([given.snapshot, given.sources.size], [1, "caller"]);
    assert.equal((await engine.runs({ workflow: "parent" }))[0].snapshot, undefined);
  }));

Deno.test("a tuned value stands in for a default that is not there", () =>
  withEngine(async (engine, path) => {
    await assert.rejects(engine.run(path("child.yaml")), /deep needs a value/);
    await engine.tuning.set(path("child.yaml"), { deep: "9" });
    assert.deepEqual((await engine.run(path("child.yaml"))).outputs, { size: 20, deep: 9 });
    const plan = await engine.plan(path("child.yaml"));
    assert.deepEqual([plan.parameters.deep, plan.sources.deep], [9, "tuned"]);
  }));

Deno.test("a run keeps the snapshot that it began with, and a rerun of it too (P3)", () =>
  withEngine(async (engine, path) => {
    const file = path("child.yaml");
    await engine.tuning.set(file, { size: "200", deep: "9" });
    const { run_id } = await engine.run(file);
    await engine.tuning.set(file, { size: "300" });
    const again = await engine.rerun(run_id);
    assert.deepEqual(again.parameters, { size: 200, deep: 9 });
    const snapshots = (await engine.runs()).map(({ snapshot }) => snapshot);
    assert.deepEqual(snapshots, [1, 1]);
    assert.equal((await engine.run(file)).parameters.size, 300);
  }));

Deno.test("a run that does not begin leaves the ledger as it was (A5)", () =>
  withEngine(async (engine, path) => {
    const file = path("child.yaml");
    await engine.tuning.set(file, { size: "200", deep: "9" });
    await Deno.writeTextFile(file, CHILD.replace("default: 20", "default: 300"));
    const bad = { given: { text: { size: "many" } } };
    await assert.rejects(engine.run(file, bad), /size must be an integer/);
    await engine.plan(file);
    assert.equal((await engine.tuning.history(file)).length, 1);

    // Another file of that name may not speak for this one (R1).
    await Deno.writeTextFile(path("other.yaml"), CHILD.replace("default: 20", "default: 40"));
    await assert.rejects(engine.run(path("other.yaml")), /are both named child/);
    await assert.rejects(engine.tuning.set(path("other.yaml"), { size: "1" }), /both named child/);
    assert.equal((await engine.tuning.history(file)).length, 1);

    assert.equal((await engine.run(file)).parameters.size, 300);
    const [newest] = await engine.tuning.history(file);
    assert.deepEqual(newest.proposal.author, { kind: "file" });
    const [run] = await engine.runs();
    assert.equal(run.snapshot, newest.version, "the version that the edit made");
  }));

Deno.test("an order on an edited file stands on the file as it is now (A5)", () =>
  withEngine(async (engine, path) => {
    const file = path("child.yaml");
    await engine.tuning.set(file, { size: "200", deep: "9" });
    await Deno.writeTextFile(file, CHILD.replace("default: 20", "default: 300"));
    await engine.tuning.set(file, { deep: "10" });
    const entries = await engine.tuning.history(file);
    assert.deepEqual(entries.map(({ proposal }) => proposal.author.kind), [
      "person",
      "file",
      "person",
    ]);
    const { parameters } = await engine.tuning.list(file);
    assert.deepEqual(parameters.map(({ value, source }) => [value, source]), [
      [300, "default"],
      [10, "tuned"],
    ]);
  }));

Deno.test("pin does not write over what was edited while it asked", () =>
  withEngine(async (engine, path) => {
    const file = path("child.yaml");
    await engine.tuning.set(file, { size: "200" });
    const edited = CHILD.replace("outputs:", "# mine\noutputs:");
    const edit = async () => {
      await Deno.writeTextFile(file, edited);
      return true;
    };
    await assert.rejects(engine.tuning.pin(file, [], edit), /has changed meanwhile/);
    assert.equal(await Deno.readTextFile(file), edited);

    const refused = await engine.tuning.pin(file, [], () => false);
    assert.deepEqual([refused.written, refused.values], [false, { size: 200 }]);
    assert.equal(await Deno.readTextFile(file), edited);
  }));

Deno.test("pin has nothing to write where the file says it already", () =>
  withEngine(async (engine, path) => {
    const file = path("child.yaml");
    assert.deepEqual((await engine.tuning.pin(file, [], () => true)).values, {});
    await engine.tuning.set(file, { size: "30" });
    await engine.tuning.set(file, { size: "20" });
    assert.deepEqual((await engine.tuning.pin(file, ["size"], () => true)).written, false);
    assert.equal(await Deno.readTextFile(file), CHILD);
  }));

Deno.test("pin follows a link, and keeps a byte order mark", () =>
  withEngine(async (engine, path) => {
    await Deno.writeTextFile(path("real.yaml"), "\ufeff" + CHILD);
    await Deno.remove(path("child.yaml"));
    await Deno.symlink(path("real.yaml"), path("child.yaml"));
    await engine.tuning.set(path("child.yaml"), { size: "200" });
    const { written } = await engine.tuning.pin(path("child.yaml"), ["size"], () => true);
    assert.ok(written);
    assert.ok((await Deno.lstat(path("child.yaml"))).isSymlink);
    const bytes = await Deno.readFile(path("real.yaml"));
    assert.deepEqual([...bytes.subarray(0, 3)], [0xef, 0xbb, 0xbf]);
    assert.equal(
      new TextDecoder().decode(bytes),
      CHILD.replace("default: 20", "default: 200"),
    );
  }));
