// Plugins in real runs: what they hear, what they make, and that a run does not notice what goes wrong with them.
import assert from "node:assert/strict";
import { join } from "node:path";
import { createEngine, type PluginReport } from "../../engine/engine.ts";
import type { EmittedSpan, StoreRecord } from "../../engine/core/span.ts";
import { openStore } from "../../engine/store/open.ts";
import { type EngineFolder, inEngineFolder } from "./engine_folder.ts";

interface Scene extends EngineFolder {
  /** Runs a workflow of the folder in an engine of its own, which lets plugins finish; what was logged at `warn`. */
  run(file: string, given?: Record<string, string>): Promise<readonly string[]>;
  /** What the store holds, in order. */
  records(): Promise<readonly StoreRecord[]>;
  /** What plugins have emitted, in order. */
  emitted(): Promise<readonly EmittedSpan[]>;
  /** What is told of the plugins of a workflow. */
  plugins(file: string): Promise<readonly PluginReport[]>;
}

function scene(
  files: Readonly<Record<string, string>>,
  test: (scene: Scene) => Promise<void>,
): Promise<void> {
  return inEngineFolder(files, (inFolder) => {
    const { folder, store, engine } = inFolder;
    const records = async () => {
      const opened = await openStore(store, { durability: "normal" });
      const all = await opened.since(0, 100_000);
      await opened.close();
      return all;
    };
    return test({
      ...inFolder,
      records,
      run: async (file, text = {}) => {
        const lines: string[] = [];
        await engine(async (engine) => {
          engine.onLog(({ severity, body, span }) => {
            // How long the run waits for plugins depends on the machine.
            if (span !== undefined || body.startsWith("plugins are still at work")) return;
            lines.push(`${severity}: ${body}`);
          }, "warn");
          const { status } = await engine.run(join(folder, file), { given: { text } });
          assert.equal(status, "succeeded");
          // The engine's own log ends with it: what plugins do as it drains is heard until then.
          await engine.close();
        });
        return lines;
      },
      emitted: async () =>
        (await records()).flatMap((record) => record.type === "emitted" ? [record.span] : []),
      plugins: (file) => engine((engine) => engine.plugins.list(join(folder, file))),
    });
  });
}

const COUNTER = `
import { definePlugin } from "spanloop";
export default definePlugin({
  name: "counter", role: "analyzer", subscribe: { role: "attempt" }, actions: ["emit"],
  onSpan({ span }, { state }) {
    const n = Number(state.get("n") ?? 0) + 1;
    state.set("n", n);
    return [{ type: "emit", name: "counted", attributes: { count: n, word: String(span.stepId) } }];
  },
});`;

const STEPS = `
steps:
  - { id: a, run: "true" }
  - { id: b, for_each: [1, 2, 3], run: "true" }
`;

const counted = (spans: readonly EmittedSpan[]) =>
  spans.filter(({ name }) => name === "counted").map(({ attributes }) =>
    `${attributes.count} ${attributes.word}`
  );

for (const trust of [true, false]) {
  const kind = trust ? "in process" : "in a sandbox";

  Deno.test(`a plugin ${kind} hears each attempt once, in order, and keeps its state over runs (J4, T3)`, () =>
    scene({
      "w.yaml": `name: w\nplugins: [{ use: ./counter.ts, trust: ${trust} }]\n${STEPS}`,
      "counter.ts": COUNTER,
    }, async ({ run, emitted, plugins }) => {
      assert.deepEqual(await run("w.yaml"), []);
      assert.deepEqual(await run("w.yaml"), []);
      const spans = await emitted();
      assert.deepEqual(counted(spans), ["1 a", "2 b", "3 b", "4 b", "5 a", "6 b", "7 b", "8 b"]);
      assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, 8);
      for (const span of spans) {
        assert.equal(span.workflow, "w");
        assert.equal(span.attributes["spanloop.plugin.name"], "counter");
        assert.equal(span.attributes["spanloop.reaction.depth"], 1);
      }
      const [report] = await plugins("w.yaml");
      assert.deepEqual(
        [report.name, report.handled, report.actions, report.state, report.lag],
        ["counter", 8, 8, "waiting", 0],
      );
      assert.equal(report.isolation, trust ? "in process" : "sandbox");
    }));

  Deno.test(`a proposal of a plugin ${kind} rules the next run, and the ledger says why (P2)`, () =>
    scene({
      "w.yaml": `
name: w
plugins: [{ use: ./grow.ts, trust: ${trust}, grant: { propose: [size] } }]
params: { size: { type: integer, default: 2, tune: { min: 1, max: 5, mode: auto } } }
steps: [{ id: a, run: "echo \${{ params.size }}" }]`,
      "grow.ts": `
import { definePlugin } from "spanloop";
export default definePlugin({
  name: "grow", role: "optimizer", subscribe: { role: "run" }, actions: ["propose"],
  async onSpan({ span }, { parameters }) {
    const { parameters: { size } } = await parameters();
    return [{ type: "propose", changes: { size: Number(size.value) * 2 }, reason: "twice " + span.name }];
  },
});`,
    }, async ({ run, engine, folder }) => {
      const values: unknown[] = [];
      for (let i = 0; i < 3; i++) {
        await run("w.yaml");
        const plan = await engine((engine) => engine.plan(join(folder, "w.yaml")));
        values.push(plan.parameters.size);
      }
      // The second asks for 8 and is cut by the bounds (P1); the third finds nothing to change.
      assert.deepEqual(values, [4, 5, 5]);
      const history = await engine((engine) => engine.tuning.history(join(folder, "w.yaml")));
      assert.deepEqual(
        history.map(({ decision: { outcome, rule, values }, version, proposal }) => {
          const { reason, author, evidence } = proposal;
          return { outcome, rule, values, version, reason, author, spans: evidence.length };
        }),
        [
          { outcome: "refused", rule: "no_change", values: {}, version: undefined },
          { outcome: "applied", rule: "accepted", values: { size: 5 }, version: 2 },
          { outcome: "applied", rule: "accepted", values: { size: 4 }, version: 1 },
        ].map((entry) => ({
          ...entry,
          reason: "twice RUN w",
          author: { kind: "plugin", name: "grow" },
          spans: 1,
        })),
      );
    }));
}

Deno.test("a plugin hears what another one emits, never its own, and a loop of two ends (H2, I3)", () => {
  const echo = (name: string) => `
import { definePlugin } from "spanloop";
export default definePlugin({
  name: "${name}", role: "analyzer", subscribe: [{ name: "ball" }, { role: "run" }], actions: ["emit"],
  onSpan({ span }) {
    if (span.plugin === "${name}") throw new Error("it heard its own");
    return span.plugin === undefined && "${name}" === "pong" ? [] : [{ type: "emit", name: "ball" }];
  },
});`;
  return scene({
    "w.yaml": `name: w\nplugins: [{ use: ./ping.ts }, { use: ./pong.ts }]\n${STEPS}`,
    "ping.ts": echo("ping"),
    "pong.ts": echo("pong"),
  }, async ({ run, emitted }) => {
    const lines = await run("w.yaml");
    const balls = await emitted();
    assert.deepEqual(
      balls.map(({ plugin, depth }) => `${plugin} ${depth}`),
      [1, 2, 3, 4, 5, 6, 7, 8].map((depth) => `${depth % 2 === 1 ? "ping" : "pong"} ${depth}`),
    );
    // Each stands below the one that it answers.
    balls.slice(1).forEach(({ parentSpanId }, i) => assert.equal(parentSpanId, balls[i].spanId));
    assert.equal(lines.length, 1);
    assert.match(lines[0], /warn: plugin ping was refused: 8 reactions led to this event/);
  });
});

Deno.test("a command starts what listens to it, once, in a run that knows what led to it (R9)", () =>
  scene({
    "w.yaml": `
name: w
plugins: [{ use: ./boss.ts, grant: { command: ["go.*"] } }]
steps: [{ id: a, run: "true" }]`,
    "listener.yaml": `
name: listener
on: { command: go.now }
params: { who: { type: string, default: nobody } }
steps: [{ id: a, run: "echo hello \${{ params.who }}, $BAGGAGE" }]`,
    "boss.ts": `
import { definePlugin } from "spanloop";
export default definePlugin({
  name: "boss", role: "agent", subscribe: { role: "run" }, actions: ["command"],
  onSpan: () => [
    { type: "command", name: "go.now", params: { who: "you" } },
    { type: "command", name: "stop.now" },
    { type: "command", name: "go.nowhere" },
  ],
});`,
  }, async ({ run, records, plugins, engine }) => {
    const lines = await run("w.yaml");
    assert.deepEqual(lines.map((line) => line.replace(/ \(command; .*/, "")), [
      "warn: plugin boss was refused: it was not granted the command stop.now",
      "warn: plugin boss was refused: no workflow here has `on: { command: go.nowhere }`",
    ]);
    const [listener] = await engine((engine) => engine.runs({ workflow: "listener" }));
    assert.equal(listener.status, "succeeded");
    assert.equal(listener.reactionDepth, 1);
    assert.equal(listener.sources.who, "caller");
    const all = await records();
    const starts = all.flatMap((record) => record.type === "start" ? [record] : []);
    const started = starts.find(({ role, runId }) => role === "run" && runId === listener.runId)!;
    const commanding = starts.find(({ role, runId }) =>
      role === "run" && runId !== listener.runId
    )!;
    assert.equal(started.span.attributes["spanloop.trigger.type"], "command");
    assert.equal(started.span.attributes["spanloop.reaction.depth"], 1);
    assert.deepEqual(started.span.links?.map(({ spanId }) => spanId), [commanding.span.spanId]);
    const outputs = all.flatMap((record) =>
      record.type === "end" && record.role === "attempt" && record.runId === listener.runId
        ? [record.outputs]
        : []
    );
    assert.deepEqual(outputs, [
      { exit_code: 0, stdout: "hello you, spanloop.reaction.depth=1" },
    ]);
    assert.deepEqual((await plugins("w.yaml"))[0].refused, { grant: 1, invalid: 1 });
  }));

Deno.test("a plugin proposes for the workflow that uses it alone, and what it was granted alone", () =>
  scene({
    "w.yaml": `
name: w
plugins: [{ use: ./greedy.ts, grant: { propose: [size] } }]
params:
  size: { type: integer, default: 2, tune: { min: 1, max: 5, mode: auto } }
  other: { type: integer, default: 2, tune: { min: 1, max: 5, mode: auto } }
  fixed: { type: integer, default: 2 }
steps: [{ id: a, run: "true" }]`,
    "v.yaml": `
name: v
params: { size: { type: integer, default: 2, tune: { min: 1, max: 5, mode: auto } } }
steps: [{ id: a, run: "true" }]`,
    "greedy.ts": `
import { definePlugin } from "spanloop";
const propose = (changes: Record<string, number>, workflow?: string) => ({
  type: "propose" as const, changes, reason: "more", ...workflow === undefined ? {} : { workflow },
});
export default definePlugin({
  name: "greedy", role: "optimizer", subscribe: { role: "run" }, actions: ["propose"],
  onSpan: () => [
    propose({ size: 3 }, "v"), propose({ other: 3 }), propose({ fixed: 3 }), propose({ nope: 3 }),
    propose({ size: NaN }), propose({ size: 1e300 }), propose({ size: 100 }), propose({ size: 4, other: 4 }),
    propose({ ["__proto__"]: 4 }), propose({}),
  ],
});`,
  }, async ({ run, engine, folder, plugins }) => {
    await run("v.yaml");
    await run("w.yaml");
    const history = await engine((engine) => engine.tuning.history(join(folder, "w.yaml")));
    assert.deepEqual(
      history.map(({ decision: { outcome, rule, values }, proposal: { changes } }) =>
        `${JSON.stringify(changes)} ${outcome} ${rule} ${JSON.stringify(values)}`
      ),
      [
        '{"__proto__":4} refused not_tunable {}',
        '{"size":4,"other":4} refused grant {}',
        '{"size":100} applied accepted {"size":5}',
        '{"size":1e+300} refused invalid {}',
        '{"nope":3} refused not_tunable {}',
        '{"fixed":3} refused not_tunable {}',
        '{"other":3} refused grant {}',
      ],
    );
    assert.deepEqual(await engine((engine) => engine.tuning.history(join(folder, "v.yaml"))), []);
    // For v; NaN and nothing at all are no proposals.
    assert.deepEqual((await plugins("w.yaml"))[0].refused, { grant: 1, invalid: 2 });
  }));

Deno.test("one that always throws is set aside with one line, hears on after it was mended, and harms nobody (H1)", () =>
  scene({
    "w.yaml": `name: w\nplugins: [{ use: ./bad.ts }, { use: ./counter.ts }]\n${STEPS}`,
    "counter.ts": COUNTER,
    "bad.ts": COUNTER.replaceAll("counter", "bad").replace(
      "const n",
      'if (span.stepId === "b") throw new Error("no b");\n    const n',
    ),
  }, async ({ run, emitted, plugins, folder }) => {
    const lines = await run("w.yaml");
    assert.equal(lines.length, 1);
    assert.match(
      lines[0],
      /^error: plugin bad is set aside after 3 tries at one event: .*no b \(bad\.ts:6:\d+\)/,
    );
    assert.equal(counted(await emitted()).length, 4 + 1);
    const [bad] = await plugins("w.yaml");
    assert.deepEqual([bad.name, bad.state, bad.handled], ["bad", "set_aside", 1]);
    assert.ok(bad.lag > 0);
    assert.match(bad.why ?? "", /no b/);
    // Nobody has mended it: it stays aside.
    assert.match((await run("w.yaml")).join("\n"), /plugin bad is still set aside: /);
    const path = join(folder, "bad.ts");
    await Deno.writeTextFile(path, (await Deno.readTextFile(path)).replace(/if .*\n/, "\n"));
    assert.deepEqual(await run("w.yaml"), []);
    const spans = (await emitted()).filter(({ plugin }) => plugin === "bad");
    assert.deepEqual(
      counted(spans).map((text) => text.split(" ")[0]),
      [..."123456789"].concat("10", "11", "12"),
    );
  }));

Deno.test("a plugin for all workflows, by spanloop.yaml, hears each of them; one that is gone is told of", () =>
  scene({
    "spanloop.yaml": "plugins: [{ use: counter }]\n",
    "plugins/counter/plugin.ts": COUNTER,
    "v.yaml": `name: v\n${STEPS}`,
    "w.yaml": `name: w\n${STEPS}`,
  }, async ({ run, emitted, plugins, folder }) => {
    await run("v.yaml");
    await run("w.yaml");
    const spans = await emitted();
    assert.equal(counted(spans).at(-1), "8 b");
    assert.deepEqual([...new Set(spans.map(({ workflow }) => workflow))], ["v", "w"]);
    assert.equal((await plugins("w.yaml"))[0].workflow, null);
    await Deno.remove(join(folder, "plugins"), { recursive: true });
    assert.match((await run("w.yaml")).join("\n"), /there is no plugin `counter`: looked for /);
  }));

Deno.test("what a plugin has not heard when its host ends it hears from the next one (J4, R8)", () =>
  scene({
    "w.yaml": `name: w\nplugins: [{ use: ./counter.ts }]\n${STEPS}`,
    "counter.ts": COUNTER,
  }, async ({ run, emitted, folder }) => {
    const engine = await createEngine({
      near: folder,
      store: `sqlite:${folder}/store.db`,
      drainMs: 0,
    });
    await engine.run(join(folder, "w.yaml"));
    await engine.close();
    await run("w.yaml");
    assert.deepEqual(counted(await emitted()).map((text) => text.split(" ")[0]), [..."12345678"]);
  }));

Deno.test("one that handles each event and then dies is set aside as well, with one line (H1)", () =>
  scene({
    "w.yaml": `
name: w
plugins: [{ use: ./dies.ts }, { use: ./counter.ts }]
steps: [{ id: a, for_each: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], run: sleep 0.3 }]`,
    "counter.ts": COUNTER,
    "dies.ts": `
import { definePlugin } from "spanloop";
export default definePlugin({
  name: "dies", role: "analyzer", subscribe: { role: "attempt" },
  onSpan() { setTimeout(() => { throw new Error("later"); }, 1); },
});`,
  }, async ({ run, emitted, plugins }) => {
    const lines = await run("w.yaml");
    assert.equal(counted(await emitted()).length, 12);
    const [, dies] = await plugins("w.yaml");
    // A slow machine may hand it several events at once, and then knows which of them it cannot take.
    assert.equal(dies.state, "set_aside");
    assert.equal(lines.length, 1);
    assert.match(
      lines[0],
      /^error: plugin dies is set aside after (it was lost 5 times in a minute|3 tries .*): .*later/,
    );
  }));
