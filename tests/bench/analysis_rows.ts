import { join } from "node:path";
import process from "node:process";
import { createEngine } from "../../engine/engine.ts";
import { systemClock } from "../../engine/system.ts";
import { Reader } from "../../engine/host/feed.ts";
import { inProcess } from "../../engine/host/in_process.ts";
import { PluginLink } from "../../engine/host/link.ts";
import { toSpanEvent } from "../../engine/host/plugin_span.ts";
import type { HandlerCall } from "../../engine/host/protocol.ts";
import { openStore } from "../../engine/store/open.ts";
import analyzer from "../../plugins/analyzer/plugin.ts";
import { addRuns, SPANS_A_RUN } from "./analysis_store.ts";
import { figure, shown, spread } from "./figures.ts";
import { runFlags } from "./process_run.ts";
import type { Measured, Row, Setting } from "./row.ts";
import { timedRun } from "./start_row.ts";

const COLD_MS = 1_000;
const NEW_MS = 50;
// The time of a look at what is kept does not grow with what is stored; more only takes longer to make.
const SPANS = 200_000;
const NEW_SPANS = 10_000;
const CALLS = 1_024;
const CLI = "engine/cli/main.ts";

/** Rows about what it costs to know how steps do. */
export const analysisRows: readonly Row[] = [
  {
    id: "analyze-cold",
    work: `\`analyze\` of a store of ${
      figure(SPANS)
    } spans that was analysed before, start to exit`,
    goal: `<= ${figure(COLD_MS)} ms`,
    measure: measureCold,
  },
  {
    id: "analyze-incremental",
    work: `the analyzer's update for ${figure(NEW_SPANS)} new spans: handlers and state`,
    goal: `<= ${NEW_MS} ms`,
    measure: measureIncremental,
  },
];

async function measureCold(setting: Setting): Promise<Measured> {
  const { folder, quick, pairs } = setting;
  const location = `sqlite:${join(folder, "analysis.db")}`;
  const runs = Math.ceil((quick ? 2_000 : SPANS) / SPANS_A_RUN);
  await fill(location, 0, runs);
  const flags = await runFlags();
  const analyze = () => timedRun(["run", ...flags, CLI, "analyze", "--store", location]);
  const first = await analyze();
  const times: number[] = [];
  for (let i = 0; i < pairs; i++) times.push(await analyze());
  const version: number[] = [];
  for (let i = 0; i < pairs; i++) version.push(await timedRun(["run", ...flags, CLI, "--version"]));
  const news = quick ? 1 : Math.ceil(NEW_SPANS / SPANS_A_RUN);
  await fill(location, runs, news);
  const update = await analyze();
  const known = await runsKnown(location);
  if (known !== runs + news) throw new Error(`${known} runs are known, not ${runs + news}`);
  const cold = spread(times);
  return {
    raw: `${shown(spread(version))} ms`,
    engine: `${shown(cold)} ms`,
    ratio: `+${figure(cold.median - spread(version).median)} ms`,
    met: cold.median <= COLD_MS,
    notes: [
      `Raw: \`--version\`. The first analysis, which reads the whole journal, took ${
        figure(first / 1e3, 1)
      } s; one with ${figure(news * SPANS_A_RUN)} new spans ${figure(update)} ms.`,
    ],
  };
}

async function fill(location: string, before: number, count: number): Promise<void> {
  const store = await openStore(location, { durability: "normal" });
  try {
    await addRuns(store, before, count);
  } finally {
    await store.close();
  }
}

async function runsKnown(location: string): Promise<number> {
  const engine = await createEngine({ near: Deno.cwd(), store: location });
  try {
    return (await engine.plugins.analyze()).workflows[0].runs;
  } finally {
    await engine.close();
  }
}

async function measureIncremental(setting: Setting): Promise<Measured> {
  const { folder, quick, pairs } = setting;
  const location = `sqlite:${join(folder, "news.db")}`;
  const news = Math.ceil((quick ? 200 : NEW_SPANS) / SPANS_A_RUN);
  // A page of the journal may hold more than is asked for.
  await fill(location, 0, (news + 5) * (pairs + 2));
  const store = await openStore(location, { durability: "normal" });
  const { link, state } = await opened();
  const [whole, alone]: [number[], number[]] = [[], []];
  try {
    const reader = new Reader(store, 0);
    for (let pair = -2; pair < pairs; pair++) {
      const from = performance.now();
      const calls: HandlerCall[] = [];
      while (calls.length < news * SPANS_A_RUN) {
        const page = await reader.next();
        if (page === undefined) throw new Error("The store has fewer spans than are to be read");
        for (const heard of page) {
          if (heard.event !== "ended") continue;
          calls.push({ kind: "span", event: toSpanEvent(heard), now: Number(heard.at) / 1e9 });
        }
      }
      const usage = process.cpuUsage();
      for (let i = 0; i < calls.length; i += CALLS) {
        const handled = await link.handle(calls.slice(i, i + CALLS));
        if (handled.failure !== undefined) throw new Error(handled.failure.message);
        Object.assign(state, handled.state);
      }
      const { user, system } = process.cpuUsage(usage);
      // The first two warm up.
      if (pair < 0) continue;
      alone.push((user + system) / 1e3 * (NEW_SPANS / calls.length));
      whole.push((performance.now() - from) * (NEW_SPANS / calls.length));
    }
  } finally {
    await link.close();
    await store.close();
  }
  const handlers = spread(alone);
  return {
    raw: `${shown(spread(whole))} ms`,
    engine: `${shown(handlers)} ms`,
    ratio: "",
    met: handlers.median <= NEW_MS,
    notes: [
      "Processor time of a for_each step's batches with the runs and steps around them; where every run has a few " +
      "steps of one attempt each it is about twice as much. Raw: the whole way by the clock, reading the journal " +
      "included.",
    ],
  };
}

async function opened() {
  const clock = systemClock();
  const link = new PluginLink(
    inProcess({
      monotonic: () => clock.monotonic(),
      load: () => Promise.resolve({ default: analyzer }),
    }),
    { clock, onLog: () => {}, answer: () => Promise.resolve(null) },
  );
  await link.load("file:///analyzer/plugin.ts");
  const state = {};
  link.start(
    { error_rate: 0.1, success_rate: 0.8, mean_duration: 10, health: 80, window: 20 },
    state,
  );
  return { link, state };
}
