// The plugin optimizer in real runs, with experiments and verdicts, on workflows whose best values are known. Their
// objectives count attempts, so that nothing here depends on how fast the machine is.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { LedgerEntry } from "../../engine/engine.ts";
import { type EngineFolder, inEngineFolder } from "./engine_folder.ts";

interface Scene extends EngineFolder {
  readonly file: string;
  /** So many runs, each an engine's first: its plugins hear all of it before the next begins. */
  runs(count: number): Promise<void>;
  /** The value that rules. */
  ruling(name: string): Promise<unknown>;
  /** The workflow's changes, oldest first. */
  changes(): Promise<readonly LedgerEntry[]>;
  /** Writes a file beside the workflow. */
  write(name: string, text: string): Promise<void>;
}

function withWorkflow(
  workflow: string,
  files: Readonly<Record<string, string>>,
  test: (scene: Scene) => Promise<void>,
): Promise<void> {
  return inEngineFolder({ ...files, "work.yaml": workflow }, (inFolder) => {
    const { folder, engine } = inFolder;
    const file = join(folder, "work.yaml");
    return test({
      ...inFolder,
      file,
      write: (name, text) => Deno.writeTextFile(join(folder, name), text),
      async runs(count) {
        for (let i = 0; i < count; i++) await engine((engine) => engine.run(file));
      },
      async ruling(name) {
        const { parameters } = await engine((engine) => engine.tuning.list(file));
        return parameters.find(({ parameter }) => parameter.name === name)?.value;
      },
      changes: async () =>
        [...await engine((engine) => engine.tuning.history(file, { limit: 1_000 }))].reverse(),
    });
  });
}

const lines = (count: number) => Array.from({ length: count }, (_, i) => `{"i":${i}}\n`).join("");

// What a batch holds beyond the limit fails.
const LOAD = `
export default ({ items, path }) => {
  const limit = Number(Deno.readTextFileSync(path("limit")));
  return { processed: Math.min(limit, items.length), failed: Math.max(0, items.length - limit) };
};
`;
const LIMITED = `
name: limited
params:
  batch_size:
    type: integer
    default: 4
    tune: { min: 1, max: 1000, scale: log, max_step: 4x, apply: live, mode: auto }
tune:
  objective: { minimize: attempts / items, of: load }
  guards: [{ metric: error_rate, of: load, below: 0.02 }]
plugins: [{ use: optimizer }]
steps:
  - id: load
    for_each:
      file: items.ndjson
      batch: \${{ params.batch_size }}
      on_item_error: continue
    uses: script
    with: { module: ./load.ts }
`;
const FILES = { "load.ts": LOAD, "items.ndjson": lines(3_000), limit: "64" };

function verdicts(changes: readonly LedgerEntry[]): readonly LedgerEntry[] {
  return changes.filter(({ verdict }) => verdict !== undefined);
}

Deno.test("in runs like any others it moves to the largest batch that keeps the guard, by verdicts alone (P4)", () =>
  withWorkflow(LIMITED, FILES, async ({ runs, ruling, changes }) => {
    await runs(16);
    const size = Number(await ruling("batch_size"));
    assert.ok(size >= 24 && size <= 65, `batch_size ${size}`);
    const all = await changes();
    let before = 4;
    for (const { proposal, decision, verdict } of all) {
      console.log(decision.message);
      if (decision.outcome === "testing") {
        assert.deepEqual(proposal.author, { kind: "plugin", name: "optimizer" });
        assert.ok(proposal.evidence.length > 0);
        assert.ok(Number(decision.values.batch_size) <= 4 * before, "max_step (A3)");
      }
      if (verdict?.action !== "kept") continue;
      before = Number(decision.values.batch_size);
    }
    assert.equal(before, size, "what rules is what the last verdict kept");
    assert.ok(verdicts(all).some(({ verdict }) => verdict!.action === "rolled_back"));
  }));

Deno.test("when the limit falls it goes back, and what rules keeps the guard again", () =>
  withWorkflow(LIMITED, FILES, async ({ engine, file, ruling, changes, write }) => {
    const improve = (runs: number) => engine((engine) => engine.improve(file, { runs }));
    await improve(10);
    assert.ok(Number(await ruling("batch_size")) > 20);
    const before = (await changes()).length;
    await write("limit", "10");
    await improve(12);
    const size = Number(await ruling("batch_size"));
    for (const { decision } of (await changes()).slice(before)) console.log(decision.message);
    assert.ok(size <= 10 && size >= 4, `batch_size ${size}`);
    const back = (await changes()).slice(before).find(({ decision: { outcome } }) =>
      outcome === "applied"
    );
    assert.equal(back?.decision.rule, "guard", "the engine takes back what was kept");
  }));

const WHOLE = `
name: whole
params:
  lanes: { type: integer, default: 2, tune: { min: 1, max: 8, mode: auto } }
  codec: { type: enum, values: [plain, packed], default: plain, tune: { mode: auto } }
tune:
  objective: { maximize: items / attempts, of: load }
plugins: [{ use: optimizer }]
steps:
  - id: load
    for_each:
      file: items.ndjson
      batch: '\${{ params.lanes * (params.codec == "packed" ? 4 : 1) }}'
    uses: script
    with: { module: ./load.ts }
`;

Deno.test("where a run has one value throughout, it tries whole runs: a number and a choice (A6)", () =>
  withWorkflow(
    WHOLE,
    { "load.ts": "export default () => {};", "items.ndjson": lines(200) },
    async ({ engine, file, changes }) => {
      const { after } = await engine((engine) => engine.improve(file, { runs: 60 }));
      for (const { decision } of verdicts(await changes())) console.log(decision.message);
      assert.equal(after.codec, "packed");
      assert.ok(Number(after.lanes) >= 4, `lanes ${after.lanes}`);
    },
  ));

Deno.test("what is only recommended is held once for a person, however many runs there are (A3)", () =>
  withWorkflow(
    LIMITED.replace("mode: auto", "mode: recommend"),
    FILES,
    async ({ runs, ruling, changes }) => {
      await runs(8);
      const all = await changes();
      const held = all.filter(({ decision }) => decision.outcome === "held");
      assert.equal(held.length, 1, all.map(({ decision }) => decision.message).join("\n"));
      assert.ok(all.length <= 5, `${all.length} entries`);
      assert.equal(await ruling("batch_size"), 4);
    },
  ));

Deno.test("a workflow's steps suggest, apply and tell of verdicts", () =>
  withWorkflow(
    LIMITED.replace("{ use: optimizer }", "{ use: optimizer, with: { propose: false } }").replace(
      "steps:",
      `steps:
  - id: suggest
    uses: optimizer/suggest
    with: { workflow: limited }
  - id: apply
    uses: optimizer/apply
    with:
      workflow: limited
      changes: \${{ steps.suggest.outputs.changes }}
      reason: \${{ steps.suggest.outputs.reason }}
  - id: verdicts
    uses: optimizer/verdicts
    with: { workflow: limited }`,
    ),
    FILES,
    async ({ engine, file }) => {
      const outputs: Record<string, Record<string, unknown>>[] = [];
      for (let i = 0; i < 8; i++) {
        await engine(async (engine) => {
          const { run_id } = await engine.run(file);
          const { steps } = await engine.history(run_id);
          outputs.push(Object.fromEntries(
            steps.map(({ report }) => [report.id, report.outputs as Record<string, unknown>]),
          ));
        });
      }
      assert.equal(outputs[0].suggest.reason, "No run of limited has been measured yet");
      assert.equal(outputs[0].apply.outcome, "none");
      assert.ok("batch_size" in (outputs[1].suggest.changes as object));
      assert.equal(outputs[1].apply.outcome, "testing");
      const told = outputs.at(-1)!.verdicts.verdicts as readonly { readonly message: string }[];
      assert.match(told.at(-1)!.message, /^batch_size 4 \u2192 \d+: .*, kept$/);
    },
  ));
