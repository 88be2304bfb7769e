import { resolve } from "node:path";
import type { Parts, Surroundings } from "./assembly.ts";
import type { AnalysisReport, AnalyzeOptions } from "./core/analysis.ts";
import { sleep } from "./core/clock.ts";
import { nearest } from "./core/diagnostic.ts";
import { SpanloopError } from "./core/errors.ts";
import type { Json } from "./core/json.ts";
import type { PluginUse } from "./core/plugin_use.ts";
import type { Effects } from "./host/effects.ts";
import { Host } from "./host/host.ts";
import { instanceId, type InstanceRecord, keys, readRecord } from "./host/record.ts";
import { otherHost } from "./other_host.ts";
import type { PluginOpener } from "./plugin_opener.ts";
import { isDead, thisHolder } from "./system.ts";

/** The plugin that knows how steps do. */
export const ANALYZER = "analyzer";

/** What analysing needs of the engine. */
export interface AnalysisPorts {
  /** The layers on the store. */
  readonly parts: Parts;
  /** The machine and the process. */
  readonly surroundings: Surroundings;
  /** Opens plugins. */
  readonly opener: PluginOpener;
  /** Carries out what the analyzer emits. */
  readonly effects: Effects;
  /** The analyzer as it is used. */
  readonly use: PluginUse;
}

const PROGRESS_MS = 500;
const WAIT_MS = 200;
// A host writes once a second how far its plugins have heard: after so long without that its analyzer is none or stuck.
const PATIENCE_MS = 3_000;

/**
 * Lets the analyzer hear what it has not heard yet, from the journal's beginning if it is new, and tells what it knows;
 * `workflow`: of one alone. Where another process hosts the store's plugins that one's analyzer is asked (R8), once it has
 * heard what there was or comes no further.
 *
 * Errors: SpanloopError `analyze.behind`, `analyze.hosted`, `analyze.plugin` and `analyze.workflow`, a sentence each;
 * StoreError.
 */
export async function analyze(
  ports: AnalysisPorts,
  workflow: string | undefined,
  options: AnalyzeOptions,
): Promise<AnalysisReport> {
  const { parts: { store }, use } = ports;
  const last = await store.last();
  const other = await heard(ports, last, options);
  const record = await readRecord(store, instanceId(use.name, use.workflow));
  const analysis = await reported(ports, record, workflow);
  const isEmpty = analysis.workflows.length === 0 && options.signal?.aborted !== true;
  const isBehind = (record.cursor ?? 0) < last;
  if (isEmpty && isBehind && other !== undefined) throw unheard(other, record);
  if (isEmpty && !isBehind && workflow !== undefined) await mustKnow(ports, record, workflow);
  const behind = Math.max(0, await store.last() - (record.cursor ?? 0));
  return { ...analysis, behind, ...other === undefined ? {} : { host: other } };
}

function unheard(other: number, { cursor }: InstanceRecord): SpanloopError {
  if (cursor !== undefined) {
    return new SpanloopError(
      "analyze.behind",
      `Process ${other} hosts the plugins of this store, and its ${ANALYZER} has not read all of it yet; ` +
        "try again in a moment, or once that process has ended",
    );
  }
  return new SpanloopError(
    "analyze.hosted",
    `Process ${other} hosts the plugins of this store, and uses no ${ANALYZER}; add ` +
      `\`plugins: [{ use: ${ANALYZER} }]\` to spanloop.yaml, or try again once that process has ended`,
    { exitCode: 2 },
  );
}

// Until the analyzer has heard all up to `last`: here, or in the process that is given, which hosts the store's plugins.
// That one's may come no further, or the wait be given up.
async function heard(
  ports: AnalysisPorts,
  last: number,
  options: AnalyzeOptions,
): Promise<number | undefined> {
  const { parts: { store }, surroundings: { clock }, use } = ports;
  const { signal, onProgress } = options;
  const key = keys.cursor(instanceId(use.name, use.workflow));
  const cursorNow = async () => Number(await store.getItem(key) ?? 0);
  const first = await cursorNow();
  let cursor = first;
  let since = clock.monotonic();
  for (;;) {
    const other = await otherHost(store);
    // One that has begun or ended this moment is not named, and has the lease.
    if (other === undefined && await hear(ports, options)) return undefined;
    const before = cursor;
    cursor = await cursorNow();
    if (cursor !== before) since = clock.monotonic();
    const isStuck = other !== undefined && clock.monotonic() - since > PATIENCE_MS;
    if (cursor >= last || isStuck || signal?.aborted) return other;
    onProgress?.((cursor - first) / (last - first));
    await sleep(clock, WAIT_MS, signal).catch(() => {}); // aborted: what is known is told
  }
}

// Hosts the analyzer alone: what else is used here is none of an onlooker's business. False: another process hosts.
async function hear(
  ports: AnalysisPorts,
  { signal, onProgress }: AnalyzeOptions,
): Promise<boolean> {
  const { parts: { store, bus, keeper }, surroundings: { clock, log }, opener, effects, use } =
    ports;
  const host = new Host({
    store,
    bus,
    clock,
    log,
    keeper,
    effects,
    holder: thisHolder(),
    isDead,
    open: (one) => opener.open(one),
    usesOf: () => Promise.resolve([]),
  });
  host.use(use.workflow, [use], 0);
  await host.start(await store.last());
  if (!host.hosting) {
    await host.close();
    return false;
  }
  const done = new AbortController();
  const ended = signal === undefined ? done.signal : AbortSignal.any([signal, done.signal]);
  try {
    const drained = host.drain(signal ?? new AbortController().signal).finally(() => done.abort());
    let first: number | undefined;
    while (!ended.aborted) {
      await sleep(clock, PROGRESS_MS, ended).catch(() => {}); // it is over
      const [report] = await host.reports();
      if (ended.aborted || report === undefined) break;
      first ??= report.lag;
      onProgress?.(first === 0 ? 1 : 1 - report.lag / Math.max(first, report.lag));
    }
    await drained;
    const [report] = await host.reports();
    if (report?.state === "set_aside") {
      throw new SpanloopError(
        "analyze.plugin",
        `The plugin ${use.name} hears nothing: ${report.why}; \`plugins retry ${use.name}\` lets it try again`,
      );
    }
    return host.hosting;
  } finally {
    await host.close();
  }
}

// The plugin itself says what its state means.
async function reported(
  { surroundings: { clock }, opener, use }: AnalysisPorts,
  { state }: InstanceRecord,
  workflow: string | undefined,
): Promise<Pick<AnalysisReport, "health" | "workflows">> {
  const { link, config } = await opener.open(use);
  try {
    link.start(config, {}, use.workflow);
    const outputs = await link.step({
      step: "report",
      with: workflow === undefined ? {} : { workflow },
      items: [],
      attempt: 1,
      idempotencyKey: "analyze",
      now: Number(clock.now()) / 1e9,
    }, {
      signal: new AbortController().signal,
      onLine: () => {},
      answer: ({ ask }) =>
        ask === "kept"
          ? Promise.resolve(state as Json)
          : Promise.reject(new SpanloopError("plugin.refused", "A report only reads what is kept")),
    });
    return outputs as unknown as Pick<AnalysisReport, "health" | "workflows">;
  } finally {
    await link.close();
  }
}

async function mustKnow(
  ports: AnalysisPorts,
  record: InstanceRecord,
  workflow: string,
): Promise<void> {
  const { workflows } = await reported(ports, record, undefined);
  const names = workflows.map((one) => one.workflow);
  if (names.length === 0) return;
  const near = nearest(workflow, names);
  throw new SpanloopError(
    "analyze.workflow",
    `No run of a workflow ${workflow} has ended in this store; ` +
      (near === undefined ? `it has ${names.join(", ")}` : `did you mean \`${near}\`?`),
    { exitCode: 2 },
  );
}

/** The analyzer as it is used without being named: for all workflows. */
export function implicitUse(near: string): PluginUse {
  // By its path: a project may have a plugin of that name, which is another one.
  const use = resolve(import.meta.dirname!, "../plugins", ANALYZER, "plugin.ts");
  return {
    name: ANALYZER,
    use,
    folder: near,
    file: near,
    line: 1,
    trust: false,
    with: {},
  };
}
