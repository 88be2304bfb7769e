// A workflow that is run for its improvement: real runs, real plugins, a real store, and processes where there are two.
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  createEngine,
  type ImproveEvent,
  type ImproveOptions,
  type ImproveReport,
} from "../../engine/engine.ts";
import { InvalidError, SpanloopError } from "../../engine/core/errors.ts";
import { type EngineFolder, inEngineFolder } from "./engine_folder.ts";

interface Scene extends EngineFolder {
  /** Improves w.yaml in an engine of its own; what happened besides what goes on within runs. */
  improve(
    options?: Partial<ImproveOptions>,
  ): Promise<{ readonly report: ImproveReport; readonly events: readonly ImproveEvent[] }>;
}

function scene(
  files: Readonly<Record<string, string>>,
  test: (scene: Scene) => Promise<void>,
): Promise<void> {
  return inEngineFolder(files, (inFolder) =>
    test({
      ...inFolder,
      improve: (options = {}) =>
        inFolder.engine(async (engine) => {
          const events: ImproveEvent[] = [];
          const report = await engine.improve(join(inFolder.folder, "w.yaml"), {
            runs: 3,
            display: "w.yaml",
            ...options,
            onEvent: (event) => {
              if (event.type !== "run") events.push(event);
              options.onEvent?.(event);
            },
          });
          return { report, events };
        }),
    }));
}

const TUNE = `tune: { objective: { minimize: "duration", of: a } }`;
const STEPS = `steps: [{ id: a, run: "true" }]`;
const workflow = (
  rest: string,
  params = "n: { type: integer, default: 1, tune: { min: 1, max: 64 } }",
) => `name: w\nparams:\n  ${params}\n${TUNE}\n${rest}\n`;

// An optimizer of its own: it proposes twice the value at the end of each run, without a test.
const DOUBLER = `
import { definePlugin } from "spanloop";
export default definePlugin({
  name: "optimizer", role: "optimizer", subscribe: { role: "run" }, actions: ["propose"],
  async onSpan({ span }, { parameters }) {
    const { n } = (await parameters(span.workflow)).parameters;
    return [{ type: "propose", changes: { n: 2 * n.value }, reason: "more", immediate: true }];
  },
});`;
const DOUBLED = `plugins: [{ use: ./optimizer.ts, trust: true, grant: { propose: [n] } }]`;

Deno.test("what a plugin proposes about a run is decided before the next one begins (A4)", () =>
  scene({
    // A cooldown and a limit a day, which do not bind a person's order, and a mode that would hold it.
    "w.yaml": workflow(`${DOUBLED}\n${STEPS}`).replace(
      TUNE,
      `tune: { objective: { minimize: "duration", of: a }, cooldown: 1h, max_changes_per_day: 1 }`,
    ),
    "optimizer.ts": DOUBLER,
  }, async ({ improve, engine }) => {
    const values: number[] = [];
    const { report, events } = await improve({
      runs: 4,
      onEvent: (event) => {
        if (event.type === "ended") values.push(event.report.parameters.n as number);
      },
    });
    assert.deepEqual(values, [1, 2, 4, 8]);
    assert.deepEqual([report.before, report.after], [{ n: 1 }, { n: 16 }]);
    assert.deepEqual([report.runs, report.failed, report.stopped], [4, 0, undefined]);
    const order = events.flatMap(({ type, index }) =>
      type === "measured" ? [] : [`${type} ${index}`]
    );
    assert.deepEqual(
      order,
      [1, 2, 3, 4].flatMap((i) => [`started ${i}`, `ended ${i}`, `decided ${i}`]),
    );
    const runs = await engine((engine) => engine.runs());
    assert.deepEqual(runs.map(({ ordered }) => ordered), [true, true, true, true]);
  }));

Deno.test("a file that names no optimizer gets one for these runs, and its runs are measured", () =>
  scene({ "w.yaml": workflow(STEPS) }, async ({ improve, engine, folder }) => {
    const { report, events } = await improve();
    assert.equal(report.runs, 3);
    assert.equal(report.stopped, undefined);
    const measured = events.filter(({ type }) => type === "measured");
    assert.equal(report.measurements.length, measured.length);
    assert.ok(measured.length >= 3, `${measured.length} measurements of 3 runs`);
    const own = new Set((await engine((engine) => engine.runs())).map(({ runId }) => runId));
    for (const { runId, arms } of report.measurements) {
      assert.ok(own.has(runId));
      for (const { objective, values } of arms) {
        assert.ok(objective > 0);
        assert.deepEqual(Object.keys(values), ["n"]);
      }
    }
    // What a report tells is the same, and what was decided with it.
    const [told, ...others] = await engine((engine) => engine.report(join(folder, "w.yaml")));
    assert.deepEqual(others, []);
    assert.deepEqual(told.measurements, report.measurements);
    assert.deepEqual(
      told.entries,
      events.flatMap((event) => event.type === "decided" ? [event.entry] : []),
    );
    assert.deepEqual(told.objective, { direction: "minimize", expression: "duration", of: "a" });
    assert.equal(told.more, false);
    const all = await engine((engine) => engine.report());
    assert.deepEqual(all.map(({ tuned }) => tuned.workflow), ["w"]);
    assert.deepEqual(all[0].measurements, told.measurements);
    const plugins = await engine((engine) => engine.plugins.list(join(folder, "w.yaml")));
    assert.ok(plugins.some(({ name }) => name === "optimizer"));
  }));

Deno.test("a report tells what was measured for the objective of now, and nothing of another one", () =>
  scene({ "w.yaml": workflow(STEPS) }, async ({ improve, engine, folder }) => {
    const file = join(folder, "w.yaml");
    const told = async () => {
      const [report] = await engine((engine) => engine.report(file));
      return report.measurements;
    };
    const { report: { measurements: first } } = await improve({ runs: 2 });
    const text = await Deno.readTextFile(file);
    await Deno.writeTextFile(file, text.replace('"duration"', '"duration + attempts"'));
    assert.deepEqual(await told(), []);
    const { report: { measurements: second } } = await improve({ runs: 2 });
    assert.ok(first.length > 0 && second.length > 0);
    assert.deepEqual(await told(), second);
    await Deno.writeTextFile(file, text);
    assert.deepEqual(await told(), first);
  }));

const REFUSED: readonly (readonly [string, string, RegExp, number, Partial<ImproveOptions>?])[] = [
  [
    "no objective",
    `name: w\nparams:\n  n: { type: integer, default: 1 }\n${STEPS}\n`,
    /no objective.*of: a/,
    1,
  ],
  ["an empty tune", `name: w\n${STEPS}\ntune: { cooldown: 1m }\n`, /no objective/, 3],
  [
    "no tunable",
    `name: w\nparams:\n  n: { type: integer, default: 1 }\n${TUNE}\n${STEPS}\n`,
    /`n: \{ type: integer/,
    2,
  ],
  ["mode off", workflow(STEPS).replace("max: 64", "max: 64, mode: off"), /n has `mode: off`/, 3],
  ["a value given", workflow(STEPS), /n was given for these runs \(command line\)/, 3, {
    given: { text: { n: "3" } },
  }],
  [
    "one of two values given",
    workflow(
      STEPS,
      "n: { type: integer, default: 1, tune: { min: 1, max: 64 } }\n" +
        "  m: { type: integer, default: 1, tune: { min: 1, max: 64 } }",
    ),
    /^m was given .*`spanloop params set w\.yaml m=VALUE`, then `params freeze`$/,
    4,
    { given: { text: { m: "3" } } },
  ],
];

for (const [what, text, message, line, options] of REFUSED) {
  Deno.test(`nothing is run where nothing can be improved, and the file's line says why: ${what}`, () =>
    scene({ "w.yaml": text }, async ({ improve, engine }) => {
      await assert.rejects(improve(options), (thrown) => {
        assert.ok(thrown instanceof InvalidError);
        const [{ message: said, line: at, file, source }] = thrown.diagnostics;
        assert.match(said, message);
        assert.deepEqual([file, at], ["w.yaml", line]);
        assert.equal(source, text.split("\n")[line - 1]);
        return true;
      });
      assert.deepEqual(await engine((engine) => engine.runs()), []);
    }));
}

const EDITS: Readonly<Record<string, readonly [(text: string) => string, number]>> = {
  "another objective": [(text) => text.replace("minimize", "maximize"), 1],
  "another default": [(text) => text.replace("default: 1", "default: 2"), 2],
  "a file that does not hold": [(text) => `${text}bad: [`, 1],
};

for (const [what, [edit, now]] of Object.entries(EDITS)) {
  Deno.test(`a file that is edited meanwhile ends it, nothing is lost, and it can begin again: ${what}`, () =>
    scene({ "w.yaml": workflow(STEPS) }, async ({ improve, folder }) => {
      const file = join(folder, "w.yaml");
      const text = await Deno.readTextFile(file);
      const { report } = await improve({
        runs: 5,
        onEvent: (event) => {
          if (event.type === "started" && event.index === 2) {
            Deno.writeTextFileSync(file, edit(text));
          }
        },
      });
      assert.equal(report.runs, 2);
      assert.match(report.stopped!, /^w\.yaml was changed meanwhile; `improve` it again/);
      assert.ok(report.measurements.length >= 1, "what the first run came to");
      assert.deepEqual([report.before, report.after], [{ n: 1 }, { n: now }]);
      await Deno.writeTextFile(file, text);
      const again = (await improve({ runs: 2 })).report;
      assert.equal(again.stopped, undefined, "what measures goes on");
      assert.ok(again.measurements.length >= 2, `${again.measurements.length} measurements`);
    }));
}

Deno.test("a frozen parameter is named, with how to unfreeze it", () =>
  scene({ "w.yaml": workflow(STEPS) }, async ({ improve, engine, folder }) => {
    await engine((engine) => engine.tuning.freeze(join(folder, "w.yaml"), ["n"], true));
    await assert.rejects(improve(), (thrown) => {
      assert.ok(thrown instanceof InvalidError);
      assert.match(thrown.diagnostics[0].message, /params unfreeze w\.yaml n`/);
      return true;
    });
  }));

Deno.test("a workflow that only fails is stopped after three runs, with its error", () =>
  scene({ "w.yaml": workflow(`steps: [{ id: a, run: "exit 3" }]`) }, async ({ improve }) => {
    const { report } = await improve({ runs: 9 });
    assert.deepEqual([report.runs, report.failed], [3, 3]);
    assert.match(report.stopped!, /^3 runs in a row did not succeed, .*exit(ed)? .*3/);
  }));

Deno.test("an optimizer that cannot be loaded ends it after one run, with why", () =>
  scene({
    "w.yaml": workflow(`${DOUBLED}\n${STEPS}`),
    "optimizer.ts": "export default 3;",
  }, async ({ improve }) => {
    const { report } = await improve();
    assert.equal(report.runs, 1);
    assert.match(report.stopped!, /^the plugin optimizer cannot go on: .+/);
  }));

Deno.test("a change that is under measurement as it begins is told before the first run", () =>
  scene({ "w.yaml": workflow(STEPS) }, async ({ improve }) => {
    const { report } = await improve({ runs: 1 });
    assert.ok(report.open !== undefined, "what the first run led to");
    const { events } = await improve({ runs: 1 });
    assert.deepEqual(events[0], { type: "decided", index: 0, entry: report.open });
    assert.deepEqual(events[1], { type: "started", index: 1 });
  }));

Deno.test("a run that fails between others that succeed stops nothing", () =>
  scene({
    "w.yaml": workflow(
      `steps: [{ id: a, run: "echo >> n; test $(wc -l < n) != 2" }]`,
    ),
  }, async ({ improve }) => {
    const { report } = await improve({ runs: 4 });
    assert.deepEqual([report.runs, report.failed, report.stopped], [4, 1, undefined]);
  }));

Deno.test("a signal cancels the run under way, begins no other, and what was learned is told", () =>
  scene({
    "w.yaml": workflow(`${DOUBLED}
steps:
  - { id: a, run: "test $N = 1 || exec sleep 60", env: { N: "\${{ params.n }}" } }
finally: [{ id: z, run: echo tidy > tidied }]`),
    "optimizer.ts": DOUBLER,
  }, async ({ improve, folder }) => {
    const stop = new AbortController();
    const { report } = await improve({
      runs: 9,
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type !== "run" || event.index !== 2 || event.event.type !== "journal") return;
        const { record } = event.event;
        if (record.type === "start" && record.role === "attempt") stop.abort();
      },
    });
    assert.deepEqual([report.runs, report.failed], [2, 1]);
    assert.equal(report.before.n, 1);
    assert.notEqual(report.after.n, 1);
    assert.equal(await Deno.readTextFile(join(folder, "tidied")), "tidy\n");
  }));

Deno.test("an improvement that is cancelled before it begins runs nothing", () =>
  scene({ "w.yaml": workflow(STEPS) }, async ({ improve }) => {
    const { report } = await improve({ signal: AbortSignal.abort() });
    assert.deepEqual([report.runs, report.verdicts], [0, []]);
  }));

// Serves a folder until it is ended; begins once it hosts the store's plugins.
async function serving(folder: string, body: () => Promise<void>): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      new URL("./serve_process.ts", import.meta.url).pathname,
      folder,
      `sqlite:${folder}/store.db`,
    ],
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  try {
    const engine = await createEngine({ near: folder, store: `sqlite:${folder}/store.db` });
    try {
      const file = join(folder, "w.yaml");
      for (;;) {
        const found = await engine.plugins.list(file).catch(() => []);
        if (found.some(({ state }) => state === "active")) break;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    } finally {
      await engine.close();
    }
    await body();
  } finally {
    child.kill("SIGTERM");
    await child.status;
  }
}

Deno.test("a file whose name another one has is refused before anything of that one is told (R1)", () =>
  scene(
    { "w.yaml": workflow(STEPS), "there/w.yaml": workflow(STEPS) },
    async ({ improve, engine, folder }) => {
      const { report } = await improve();
      assert.ok(report.open !== undefined, "there would be something to tell");
      const told: ImproveEvent[] = [];
      await assert.rejects(
        engine((engine) =>
          engine.improve(join(folder, "there/w.yaml"), {
            runs: 1,
            onEvent: (event) => told.push(event),
          })
        ),
        /there\/w\.yaml and .*w\.yaml are both named w/,
      );
      assert.deepEqual(told, []);
    },
  ));

Deno.test("where another process hosts the plugins, what they do is waited for all the same (R8)", () =>
  scene({
    "w.yaml": workflow(
      `${DOUBLED}\n${STEPS}`,
    ),
    "optimizer.ts": DOUBLER,
  }, ({ improve, folder }) =>
    serving(folder, async () => {
      const values: number[] = [];
      const { report } = await improve({
        onEvent: (event) => {
          if (event.type === "ended") values.push(event.report.parameters.n as number);
        },
      });
      assert.deepEqual(values, [1, 2, 4]);
      assert.equal(report.after.n, 8);
    })));

Deno.test("where another process hosts the plugins, a file that names no optimizer is told to", () =>
  scene({
    "w.yaml": workflow(
      `plugins: [{ use: ./counter.ts, trust: true }]\n${STEPS}`,
    ),
    "counter.ts": DOUBLER.replace(`"optimizer"`, `"counter"`),
  }, ({ improve, folder }) =>
    serving(folder, () =>
      assert.rejects(improve(), (thrown) => {
        assert.ok(thrown instanceof SpanloopError);
        assert.equal(thrown.code, "improve.hosted");
        assert.match(thrown.message, /add `plugins: \[\{ use: optimizer \}\]` to w\.yaml/);
        return true;
      }))));
