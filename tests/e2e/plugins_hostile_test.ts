// Plugins that mean harm, in real runs (H1, I2): the run ends as it would have, another plugin hears everything, and the
// operator reads one clear sentence. The plugins are in tests/hostile; they get less time and memory here.
import assert from "node:assert/strict";
import { join } from "node:path";
import { createEngine, type PluginReport } from "../../engine/engine.ts";
import type { StoreRecord } from "../../engine/core/span.ts";
import { LocalEngine } from "../../engine/local_engine.ts";
import { locateStore } from "../../engine/locate_store.ts";
import type { PluginLimits } from "../../engine/plugin_opener.ts";
import { openStore } from "../../engine/store/open.ts";

const STEPS = `
steps:
  - { id: a, run: "echo one" }
  - { id: b, for_each: [1, 2, 3], run: "echo \${{ item }}" }
  - { id: c, run: "exit 7", continue_on_error: true }
  - { id: d, run: "echo \${{ steps.a.outputs.stdout }} \${{ steps.c.status }}" }
`;
const ATTEMPTS = 6;

// For what never ends in any case, and for what ends by itself even on a machine that does much else; milliseconds.
const SOON = 500;
const LATE = 120_000;
// What the engine itself may need meanwhile, bytes; each of the bombs takes ten times as much.
const FLAT = 200 * 1024 * 1024;

const PATIENT: PluginLimits = { time: { load: LATE, handle: LATE } };
const SMALL: PluginLimits = { ...PATIENT, memory: { heap: 64, process: 200 } };
const SHORT: PluginLimits = { ...SMALL, time: { load: LATE, handle: SOON } };

/** What the operator reads of one, as the beginning of each line, and what each line says. */
interface Told {
  /** After the plugin's name. */
  readonly begins: RegExp;
  /** How many lines there may be at most; one when absent. */
  readonly most?: number;
  /** How it stands afterwards; either where that depends on the machine. */
  readonly state: PluginReport["state"] | "either";
}

const ASIDE: Told = {
  begins:
    /^error: plugin \w+ is set aside after (3 tries at one event|it was lost 5 times in a minute): /,
  state: "set_aside",
};
const UNKNOWN: Told = {
  begins: /^error: plugin \w+ cannot be loaded: Its module cannot be loaded: /,
  state: "set_aside",
};
const REFUSED: Told = { begins: /^warn: plugin \w+ was refused: /, state: "waiting" };
// Where it has answered before it is stopped, no event is to blame; which comes first depends on the machine.
const STARTED_AGAIN: Told = { begins: ASIDE.begins, state: "either" };
const NOTHING: Told = { begins: /^nothing/, most: 0, state: "waiting" };

interface Hostile {
  readonly told: Told;
  readonly says?: RegExp;
  readonly limits?: PluginLimits;
  /** Its module's text, where it is none of tests/hostile; made in its folder. */
  readonly text?: string;
  /** As `with` has it. */
  readonly config?: string;
}

const TIME =
  /did not handle (an event|\d+ events) within 0\.5 s, and was stopped; see what it waits for/;
const MEMORY =
  /took \d+ MB of memory, may take 200 MB, and was stopped|ran out of the memory that its heap/;
const UNCAUGHT = /ended by an error that nothing caught: .*; catch it, and await every promise/;
const STDIO = /; stdin and stdout are the engine's: print by console or context\.log/;
const OUTSIDE = /may not use read of .*outside\.js/;

const GROUPS: Readonly<Record<string, Readonly<Record<string, Hostile>>>> = {
  "take memory": {
    array_buffers: { told: ASIDE, says: MEMORY },
    web_assembly: { told: ASIDE, says: MEMORY },
    worker_memory: { told: ASIDE, says: MEMORY },
    allocation_bomb: { told: ASIDE, says: MEMORY },
    huge_message: { told: ASIDE, says: MEMORY },
  },
  "never end": {
    spin_handler: { told: ASIDE, says: TIME, limits: SHORT },
    spin_microtasks: { told: ASIDE, says: TIME, limits: SHORT },
    hang: { told: ASIDE, says: TIME, limits: SHORT },
    half_frame: { told: ASIDE, says: TIME, limits: SHORT },
    console_flood: { told: ASIDE, says: TIME, limits: SHORT },
    log_flood: { told: ASIDE, says: TIME, limits: SHORT },
    spin_import: {
      told: { ...UNKNOWN, begins: /^error: plugin spin_import cannot be loaded: / },
      says: /did not load its module within 0\.5 s, and was stopped/,
      limits: { time: { load: SOON } },
    },
  },
  "end their process": {
    exit: { told: ASIDE, says: /ended with code 3; a plugin must neither exit nor end itself/ },
    close_stdout: { told: ASIDE, says: RegExp(`${UNCAUGHT.source}|${STDIO.source}`) },
    unhandled_rejection: { told: STARTED_AGAIN, says: UNCAUGHT },
    close_stdin: { told: STARTED_AGAIN, says: RegExp(`${UNCAUGHT.source}|${STDIO.source}`) },
    worker_spin: { told: STARTED_AGAIN, says: /computed for 3 s while nothing was asked of it/ },
  },
  "break the protocol": {
    raw_stdout: { told: ASIDE, says: STDIO },
    forged_loaded: { told: ASIDE, says: /sent "loaded", which nobody asked for/ },
    forged_answer: { told: STARTED_AGAIN, says: /sent "handled", which nobody asked for/ },
    frame_flood: { told: ASIDE, says: /more than 10000 messages a second that nobody asked for/ },
    question_flood: {
      told: ASIDE,
      says: /10000 messages (wait that it does not read|a second that nobody asked for)|memory/,
    },
  },
  "import what they may not": {
    import_file: { told: UNKNOWN, says: OUTSIDE, text: 'import "../outside.js";' },
    import_text: {
      told: UNKNOWN,
      says: OUTSIDE,
      text: 'import text from "../outside.js" with { type: "text" }; console.log(text);',
    },
    import_remote: {
      told: UNKNOWN,
      says: /--no-remote.*; copy it into the plugin's folder/,
      text: 'import "https://example.com/module.ts";',
    },
    import_package: {
      told: UNKNOWN,
      says: /; name the package in a deno\.json beside the plugin/,
      text: 'import "npm:ms@2.1.3";',
    },
    import_link: {
      told: { ...UNKNOWN, begins: /^error: plugin import_link cannot be loaded: / },
      says: /link\.js is a link to .*outside\.js/,
      text: 'import "./link.js";',
    },
    prototypes: { told: UNKNOWN, says: /Getter must be a function/ },
  },
  "ask for what is refused": {
    deep_value: { told: REFUSED, says: /is nested too deeply/ },
    million_actions: {
      // Too many at once, and too many a minute: one line of each.
      told: { ...REFUSED, most: 2 },
      says: /999000 actions beyond the 1000 that one event may|used up its 6000 actions a minute/,
      limits: PATIENT,
    },
    // Its findings say what came of it; the system has refused it.
    reach: {
      told: NOTHING,
      limits: PATIENT,
      config: "{ outside: FOLDER/w.yaml, cache: FOLDER/.spanloop }",
    },
    local_storage: { told: NOTHING },
  },
};

interface Ran {
  /** What was logged at `warn` and above. */
  readonly lines: readonly string[];
  readonly records: readonly StoreRecord[];
  readonly reports: readonly PluginReport[];
}

// Runs the workflow with innocent and perhaps another, in an engine that lets them finish.
async function ran(name?: string, hostile?: Hostile): Promise<Ran> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "spanloop-hostile-" }));
  try {
    await Deno.writeTextFile(join(folder, "outside.js"), "export default 1;");
    const uses: string[] = [];
    for (const plugin of name === undefined ? [] : ["innocent", name]) {
      const path = join(folder, plugin, "plugin.ts");
      await Deno.mkdir(join(folder, plugin));
      await Deno.writeTextFile(
        path,
        await moduleOf(plugin, plugin === name ? hostile! : undefined),
      );
      if (plugin === "import_link") {
        await Deno.symlink(join(folder, "outside.js"), join(folder, plugin, "link.js"));
      }
      const config = plugin === name ? hostile!.config?.replaceAll("FOLDER", folder) : undefined;
      uses.push(`{ use: ./${plugin}${config === undefined ? "" : `, with: ${config}`} }`);
    }
    const file = join(folder, "w.yaml");
    await Deno.writeTextFile(file, `name: w\nplugins: [${uses.join(", ")}]\n${STEPS}`);
    return await runFile(
      file,
      (plugin) => plugin === "innocent" ? PATIENT : hostile!.limits ?? SMALL,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

// Attempts alone, so that two that hear all do not answer each other.
async function moduleOf(name: string, hostile?: Hostile): Promise<string> {
  if (hostile?.text !== undefined) return hostile.text;
  const text = await Deno.readTextFile(new URL(`../hostile/${name}.ts`, import.meta.url));
  assert.ok(text.includes("subscribe: {},"));
  return text.replace("subscribe: {},", 'subscribe: { role: "attempt" },');
}

async function runFile(file: string, limits: (plugin: string) => PluginLimits): Promise<Ran> {
  const near = join(file, "..");
  const options = { near, store: `sqlite:${near}/store.db`, durability: "normal" } as const;
  const engine = new LocalEngine(await locateStore(near, options), {
    near,
    drainMs: LATE,
    pluginLimits: ({ name }) => limits(name),
  });
  const lines: string[] = [];
  engine.onLog(({ severity, body, span }) => {
    // How long the run waits for plugins depends on the machine.
    if (span !== undefined || body.startsWith("plugins are still at work")) return;
    lines.push(`${severity}: ${body}`);
  }, "warn");
  await engine.run(file);
  await engine.close();
  const store = await openStore(options.store, options);
  const records = await store.since(0, 100_000);
  await store.close();
  const after = await createEngine(options);
  const reports = await after.plugins.list(file);
  await after.close();
  return { lines, records, reports };
}

// What became of the run and all that is in it; two batches may end in either order.
function outcomes(records: readonly StoreRecord[]): readonly string[] {
  return records.flatMap((record) => {
    if (record.type !== "end") return [];
    const { role, key, outcome, outputs, failure } = record;
    return [JSON.stringify({ role, key, outcome, outputs, failure })];
  }).sort();
}

function attemptsOf(records: readonly StoreRecord[]): readonly string[] {
  return records.flatMap((record) =>
    record.type === "end" && record.role === "attempt" ? [record.spanId] : []
  );
}

// Of this test's thread: the process has others, in which other files of tests run.
function memory(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

// The same run without plugins. One with plugins comes first: where several engines of a process load what hosts them at
// the same moment, Deno 2.9.6 may panic (denoland/deno#36216).
let baseline: Promise<Ran> | undefined;
async function alone(): Promise<Ran> {
  await ran("local_storage", GROUPS["ask for what is refused"].local_storage);
  return await ran();
}

for (const [what, plugins] of Object.entries(GROUPS)) {
  Deno.test(`plugins that ${what} change nothing for a run or another plugin, and are told of (H1, I2)`, async () => {
    const { records } = await (baseline ??= alone());
    const before = memory();
    let most = before;
    const watch = setInterval(() => most = Math.max(most, memory()), 20);
    // At once, since they mostly wait for their next try.
    const all = await Promise.allSettled(
      Object.entries(plugins).map(async ([name, hostile]) =>
        check(name, hostile, await ran(name, hostile), records)
      ),
    );
    clearInterval(watch);
    for (const one of all) if (one.status === "rejected") throw one.reason;
    assert.ok(most - before < FLAT, `the engine grew by ${most - before} bytes`);
  });
}

function check(
  name: string,
  { told, says }: Hostile,
  { lines, records, reports }: Ran,
  expected: readonly StoreRecord[],
): void {
  const all = `${name}:\n${lines.join("\n")}`;
  assert.deepEqual(outcomes(records), outcomes(expected), name);
  assert.equal(attemptsOf(records).length, ATTEMPTS);
  const counted = records.flatMap((record) =>
    record.type === "emitted" && record.span.plugin === "innocent" ? [record.span] : []
  );
  assert.deepEqual(counted.map(({ parentSpanId }) => parentSpanId), attemptsOf(records), name);
  assert.deepEqual(counted.map(({ attributes }) => attributes.count), [1, 2, 3, 4, 5, 6], name);
  for (const record of records) {
    // What reach tells of each of the ways that it has tried.
    if (record.type !== "emitted" || record.span.name !== "reached") continue;
    const list = record.span.attributes.list as readonly string[];
    assert.ok(list.length > 20 && list.every((way) => !way.endsWith("it worked")), `${list}`);
  }
  const { begins, most = 1, state } = told;
  assert.ok(lines.length <= most, all);
  if (![NOTHING, STARTED_AGAIN].includes(told)) assert.ok(lines.length > 0, all);
  if (state === "set_aside") assert.equal(lines.at(-1)!.split(" ")[0], "error:", all);
  for (const line of lines) {
    assert.match(line, begins, all);
    assert.match(line, says!, all);
    assert.ok(line.startsWith(`${line.split(" ")[0]} plugin ${name} `), all);
    assert.ok(!/\n|\bat file:|\bat \S+ \(/.test(line), all);
    assert.ok(line.length < 400, all);
  }
  const [innocent, other] = ["innocent", name].map((plugin) =>
    reports.find((report) => report.name === plugin)!
  );
  assert.deepEqual([innocent.state, innocent.handled, innocent.lag], ["waiting", ATTEMPTS, 0]);
  if (state !== "either") assert.equal(other.state, state, all);
  if (state === "set_aside") assert.match(other.why ?? "", says!);
}
