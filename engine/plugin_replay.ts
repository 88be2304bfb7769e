import { readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { InvalidError, messageOf, SpanloopError } from "./core/errors.ts";
import type { ActionOutcome } from "./core/plugin_report.ts";
import type { ReplayOptions } from "./core/plugins.ts";
import type { PluginUse } from "./core/plugin_use.ts";
import type { RunSummary, Store } from "./core/store.ts";
import { EXPERIMENTS } from "./experiments.ts";
import { runById } from "./find_run.ts";
import { readFixture, withStarts } from "./host/fixture.ts";
import type { Heard } from "./host/heard.ts";
import { Joiner } from "./host/joiner.ts";
import { PastStore, replay, type ReplayPorts } from "./host/replay.ts";
import { MEASURED } from "./measurements.ts";
import type { PluginOpener } from "./plugin_opener.ts";
import type { LoadedWorkflow, WorkflowFiles } from "./workflow_files.ts";

const RECORDS_AT_ONCE = 1_000;
// More changes than that were not made before any run.
const MOST_CHANGES = 10_000;

/** What replaying needs of the engine. */
export interface ReplayEngine {
  /** The store. */
  readonly store: Store;
  /** Workflow files. */
  readonly files: WorkflowFiles;
  /** What a plugin that is given by its path is relative to. */
  readonly near: string;
  /** What spanloop.yaml uses. */
  readonly forAll: readonly PluginUse[];
  /** Opens plugins. */
  readonly opener: PluginOpener;
  /** A workflow as its file says it now. */
  readonly contract: ReplayPorts["contract"];
}

/** See Plugins.replay. */
export async function* replayPlugin(
  engine: ReplayEngine,
  options: ReplayOptions,
): AsyncIterable<ActionOutcome> {
  const { from, workflow } = options;
  const run = "runId" in from
    ? await runById({ store: engine.store, location: engine.store.location }, from.runId)
    : undefined;
  const events = run === undefined
    ? fileEvents((from as { readonly file: string }).file)
    : await runEvents(engine.store, run);
  const loaded = workflow === undefined && run === undefined
    ? undefined
    : engine.files.load(workflow ?? run!.file);
  const use = findUse(engine, options.plugin, loaded);
  const past = new PastStore(before(engine.store, run, events[0]?.at ?? 0n));
  const opened = await engine.opener.open(use, past);
  try {
    yield* replay(use, opened, events, {
      past,
      machineZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      contract: async (name) => {
        const its = loaded?.plan.workflow;
        return its?.name === name ? its : await engine.contract(name);
      },
    });
  } finally {
    await opened.link.close();
  }
}

function fileEvents(file: string): readonly Heard[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (thrown) {
    throw new InvalidError(`Cannot read ${file}: ${messageOf(thrown)}`);
  }
  return withStarts(readFixture(text, file));
}

// The run's own spans, and what plugins have emitted in answer to them: that may be long after its end.
async function runEvents(store: Store, { runId }: RunSummary): Promise<readonly Heard[]> {
  const joiner = new Joiner(store);
  const events: Heard[] = [];
  let position = 0;
  for await (const record of store.read(runId)) {
    position = record.position - 1;
    break;
  }
  for (;;) {
    const records = await store.since(position, RECORDS_AT_ONCE);
    for (const record of records) {
      if (record.type === "received") continue;
      const its = record.type === "emitted" ? record.span.runId : record.runId;
      const heard = its === runId ? joiner.join(record) : undefined;
      if (heard !== undefined) events.push(heard);
    }
    if (records.length < RECORDS_AT_ONCE) return events;
    position = records[records.length - 1].position;
  }
}

function findUse(
  { forAll, near }: ReplayEngine,
  plugin: string,
  loaded: LoadedWorkflow | undefined,
): PluginUse {
  const uses = [...loaded?.plan.workflow.plugins ?? [], ...forAll];
  const found = uses.find(({ name, use }) => name === plugin || use === plugin);
  if (found !== undefined) return found;
  if (plugin === MEASURED.plugin || plugin === EXPERIMENTS) {
    throw new SpanloopError(
      "plugin.unknown",
      `${plugin} is the engine's own and cannot be replayed: what it says is of all runs of an ` +
        "experiment. `params explain` shows its verdicts",
      { exitCode: 2 },
    );
  }
  if (uses.length > 0 && /^[a-z][a-z0-9_-]*$/.test(plugin) && loaded !== undefined) {
    throw new SpanloopError(
      "plugin.unknown",
      `${loaded.plan.workflow.name} uses no plugin ${plugin}; it uses ${
        uses.map(({ name }) => name).join(", ")
      }. One that no workflow uses is named by its path`,
      { exitCode: 2 },
    );
  }
  // One that nobody uses: as if spanloop.yaml did.
  const folder = folderOf(near);
  const name = basename(plugin).replace(/\.[cm]?[jt]s$/, "");
  return {
    name: name === "plugin" ? basename(dirname(resolve(folder, plugin))) : name,
    use: plugin,
    folder,
    file: near,
    line: 1,
    trust: false,
    with: {},
  };
}

function folderOf(near: string): string {
  try {
    return Deno.statSync(near).isDirectory ? near : dirname(near);
  } catch {
    return dirname(near); // whoever reads it says so
  }
}

// The store as it was when the first of the spans was made: what the run had pinned, and what was decided before it.
function before(
  store: Store,
  run: RunSummary | undefined,
  at: bigint,
): ConstructorParameters<typeof PastStore>[0] {
  return {
    async snapshot(workflow) {
      if (run?.workflow !== workflow) return await store.snapshot(workflow);
      return await store.snapshot(workflow, run.snapshot ?? 0) ??
        { workflow, version: 0, values: {}, frozen: [], at: 0n };
    },
    async ledger({ limit = MOST_CHANGES, ...query }) {
      const entries = await store.ledger({ ...query, limit: MOST_CHANGES });
      return entries.filter(({ proposal }) => proposal.at < at).slice(0, limit);
    },
    known: (spans) => store.known(spans),
    run: (runId) => store.run(runId),
  };
}
