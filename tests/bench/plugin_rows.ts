import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { inProcess } from "../../engine/host/in_process.ts";
import { PluginLink } from "../../engine/host/link.ts";
import type { Channel, HandlerCall } from "../../engine/host/protocol.ts";
import { sandbox } from "../../engine/host/sandbox.ts";
import { systemClock } from "../../engine/system.ts";
import { alternate, figure, ratios, shown, spread } from "./figures.ts";
import type { Measured, Row, Setting } from "./row.ts";

const ONE_IN_SANDBOX_US = 300;
const ONE_IN_PROCESS_US = 20;
const BATCH_RATE = 200_000;
const BATCH = 1_000;
const WARM = 200;

/** Rows about the way to a plugin and back: the link and its channel, without the store and the host's routing. */
export const pluginRows: readonly Row[] = [
  {
    id: "plugin-sandbox-one",
    work: "one event of 10 attributes to a plugin in a sandbox, and its answer",
    goal: "<= 300 us at the median",
    measure: (setting) => inSandbox(setting, measureOneInSandbox),
  },
  {
    id: "plugin-in-process-one",
    work: "the same to a plugin in the engine's process",
    goal: "<= 20 us at the median",
    measure: measureOneInProcess,
  },
  {
    id: "plugin-sandbox-batch",
    work: "such events in batches of 1,000 to a plugin in a sandbox",
    goal: ">= 200,000 events/s",
    measure: (setting) => inSandbox(setting, measureBatches),
  },
];

interface Sandboxed {
  readonly setting: Setting;
  readonly link: PluginLink;
  /** From its start until it has said what it is, milliseconds. */
  readonly startMs: number;
}

async function measureOneInSandbox({ setting, link, startMs }: Sandboxed): Promise<Measured> {
  const events = setting.quick ? 5 : 2_000;
  const bytes = new TextEncoder().encode(JSON.stringify(callOf(1)));
  const cat = new Deno.Command("cat", { stdin: "piped", stdout: "piped" }).spawn();
  const writer = cat.stdin.getWriter();
  const reader = cat.stdout.getReader();
  try {
    const times = await alternate(
      setting.pairs,
      () =>
        medianUs(events, async () => {
          await writer.write(bytes);
          for (let read = 0; read < bytes.length;) read += (await reader.read()).value!.length;
        }),
      () => medianUs(events, (position) => handleAll(link, [callOf(position)])),
    );
    return {
      raw: `${shown(spread(times.raw))} us`,
      engine: `${shown(spread(times.engine))} us`,
      ratio: shown(ratios(times.raw, times.engine), 2),
      met: spread(times.engine).median <= ONE_IN_SANDBOX_US,
      notes: [
        "Raw: as many bytes to `cat` and back.",
        `The sandbox took ${figure(startMs)} ms from its start to the loaded plugin.`,
      ],
    };
  } finally {
    await writer.close();
    await reader.cancel();
    await cat.status;
  }
}

async function measureBatches({ setting, link }: Sandboxed): Promise<Measured> {
  const batches = setting.quick ? 1 : 50;
  const all = Array.from(
    { length: batches },
    (_, batch) => Array.from({ length: BATCH }, (_, i) => callOf(batch * BATCH + i)),
  );
  const rate = async (body: (calls: readonly HandlerCall[]) => unknown) => {
    const from = performance.now();
    for (const calls of all) await body(calls);
    return batches * BATCH / (performance.now() - from) * 1_000;
  };
  const rates = await alternate(
    setting.pairs,
    () => rate((calls) => JSON.parse(JSON.stringify(calls))),
    () => rate((calls) => handleAll(link, calls)),
  );
  return {
    raw: `${shown(spread(rates.raw))} events/s`,
    engine: `${shown(spread(rates.engine))} events/s`,
    ratio: shown(ratios(rates.raw, rates.engine), 2),
    met: spread(rates.engine).median >= BATCH_RATE,
    notes: ["Raw: JSON.stringify and JSON.parse of the same batches in one process."],
  };
}

async function measureOneInProcess(setting: Setting): Promise<Measured> {
  const events = setting.quick ? 5 : 20_000;
  const module = await writePlugin(setting.folder, "trusted");
  const link = await opened(inProcess({ monotonic: () => performance.now() }), module);
  const definition = (await import(pathToFileURL(module).href)).default;
  const context = { config: {}, now: 0 };
  try {
    const times = await alternate(
      setting.pairs,
      () =>
        medianUs(events, async (position) => {
          const call = callOf(position);
          await (call.kind === "span" && definition.onSpan(call.event, context));
        }),
      () => medianUs(events, (position) => handleAll(link, [callOf(position)])),
    );
    return {
      raw: `${shown(spread(times.raw), 2)} us`,
      engine: `${shown(spread(times.engine), 2)} us`,
      ratio: shown(ratios(times.raw, times.engine), 2),
      met: spread(times.engine).median <= ONE_IN_PROCESS_US,
      notes: ["Raw: a call of the same handler."],
    };
  } finally {
    await link.close();
  }
}

async function inSandbox(
  setting: Setting,
  measure: (given: Sandboxed) => Promise<Measured>,
): Promise<Measured> {
  const module = await writePlugin(setting.folder, "sandboxed");
  const start = async () =>
    await opened(
      await sandbox({
        id: module,
        module,
        permissions: {},
        folder: setting.folder,
        clock: systemClock(),
        deno: Deno.execPath(),
        library: new URL("../../mod.ts", import.meta.url).href,
        environment: Deno.env.toObject(),
        platform: Deno.build.os,
        cacheFolder: join(setting.folder, "cache"),
        store: [],
      }),
      module,
    );
  // The first start fills the plugin's own cache.
  await (await start()).close();
  const from = performance.now();
  const link = await start();
  const startMs = performance.now() - from;
  try {
    for (let i = 0; i < (setting.quick ? 1 : WARM); i++) await handleAll(link, [callOf(i)]);
    return await measure({ setting, link, startMs });
  } finally {
    await link.close();
  }
}

async function writePlugin(folder: string, name: string): Promise<string> {
  const module = join(folder, name, "plugin.ts");
  await Deno.mkdir(join(folder, name), { recursive: true });
  await Deno.writeTextFile(
    module,
    `let items = 0;
export default { name: "bench", role: "analyzer", subscribe: {}, onSpan({ span }) {
  items += span.items.processed;
} };
`,
  );
  return module;
}

async function opened(channel: Channel, module: string): Promise<PluginLink> {
  const link = new PluginLink(channel, {
    clock: systemClock(),
    answer: () => Promise.resolve([]),
    onLog: () => {},
  });
  await link.load(pathToFileURL(module).href);
  link.start({}, {}, "import-orders");
  return link;
}

async function handleAll(link: PluginLink, calls: readonly HandlerCall[]): Promise<void> {
  const { count, failure } = await link.handle(calls);
  if (failure !== undefined || count !== calls.length) {
    throw new Error(`${count} of ${calls.length} events were handled: ${failure?.message}`);
  }
}

async function medianUs(
  count: number,
  body: (position: number) => Promise<unknown>,
): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const from = performance.now();
    await body(i);
    times.push((performance.now() - from) * 1_000);
  }
  return spread(times).median;
}

// An attempt of a batch that ended, as the quickstart has them.
function callOf(position: number): HandlerCall {
  return {
    kind: "span",
    now: 1_700_000_000,
    event: {
      event: "ended",
      position,
      span: {
        traceId: "0af7651916cd43dd8448eb211c80319c",
        spanId: position.toString(16).padStart(16, "0"),
        parentSpanId: "b7ad6b7169203331",
        name: "orders.load",
        kind: "internal",
        startTime: 1_699_999_999,
        endTime: 1_700_000_000,
        duration: 1,
        status: "ok",
        attributes: {
          "spanloop.step.id": "load",
          "spanloop.step.type": "script",
          "spanloop.attempt.number": 1,
          "spanloop.batch.from": 20 * position,
          "spanloop.batch.to": 20 * position + 20,
          "spanloop.items.processed": 20,
          "spanloop.items.failed": 0,
          "spanloop.param.batch_size": 20,
          "spanloop.param.concurrency": 2,
          team: "data",
        },
        links: [],
        external: false,
        workflow: "import-orders",
        runId: "0190a7c2-8e1b-7cc3-9d1f-3a5c7e9b1d2f",
        role: "attempt",
        stepId: "load",
        attempt: 1,
        outcome: "succeeded",
        items: { processed: 20, failed: 0 },
      },
    },
  };
}
