import { type Clock, sleep } from "./core/clock.ts";
import { SpanloopError } from "./core/errors.ts";
import type { ImproveOptions, ImproveReport } from "./core/improve.ts";
import type { Json } from "./core/json.ts";
import type { PluginUse } from "./core/plugin_use.ts";
import type { LedgerEntry } from "./core/proposal.ts";
import type { PlanReport, RunReport } from "./core/report.ts";
import type { Store } from "./core/store.ts";
import type { RunOptions } from "./core/run_options.ts";
import type { Tuning } from "./core/tuning.ts";
import type { Workflow } from "./core/workflow.ts";
import { checkImprovable } from "./improvable.ts";
import { News, POLL_MS } from "./improve_news.ts";
import { MEASURED } from "./measurements.ts";
import { otherHost } from "./other_host.ts";
import { listPlugins } from "./plugin_listing.ts";
import type { LoadedWorkflow } from "./workflow_files.ts";

/** What improving a workflow needs of the engine. */
export interface ImprovePorts {
  /** Time. */
  readonly clock: Clock;
  /** How long plugins may take over what a run told them, milliseconds. */
  readonly drainMs: number;
  /** What spanloop.yaml uses, for all workflows. */
  readonly forAll: readonly PluginUse[];
  /** The parameters as people see them. */
  readonly tuning: Pick<Tuning, "list">;
  /** The store, which is made if need be. */
  readonly open: () => Promise<Store>;
  /** The workflow as its file says it now. Throws InvalidError. */
  readonly load: () => LoadedWorkflow;
  /** What a run would take now. Throws InvalidError. */
  readonly plan: () => Promise<PlanReport>;
  /** Runs it once, as a person's order (A4). */
  readonly run: (loaded: LoadedWorkflow, options: RunOptions) => Promise<RunReport>;
  /** Lets plugins hear all that has happened until the signal aborts; false: another process hosts them. */
  readonly settle: (signal: AbortSignal) => Promise<boolean>;
}

/** The plugin that is used for a workflow which does not name it. */
const OPTIMIZER = "optimizer";
// Values under test make a run fail now and then; so many in a row do not come from them.
const MOST_FAILURES = 3;

/** See Engine.improve. */
export async function improve(
  ports: ImprovePorts,
  loaded: LoadedWorkflow,
  options: ImproveOptions,
): Promise<ImproveReport> {
  const { workflow } = loaded.plan;
  const { name } = workflow;
  const { display = workflow.file, signal, force } = options;
  const { parameters } = await ports.tuning.list(workflow.file, options.display);
  const first = await ports.plan();
  checkImprovable(workflow, parameters, first.sources, display);
  const names = parameters.map(({ parameter }) => parameter.name);
  const store = await ports.open();
  const needs = await needsOptimizer(ports, store, workflow, display);
  const tell = options.onEvent ?? (() => {});
  const news = await News.begin(store, name, tell);
  const before = await openEntry(store, name);
  if (before !== undefined) tell({ type: "decided", index: 0, entry: before });
  let [runs, failed, inRow] = [0, 0, 0];
  let stopped: string | undefined;
  for (let index = 1; index <= options.runs && !signal?.aborted; index++) {
    // What is measured is judged by the file as it is now: another one than this runs would mix two workflows' figures.
    const now = index === 1 ? loaded : loadedNow(ports.load);
    if (now?.plan.workflow.text !== workflow.text) {
      stopped =
        `${display} was changed meanwhile; \`improve\` it again to go on with what it says now`;
      break;
    }
    const used = needs ? withOptimizer(now) : now;
    news.started(index);
    const watching = new AbortController();
    const watched = news.watch(ports.clock, watching.signal);
    let report: RunReport;
    try {
      report = await ports.run(used, {
        signal,
        force,
        onEvent: (event) => news.run(event),
      });
    } finally {
      watching.abort();
      await watched;
    }
    news.ended(report);
    runs++;
    if (report.status === "succeeded") inRow = 0;
    else if (!signal?.aborted) inRow++;
    if (report.status !== "succeeded") failed++;
    await settle(ports, store, used.plan.workflow, force);
    await news.read();
    stopped = inRow < MOST_FAILURES
      ? await asideOf(store, used.plan.workflow)
      : `${MOST_FAILURES} runs in a row did not succeed, the last one because ${why(report)}`;
    if (stopped !== undefined) break;
  }
  const { values } = await store.snapshot(name);
  const { plan: { workflow: file } } = loadedNow(ports.load) ?? loaded;
  const open = await openEntry(store, name);
  return {
    workflow: name,
    runs,
    failed,
    before: picked(first.parameters, names),
    after: picked({ ...defaultsOf(file), ...values }, names),
    verdicts: news.verdicts,
    rollBacks: news.rollBacks,
    measurements: news.measurements,
    ...stopped === undefined ? {} : { stopped },
    ...open === undefined ? {} : { open },
  };
}

async function openEntry(store: Store, workflow: string): Promise<LedgerEntry | undefined> {
  const { experiment } = await store.snapshot(workflow);
  if (experiment === undefined) return undefined;
  return (await store.ledger({ proposal: experiment.id, limit: 1 }))[0];
}

// Whether nobody names an optimizer for the workflow. Throws SpanloopError where another process would have to know of it.
async function needsOptimizer(
  { forAll }: ImprovePorts,
  store: Store,
  { plugins }: Workflow,
  display: string,
): Promise<boolean> {
  if ([...plugins, ...forAll].some((use) => use.name === OPTIMIZER)) return false;
  const host = await otherHost(store);
  if (host !== undefined) {
    throw new SpanloopError(
      "improve.hosted",
      `Process ${host} hosts the plugins of this store, and knows only those that the file names; add ` +
        `\`plugins: [{ use: ${OPTIMIZER} }]\` to ${display}, or end that process first`,
      { exitCode: 2 },
    );
  }
  return true;
}

function withOptimizer(loaded: LoadedWorkflow): LoadedWorkflow {
  const { workflow } = loaded.plan;
  const { name, file, folder } = workflow;
  const use: PluginUse = {
    name: OPTIMIZER,
    use: OPTIMIZER,
    workflow: name,
    folder,
    file,
    line: 1,
    trust: false,
    with: {},
  };
  const plugins = [...workflow.plugins, use];
  return { ...loaded, plan: { ...loaded.plan, workflow: { ...workflow, plugins } } };
}

// Undefined for a file that does not hold any more, or is gone.
function loadedNow(load: () => LoadedWorkflow): LoadedWorkflow | undefined {
  try {
    return load();
  } catch (thrown) {
    if (thrown instanceof SpanloopError) return undefined;
    throw thrown;
  }
}

// What plugins make of a run is decided before the next one begins; they are not waited for any longer than at an end.
async function settle(
  { clock, drainMs, settle }: ImprovePorts,
  store: Store,
  workflow: Workflow,
  force: AbortSignal | undefined,
): Promise<void> {
  const enough = new AbortController();
  const cancel = clock.after(drainMs, () => enough.abort());
  const signal = force === undefined ? enough.signal : AbortSignal.any([enough.signal, force]);
  try {
    if (await settle(signal)) return;
    for (let heard = -1; !signal.aborted;) {
      // They have heard everything once they add nothing to it any more.
      const last = await store.last();
      const reports = await listPlugins(store, [], workflow);
      const behind = reports.some(({ state, lag }) => state === "active" && lag > 0);
      if (!behind && heard === last) return;
      heard = behind ? -1 : last;
      await sleep(clock, POLL_MS, signal).catch(() => {}); // it is over sooner then
    }
  } finally {
    cancel();
  }
}

// Without what measures and what proposes, further runs bring nothing.
async function asideOf(store: Store, workflow: Workflow): Promise<string | undefined> {
  const needed: readonly string[] = [MEASURED.plugin, OPTIMIZER];
  const reports = await listPlugins(store, [], workflow);
  const aside = reports.find(({ name, why }) => needed.includes(name) && why !== null);
  return aside && `the plugin ${aside.name} cannot go on: ${aside.why}`;
}

function why({ error, status }: RunReport): string {
  return error === null ? `it was ${status.replace("_", " ")}` : `of this: ${error.message}`;
}

function defaultsOf({ params }: Workflow): Readonly<Record<string, Json>> {
  return Object.fromEntries([...params].map(([name, { default: value }]) => [name, value ?? null]));
}

function picked(
  values: PlanReport["parameters"],
  names: readonly string[],
): Readonly<Record<string, Json>> {
  return Object.fromEntries(names.map((name) => [name, values[name]]));
}
