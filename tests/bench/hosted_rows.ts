import { cpSync } from "node:fs";
import process from "node:process";
import { createEngine, type Engine } from "../../engine/engine.ts";
import { readRecord } from "../../engine/host/record.ts";
import { openStore } from "../../engine/store/open.ts";
import { Bus } from "../../engine/telemetry/bus.ts";
import { assertEndedRun } from "./ended_run.ts";
import { alternate, figure, ratios, shown, type Spread, spread } from "./figures.ts";
import type { Measured, Row, Setting } from "./row.ts";
import { timedRun } from "./start_row.ts";
import { scriptChain, shellChain, withPlugins } from "./workflow_files.ts";

const IN_PROCESS_US = 20;
const SANDBOX_US = 300;
const HUNDRED = 100;
const MOST = 1.03;
const FLIGHTS = 20_000;
const WORKFLOWS = new URL("../../workflows/", import.meta.url).pathname;

/** Rows about plugins in whole runs: YAML, the engine, its store, the host, the plugin. */
export const hostedRows: readonly Row[] = [
  {
    id: "plugin-lag",
    work: "from a commit's return to a trusted plugin's handler, chain of 2,000 no-op steps",
    goal: `<= ${IN_PROCESS_US} us at the median`,
    measure: measureLag,
  },
  {
    id: "plugin-sandbox-lag",
    work:
      "from a commit's return to a sandboxed plugin's handler, chain of 2,000 steps that wait " +
      "for `Deno.stat`",
    goal: `<= ${SANDBOX_US} us at the median`,
    measure: measureSandboxLag,
  },
  {
    id: "plugin-hundred",
    work: `the quickstart with ${HUNDRED} trusted plugins, each wanting one batch in a hundred`,
    goal: `<= ${MOST} x the run without them`,
    measure: measureHundred,
  },
  {
    id: "plugin-start",
    work: "`run` of a one-step workflow with a trusted plugin, process start to exit, warm",
    goal: "none: for comparison",
    measure: measureStart,
  },
];

const ATTEMPTS = `{ role: "attempt" }`;

async function measureLag(setting: Setting): Promise<Measured> {
  const steps = setting.quick ? 20 : 2_000;
  const { folder } = setting;
  writePlugin(folder, "listener", `{ subscribe: ${ATTEMPTS}, onSpan: () => globalThis.heard() }`);
  const file = withPlugins(scriptChain(folder, { name: "chain", steps, module: "noop" }), [
    "{ use: ./listener.ts, trust: true }",
  ]);
  const lags: number[] = [];
  let published = 0;
  const restore = onPublish(() => published = performance.now());
  Reflect.set(globalThis, "heard", () => {
    lags.push((performance.now() - published) * 1e3);
  });
  const medians: number[] = [];
  try {
    for (let pair = 0; pair < setting.pairs; pair++) {
      lags.length = 0;
      await ranWell(file, `sqlite:${folder}/lag${pair}.db`, steps);
      if (lags.length !== steps) throw new Error(`${lags.length} of ${steps} spans were heard`);
      medians.push(spread(lags).median);
    }
  } finally {
    restore();
    Reflect.deleteProperty(globalThis, "heard");
  }
  const lag = spread(medians);
  // Two readings of the clock with nothing between them: what it can tell.
  const raw = spread(lags.map(() => {
    published = performance.now();
    return (performance.now() - published) * 1e3;
  }));
  return {
    raw: `${shown(raw, 1)} us`,
    engine: `${shown(lag, 1)} us`,
    ratio: `+${figure(lag.median - raw.median, 1)} us`,
    met: lag.median <= IN_PROCESS_US,
    notes: [
      "Medians of as many runs, each of 2,000 ends; with each end the next step's start is committed and told of. " +
      "Raw: two readings of the clock with nothing between them.",
    ],
  };
}

// Microseconds of the system's clock, which both processes read; short enough for a number.
const NOW = "Number(Temporal.Now.instant().epochNanoseconds % 1_000_000_000_000_000n) / 1e3";
const now = () => Number(Temporal.Now.instant().epochNanoseconds % 1_000_000_000_000_000n) / 1e3;
const TIMES_A_KEY = 1_000;

async function measureSandboxLag(setting: Setting): Promise<Measured> {
  const steps = setting.quick ? 20 : 2_000;
  const { folder } = setting;
  writePlugin(
    folder,
    "sandboxed",
    `{ subscribe: [${ATTEMPTS}, { role: "run" }], onSpan({ span }, { state }) {
  if (span.role === "attempt") return void heard.push(${NOW});
  for (let i = 0; i < heard.length; i += ${TIMES_A_KEY}) {
    state.set(String(i), heard.slice(i, i + ${TIMES_A_KEY}));
  }
} }`,
    "const heard = [];",
  );
  const file = withPlugins(scriptChain(folder, { name: "chain", steps, module: "stat" }), [
    "{ use: ./sandboxed.ts }",
  ]);
  let published: number[] = [];
  const restore = onPublish((records) => {
    const at = now();
    for (const { type, role } of records) {
      if (type === "end" && role === "attempt") published.push(at);
    }
  });
  const run = async (pair: number): Promise<number> => {
    published = [];
    const location = `sqlite:${folder}/sandbox${pair}.db`;
    await ranWell(file, location, steps);
    const store = await openStore(location, { durability: "normal" });
    const { state } = await readRecord(store, "sandboxed@chain");
    await store.close();
    const heard = Object.keys(state).map(Number).sort((a, b) => a - b)
      .flatMap((key) => state[String(key)] as number[]);
    if (heard.length !== steps) throw new Error(`${heard.length} of ${steps} spans were heard`);
    return spread(heard.map((at, i) => at - published[i])).median;
  };
  const pipe = openPipe(folder);
  try {
    let pair = 0;
    const times = await alternate(setting.pairs, () => pipe.median(steps), () => run(pair++));
    const lag = spread(times.engine);
    return {
      raw: `${shown(spread(times.raw))} us`,
      engine: `${shown(lag)} us`,
      ratio: shown(ratios(times.raw, times.engine), 2),
      met: lag.median <= SANDBOX_US,
      notes: [
        "One way, by the system's clock in both processes. A run that never waits is slower: Deno looks for what came " +
        "by pipes only every 61st turn of an event loop that is never idle. Raw: as many bytes by a pipe to a Deno " +
        "process that only reads the clock, each after a `Deno.stat`.",
      ],
    };
  } finally {
    restore();
    await pipe.close();
  }
}

// The length of an event's frame.
const FRAME_BYTES = 900;

function openPipe(folder: string) {
  const child = `${folder}/pipe.ts`;
  Deno.writeTextFileSync(
    child,
    `const bytes = new Uint8Array(65_536);
while (await Deno.stdin.read(bytes) !== null) {
  Deno.stdout.writeSync(new TextEncoder().encode(String(${NOW})));
}
`,
  );
  const spawned = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-config", child],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = spawned.stdin.getWriter();
  const reader = spawned.stdout.getReader();
  return {
    async median(count: number): Promise<number> {
      const lags: number[] = [];
      for (let i = 0; i < count; i++) {
        await Deno.stat(".");
        const from = now();
        await writer.write(new Uint8Array(FRAME_BYTES));
        lags.push(Number(new TextDecoder().decode((await reader.read()).value)) - from);
      }
      return spread(lags).median;
    },
    async close(): Promise<void> {
      await writer.close();
      await reader.cancel();
      await spawned.status;
    },
  };
}

async function measureHundred(setting: Setting): Promise<Measured> {
  const { folder, quick } = setting;
  const rows = quick ? 2_000 : 20;
  cpSync(WORKFLOWS, `${folder}/flights`, { recursive: true });
  const plain = `${folder}/flights/quickstart.yaml`;
  const numbers = Array.from({ length: quick ? 3 : HUNDRED }, (_, i) => i);
  for (const number of numbers) {
    const wanted = Array.from({ length: 10 }, (_, i) => ({
      name: "flights.load",
      attributes: { "spanloop.batch.index": number + HUNDRED * i },
    }));
    writePlugin(
      `${folder}/flights`,
      `listener_${number}`,
      `{ subscribe: ${
        JSON.stringify(wanted)
      }, onSpan({ span }) { items += span.items.processed; } }`,
      "let items = 0;",
    );
  }
  const listened = `${folder}/flights/listened.yaml`;
  Deno.copyFileSync(plain, listened);
  withPlugins(listened, numbers.map((number) => `{ use: ./listener_${number}.ts, trust: true }`));
  const engineOf = (file: string, name: string) =>
    createEngine({ near: file, store: `sqlite:${folder}/${name}.db` });
  const [without, with_] = [await engineOf(plain, "plain"), await engineOf(listened, "listened")];
  try {
    // The first runs load what the others use.
    const loading = await alternate(
      1,
      () => cost(without, plain, rows),
      () => cost(with_, listened, rows),
    );
    // A run may be over in half a second: more pairs than others have.
    const { raw, engine } = await alternate(
      quick ? 1 : 4 * setting.pairs,
      () => cost(without, plain, rows),
      () => cost(with_, listened, rows),
    );
    const cpu = (costs: readonly Cost[]) => costs.map(({ cpuMs }) => cpuMs);
    const wall = (costs: readonly Cost[]) => costs.map(({ runMs }) => runMs);
    const ratio = ratios(wall(raw), wall(engine));
    const closing = performance.now();
    await with_.close();
    const closeMs = performance.now() - closing;
    return {
      raw: `${shown(spread(wall(raw)))} ms`,
      engine: `${shown(spread(wall(engine)))} ms`,
      ratio: shown(ratio, 3),
      met: ratio.median <= MOST,
      notes: [
        `The run's own time, by its report; ${raw.length} pairs in one process. Of the processor it takes ${
          shown(spread(cpu(raw)))
        } ms without and ${shown(spread(cpu(engine)))} ms with them, by pairs ${
          shown(ratios(cpu(raw), cpu(engine)), 3)
        }. Loading them takes ${
          figure(loading.engine[0].cpuMs - loading.raw[0].cpuMs)
        } ms of processor time in the first run, beside it; closing the engine after the last one ${
          figure(closeMs)
        } ms.`,
      ],
    };
  } finally {
    await without.close();
    await with_.close();
  }
}

interface Cost {
  readonly cpuMs: number;
  readonly runMs: number;
}

async function cost(engine: Engine, file: string, rows: number): Promise<Cost> {
  const before = process.cpuUsage();
  const report = await engine.run(file, { given: { file: { batch_size: rows } } });
  const { user, system } = process.cpuUsage(before);
  await assertEndedRun(engine, report.run_id, { steps: 3, attempts: 2 + FLIGHTS / rows });
  return { cpuMs: (user + system) / 1e3, runMs: report.duration_ms };
}

async function measureStart(setting: Setting): Promise<Measured> {
  const { folder, quick } = setting;
  writePlugin(folder, "one", `{ subscribe: { role: "run" }, onSpan() {} }`);
  const forms = {
    none: shellChain(folder, "none", 1),
    trusted: withPlugins(shellChain(folder, "trusted", 1), ["{ use: ./one.ts, trust: true }"]),
    sandboxed: withPlugins(shellChain(folder, "sandboxed", 1), ["{ use: ./one.ts }"]),
  };
  const times = { none: [] as number[], trusted: [] as number[], sandboxed: [] as number[] };
  const pairs = quick ? setting.pairs : setting.pairs * 3;
  // The first fills caches.
  for (let i = 0; i <= pairs; i++) {
    for (const form of ["none", "trusted", "sandboxed"] as const) {
      const ms = await timedRun(["task", "run", forms[form], "--store", `sqlite:${folder}/s.db`]);
      if (i > 0) times[form].push(ms);
    }
  }
  const added = (form: "trusted" | "sandboxed"): Spread =>
    spread(times[form].map((ms, i) => ms - times.none[i]));
  return {
    raw: `${shown(spread(times.none))} ms`,
    engine: `${shown(spread(times.trusted))} ms`,
    ratio: shown(ratios(times.none, times.trusted), 2),
    notes: [
      `Raw: the same without a plugin. ${pairs} pairs. The trusted plugin adds ${
        shown(added("trusted"))
      } ms; a sandboxed one takes ${shown(spread(times.sandboxed))} ms, which is ${
        shown(added("sandboxed"))
      } ms more than none: the run does not wait for it, its end does.`,
    ],
  };
}

function onPublish(before: (records: Parameters<Bus["publish"]>[0]) => void): () => void {
  const { publish } = Bus.prototype;
  // The recorder publishes as soon as the commit returns.
  Bus.prototype.publish = function (records) {
    before(records);
    publish.call(this, records);
  };
  return () => {
    Bus.prototype.publish = publish;
  };
}

async function ranWell(file: string, store: string, steps: number): Promise<void> {
  const engine = await createEngine({ near: file, store });
  try {
    const { run_id } = await engine.run(file);
    await assertEndedRun(engine, run_id, { steps, attempts: steps });
  } finally {
    await engine.close();
  }
}

function writePlugin(folder: string, name: string, body: string, before = ""): void {
  Deno.writeTextFileSync(
    `${folder}/${name}.ts`,
    `// deno-lint-ignore-file
${before}
export default { name: "${name}", role: "analyzer", actions: [], ...${body} };
`,
  );
}
