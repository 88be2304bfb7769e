import type { ReceivedSpan } from "../../engine/core/span.ts";
import type { Store } from "../../engine/core/store.ts";
import { Effects } from "../../engine/host/effects.ts";
import { Host } from "../../engine/host/host.ts";
import { callOf } from "../../engine/host/item.ts";
import { ParameterLedger } from "../../engine/parameters/ledger.ts";
import { PluginOpener } from "../../engine/plugin_opener.ts";
import { Keeper } from "../../engine/run/keeper.ts";
import { openStore } from "../../engine/store/open.ts";
import { isDead, systemClock, thisHolder } from "../../engine/system.ts";
import { Bus } from "../../engine/telemetry/bus.ts";
import { EngineLog } from "../../engine/telemetry/log.ts";
import { alternate, ratios, shown, spread } from "./figures.ts";
import type { Measured, Row, Setting } from "./row.ts";

const RATE = 200_000;
// What waits for a plugin in memory is at most 10,000 events: beyond that it reads the store.
const BURST = 8_192;
// As the receiver commits them.
const COMMIT = 2_048;
const FRAME = 256;
const WARM = 4;

/** What the host and a sandboxed plugin can keep up with. */
export const hostRateRow: Row = {
  id: "plugin-sandbox-host",
  work: "committed spans of 6 attributes from the bus to a sandboxed plugin, until it has answered",
  goal: `>= ${RATE.toLocaleString("en")} events/s`,
  measure,
};

async function measure(setting: Setting): Promise<Measured> {
  const { folder, quick } = setting;
  const bursts = quick ? 1 : 10;
  const store = await openStore(`sqlite:${folder}/host.db`, { durability: "normal" });
  const hosted = await openHost(store, folder);
  const reader = openReader(folder);
  try {
    const run = async () => {
      let ms = 0;
      for (let i = 0; i < bursts; i++) ms += await hosted.burst();
      return bursts * BURST / ms * 1_000;
    };
    const raw = async () => bursts * BURST / await reader.read(bursts * BURST) * 1_000;
    for (let i = 0; i < (quick ? 0 : WARM); i++) await run();
    const rates = await alternate(setting.pairs, raw, run);
    const rate = spread(rates.engine);
    return {
      raw: `${shown(spread(rates.raw))} events/s`,
      engine: `${shown(rate)} events/s`,
      ratio: shown(ratios(rates.raw, rates.engine), 2),
      met: rate.median >= RATE,
      notes: [
        `From the return of the commit of ${BURST} spans. Raw: JSON.stringify of as many calls, ${FRAME} a frame, by ` +
        "a pipe to a Deno process that parses each frame and says so; four frames at once.",
      ],
    };
  } finally {
    await reader.close();
    await hosted.close();
    await store.close();
  }
}

async function openHost(store: Store, folder: string) {
  Deno.writeTextFileSync(
    `${folder}/counter.ts`,
    `let spans = 0;
export default { name: "counter", role: "analyzer", subscribe: {}, onSpan() { spans++; } };
`,
  );
  const clock = systemClock();
  const log = new EngineLog(clock);
  const bus = new Bus((thrown) => {
    throw thrown;
  });
  const contract = () => Promise.resolve(undefined);
  const keeper = new Keeper({ store, clock, onError: () => {} });
  const environment = Deno.env.toObject();
  const opener = new PluginOpener({ store, clock, log, environment, contract });
  const host = new Host({
    store,
    bus,
    clock,
    log,
    keeper,
    holder: thisHolder(),
    isDead,
    effects: new Effects({
      store,
      contract,
      ledger: new ParameterLedger({ store, machineZone: "UTC" }),
      command: () => Promise.resolve([]),
    }),
    open: (use) => opener.open(use),
    usesOf: () => Promise.resolve([]),
  });
  host.use(undefined, [{
    name: "counter",
    use: "./counter.ts",
    folder,
    file: `${folder}/spanloop.yaml`,
    line: 1,
    trust: false,
    grant: { external: true },
    with: {},
  }]);
  await host.start();
  const settled = () => host.drain(new AbortController().signal);
  await settled();
  let made = 0;
  let told = 0;
  return {
    /** Commits a burst; gives how long it then takes until the plugin has handled it, milliseconds. */
    async burst(): Promise<number> {
      const records = [];
      for (let i = 0; i < BURST; i += COMMIT) {
        const spans = Array.from({ length: COMMIT }, () => spanOf(++made));
        records.push(...(await store.receive(spans, 1n)).records);
      }
      const from = performance.now();
      for (const { span, position } of records) bus.tell({ event: "received", span, position });
      await settled();
      const ms = performance.now() - from;
      const [{ handled, state, why }] = await host.reports();
      told += records.length;
      if (handled !== told) throw new Error(`${handled} of ${told} were handled: ${state} ${why}`);
      return ms;
    },
    async close(): Promise<void> {
      await host.close();
      keeper.stop();
    },
  };
}

function openReader(folder: string) {
  const module = `${folder}/reader.ts`;
  Deno.writeTextFileSync(
    module,
    `const decoder = new TextDecoder();
let buffer = new Uint8Array(1 << 22);
for (let held = 0;;) {
  const read = await Deno.stdin.read(buffer.subarray(held));
  if (read === null) break;
  held += read;
  let at = 0;
  while (held - at >= 4) {
    const size = new DataView(buffer.buffer).getUint32(at);
    if (held - at < 4 + size) break;
    JSON.parse(decoder.decode(buffer.subarray(at + 4, at + 4 + size)));
    Deno.stdout.writeSync(new Uint8Array(1));
    at += 4 + size;
  }
  buffer.copyWithin(0, at, held);
  held -= at;
}
`,
  );
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-config", module],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const answers = child.stdout.getReader();
  const calls = Array.from({ length: FRAME }, (_, i) => {
    const span = spanOf(i + 1);
    const at = span.endTime;
    return callOf({ heard: { kind: "received", event: "ended", position: i, at, span } });
  });
  return {
    /** Milliseconds for so many events. */
    async read(count: number): Promise<number> {
      const from = performance.now();
      let [sent, answered] = [0, 0];
      while (answered < count) {
        while (sent < count && sent - answered < 4 * FRAME) {
          const bytes = new TextEncoder().encode(JSON.stringify({ type: "handle", id: 1, calls }));
          const frame = new Uint8Array(4 + bytes.length);
          new DataView(frame.buffer).setUint32(0, bytes.length);
          frame.set(bytes, 4);
          await writer.write(frame);
          sent += FRAME;
        }
        answered += (await answers.read()).value!.length * FRAME;
      }
      return performance.now() - from;
    },
    async close(): Promise<void> {
      await writer.close();
      await answers.cancel();
      await child.status;
    },
  };
}

// Spans of a web server, a millisecond apart.
function spanOf(number: number): ReceivedSpan {
  const hex = (digits: number, value: number) => value.toString(16).padStart(digits, "0");
  const startTime = 1_700_000_000_000_000_000n + BigInt(number) * 1_000_000n;
  return {
    traceId: hex(32, Math.ceil(number / 10)),
    spanId: hex(16, number),
    parentSpanId: hex(16, number + 1),
    name: `GET /api/items/${number % 10}`,
    kind: "server",
    startTime,
    endTime: startTime + 12_345_678n,
    status: "unset",
    links: [],
    events: [],
    attributes: {
      "http.request.method": "GET",
      "http.response.status_code": 200,
      "url.path": `/api/items/${number}`,
      "server.address": "api.example.com",
      "server.port": 443,
      "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
    },
    resource: { "service.name": "shop", "host.name": "host-1" },
    scope: { name: "shop.http", version: "1.2.3" },
  };
}
