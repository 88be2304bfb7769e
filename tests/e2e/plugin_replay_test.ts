// What a plugin would have done about a run, by the engine: the same as it has done.
import assert from "node:assert/strict";
import { join } from "node:path";
import type { ActionOutcome } from "../../engine/core/plugin_report.ts";
import { createEngine, type Engine } from "../../engine/engine.ts";
import { openStore } from "../../engine/store/open.ts";

const ANALYZER = `
import { definePlugin } from "spanloop";
export default definePlugin({
  name: "analyzer", role: "analyzer", subscribe: { role: "attempt" }, actions: ["emit"],
  onSpan: ({ span }) => [{ type: "emit", name: "finding", attributes: { word: String(span.stepId) } }],
});`;

// Hears what the other one has found; in every second run it asks for what earlier ones are evidence of.
const OPTIMIZER = `
import { definePlugin } from "spanloop";
export default definePlugin({
  name: "optimizer", role: "optimizer", subscribe: { name: "finding" }, actions: ["propose"],
  async onSpan({ span }, { query, parameters }) {
    const { parameters: { size } } = await parameters();
    const [earlier] = await query({ role: "attempt", limit: 1 });
    return [{
      type: "propose", changes: { size: Number(size.value) + 1 }, reason: span.attributes.word,
      ...(earlier === undefined ? {} : { evidence: [earlier].map(({ traceId, spanId }) => ({ traceId, spanId })) }),
    }];
  },
});`;

const WORKFLOW = `
name: w
params:
  size: { type: integer, default: 1, tune: { min: 1, max: 100, mode: auto } }
tune: { max_changes_per_day: 7 }
plugins:
  - use: ./analyzer.ts
  - { use: ./optimizer.ts, grant: { propose: [size] } }
steps:
  - { id: a, run: "true" }
  - { id: b, for_each: [1, 2], run: "true" }
`;

Deno.test("replaying a run tells what was decided live, findings of other plugins included, and changes nothing (T4)", async () => {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-replay-" });
  const location = `sqlite:${folder}/store.db`;
  const file = join(folder, "w.yaml");
  const on = async <T>(use: (engine: Engine) => Promise<T>): Promise<T> => {
    const engine = await createEngine({ near: folder, store: location, drainMs: 30_000 });
    try {
      return await use(engine);
    } finally {
      await engine.close();
    }
  };
  try {
    await Deno.writeTextFile(join(folder, "analyzer.ts"), ANALYZER);
    await Deno.writeTextFile(join(folder, "optimizer.ts"), OPTIMIZER);
    await Deno.writeTextFile(file, WORKFLOW);
    const runs: string[] = [];
    for (let i = 0; i < 3; i++) runs.push((await on((engine) => engine.run(file))).run_id);

    const store = await openStore(location, { durability: "normal", readOnly: true });
    const live = [...await store.ledger({ limit: 100 })].reverse();
    const records = await store.since(0, 10_000);
    await store.close();
    assert.deepEqual(live.map(({ decision: { outcome } }) => outcome), [
      ...Array(7).fill("applied"),
      ...Array(2).fill("refused"),
    ]);

    const told: ActionOutcome[] = [];
    for (const runId of runs) {
      const replay = () =>
        on((engine) =>
          Array.fromAsync(engine.plugins.replay({ plugin: "optimizer", from: { runId } }))
        );
      const outcomes = await replay();
      assert.equal(JSON.stringify(await replay()), JSON.stringify(outcomes));
      told.push(...outcomes);
    }
    assert.deepEqual(
      told.map(({ id, decision }) => ({ id, decision })),
      live.map(({ proposal: { id }, decision }) => ({ id, decision })),
    );

    const analyzed = await on((engine) =>
      Array.fromAsync(engine.plugins.replay({ plugin: "analyzer", from: { runId: runs[1] } }))
    );
    const emitted = records.flatMap((one) =>
      one.type === "emitted" && one.span.runId === runs[1] ? [one.span.attributes.word] : []
    );
    assert.deepEqual(
      analyzed.map(({ action }) => action.type === "emit" && action.attributes?.word),
      emitted,
    );
    for (const plugin of ["experiments", "spanloop:experiments"]) {
      const refused = on((engine) =>
        Array.fromAsync(engine.plugins.replay({ plugin, from: { runId: runs[1] } }))
      );
      await assert.rejects(refused, {
        code: "plugin.unknown",
        message: new RegExp(`^${plugin} is the engine's own and cannot be replayed: `),
      });
    }
    const after = await openStore(location, { durability: "normal", readOnly: true });
    assert.deepEqual(await after.since(0, 10_000), records);
    assert.equal((await after.ledger({ limit: 100 })).length, 9);
    await after.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
