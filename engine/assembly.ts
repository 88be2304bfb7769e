import type { Clock, Random } from "./core/clock.ts";
import { messageOf, StoreError } from "./core/errors.ts";
import type { Ids } from "./core/ids.ts";
import type { RunPluginStep } from "./core/step.ts";
import type { Store } from "./core/store.ts";
import type { StorePlace } from "./locate_store.ts";
import { makeOutputFolder, removeOutput } from "./output_folders.ts";
import { LiveSnapshots } from "./parameters/live_snapshots.ts";
import { Keeper } from "./run/keeper.ts";
import { Runner } from "./run/runner.ts";
import { builtinStepTypes } from "./steps/builtin.ts";
import { openStore } from "./store/open.ts";
import { denoProcess, isDead, thisHolder } from "./system.ts";
import { Bus } from "./telemetry/bus.ts";
import type { EngineLog } from "./telemetry/log.ts";
import { type PropagatorName, W3cPropagation } from "./telemetry/propagation.ts";
import type { SpanProcessor, Tracing } from "./telemetry/provider.ts";
import { Recorder } from "./telemetry/recorder.ts";
import { logRuns } from "./telemetry/run_log.ts";

/** The machine and the process, as the layers see them. */
export interface Surroundings {
  /** Time. */
  readonly clock: Clock;
  /** Randomness. */
  readonly random: Random;
  /** Ids. */
  readonly ids: Ids;
  /** The process's environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where the engine says what it does. */
  readonly log: EngineLog;
}

/** The layers on an open store. */
export interface Parts {
  /** The store. */
  readonly store: Store;
  /** Its leases that this process holds. */
  readonly keeper: Keeper;
  /** The tuned values of the workflows that run here; hears of this process's decisions (A2). */
  readonly live: LiveSnapshots;
  /** What runs workflows. */
  readonly runner: Runner;
  /** What is committed, as it is committed. */
  readonly bus: Bus;
  /** What carries context to and from other programs. */
  readonly propagation: W3cPropagation;
  /** OpenTelemetry's SDK, if somebody wants its spans. */
  readonly tracing: Tracing | undefined;
}

/** Wires the layers together on a store. */
export async function assemble(
  store: Store,
  processors: readonly SpanProcessor[],
  { clock, random, ids, environment, log }: Surroundings,
  runPluginStep: RunPluginStep,
): Promise<Parts> {
  const bus = new Bus((thrown) =>
    log.log({ severity: "error", body: `a listener of the bus failed: ${messageOf(thrown)}` })
  );
  // Before whoever exports spans: what is logged of a span's end is exported with its place in the trace.
  bus.subscribe(logRuns(log));
  // OpenTelemetry's SDK takes a third of the start-up: it is loaded when somebody wants its spans.
  const tracing = processors.length === 0
    ? undefined
    : new (await import("./telemetry/provider.ts")).Tracing(processors);
  if (tracing !== undefined) bus.subscribe((event) => tracing.hear(event));
  const propagation = new W3cPropagation(await propagatorsOf(environment));
  const recorder = new Recorder({
    store,
    bus,
    onLost: (runId, why) => runner.lose(runId, why),
    onDuplicate: (runId) => runner.duplicate(runId),
  });
  const live = new LiveSnapshots(store);
  const keeper = new Keeper({
    store,
    clock,
    // The next commit meets the same fault and stops the run with it.
    onError: () => {},
    onChange: () => live.refresh(),
  });
  const runner: Runner = new Runner({
    store,
    recorder,
    bus,
    log,
    keeper,
    live,
    ids,
    clock,
    random,
    types: builtinStepTypes({
      clock,
      environment,
      platform: Deno.build.os,
      ...denoProcess(environment),
      pid: Deno.pid,
      store: store.files,
      propagation,
      runPluginStep,
    }),
    holder: thisHolder(),
    isDead,
    makeTempFolder: makeOutputFolder,
    remove: removeOutput,
  });
  return { store, keeper, live, runner, bus, propagation, tracing };
}

// The settings are read when there is something to read: most environments name no propagators.
async function propagatorsOf(
  environment: Readonly<Record<string, string>>,
): Promise<readonly PropagatorName[]> {
  if (!environment.OTEL_PROPAGATORS) return ["tracecontext", "baggage"];
  const { readTelemetrySettings } = await import("./telemetry/settings.ts");
  return readTelemetrySettings(environment).settings.propagators;
}

/**
 * Opens the store of `place`; without `create`, undefined when there is none. What cannot be written can still
 * be read: listing and showing runs work then, and whatever writes says why it cannot.
 */
export async function openPlace(
  { location, durability }: StorePlace,
  create: boolean,
): Promise<Store | undefined> {
  try {
    return await openStore(location, { durability, create });
  } catch (thrown) {
    if (!(thrown instanceof StoreError)) throw thrown;
    if (thrown.code === "store.missing") return undefined;
    if (thrown.code !== "store.read_only") throw thrown;
    return await openStore(location, { durability, readOnly: true }).catch((toRead) => {
      throw create ? thrown : toRead;
    });
  }
}
