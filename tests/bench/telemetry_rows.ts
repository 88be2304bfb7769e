import { createEngine } from "../../engine/engine.ts";
import { assertEndedRun } from "./ended_run.ts";
import { alternate, figure, ratios, shown, spread } from "./figures.ts";
import { inProcess } from "./process_run.ts";
import type { Measured, Row, Setting } from "./row.ts";
import { shellDag } from "./workflow_files.ts";

const MOST = 1.03;
const SLOW_MS = 2_000;

/** A collector that does not do what it should; undefined: there is none. */
interface Away {
  readonly id: string;
  readonly what: string;
  start(): { readonly port: number; stop(): Promise<void> };
}

const options = { port: 0, hostname: "127.0.0.1", onListen() {} };

function answering(handler: () => Response | Promise<Response>) {
  const server = Deno.serve(options, async (request) => {
    await request.arrayBuffer();
    return await handler();
  });
  return { port: server.addr.port, stop: () => server.shutdown() };
}

const AWAY: readonly Away[] = [
  {
    id: "away",
    what: "off: nobody listens",
    start() {
      const listener = Deno.listen(options);
      const { port } = listener.addr;
      listener.close();
      return { port, stop: () => Promise.resolve() };
    },
  },
  {
    id: "refusing",
    what: "refusing: 503",
    start: () => answering(() => new Response(null, { status: 503 })),
  },
  {
    id: "silent",
    what: "black-holing: it accepts connections and never answers",
    start() {
      const listener = Deno.listen(options);
      const connections: Deno.Conn[] = [];
      void (async () => {
        for await (const connection of listener) connections.push(connection);
      })();
      return {
        port: listener.addr.port,
        stop() {
          listener.close();
          for (const connection of connections) connection.close();
          return Promise.resolve();
        },
      };
    },
  },
  {
    id: "slow",
    what: `answering slowly: after ${SLOW_MS / 1_000} s`,
    start: () =>
      answering(() => new Promise((resolve) => setTimeout(resolve, SLOW_MS, new Response()))),
  },
];

/** Rows about what a run costs whose telemetry nobody takes as it should be taken, beside one without telemetry. */
export const telemetryRows: readonly Row[] = AWAY.map((away) => ({
  id: `telemetry-${away.id}`,
  work: `DAG of 10,000 nodes, traces, metrics and logs to a collector ${away.what}`,
  goal: `<= ${MOST} x the run without telemetry`,
  measure: (setting) => measure(setting, away),
}));

async function measure(setting: Setting, away: Away): Promise<Measured> {
  const [layers, width] = setting.quick ? [3, 4] : [100, 100];
  const steps = layers * width;
  const file = shellDag(setting.folder, { name: "dag", layers, width });
  const store = `sqlite:${setting.folder}/dag.db`;
  const collector = away.start();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}` };
  const { raw, engine: runs } = await alternate(
    setting.pairs,
    () => inProcess({ kind: "workflow", file, store }),
    () => inProcess({ kind: "workflow", file, store }, env),
  );
  await collector.stop();
  const engine = await createEngine({ near: file, store });
  try {
    for (const { runId } of runs) await assertEndedRun(engine, runId!, { steps, attempts: steps });
  } finally {
    await engine.close();
  }
  const seconds = (results: typeof raw) => results.map(({ runMs }) => runMs! / 1_000);
  // Beside the run: opening the store and loading what is needed.
  const before = (results: typeof raw) =>
    spread(results.map(({ ms, runMs }) => ms - runMs!)).median;
  const ratio = ratios(seconds(raw), seconds(runs));
  const closing = spread(runs.map(({ closeMs }) => closeMs!));
  return {
    raw: `${shown(spread(seconds(raw)), 2)} s`,
    engine: `${shown(spread(seconds(runs)), 2)} s`,
    ratio: shown(ratio, 3),
    met: ratio.median <= MOST,
    notes: [
      `The run's own time, by its report. What comes before it takes ${
        figure(before(raw))
      } ms without and ` +
      `${figure(before(runs))} ms with telemetry; closing the engine after it ${
        figure(closing.median)
      } ms ` +
      `(at most ${figure(closing.max)}).`,
    ],
  };
}
