// Runs a workflow on a store and prints, as JSON, its report and the spans that a processor saw. A process of
// its own, so that it has an environment of its own: `run_logged.ts WORKFLOW STORE [PARAM=VALUE...]`.
import { createEngine } from "../../engine/engine.ts";
import { SpanLog } from "./span_log.ts";

const [file, store, ...params] = Deno.args;
const log = new SpanLog();
const engine = await createEngine({ near: file, store, spanProcessors: [log] });
const text = Object.fromEntries(params.map((param) => param.split("=")));
const report = await engine.run(file, { given: { text } });
await engine.close();
await Deno.stdout.write(
  new TextEncoder().encode(JSON.stringify({ report, started: log.started, ended: log.ended })),
);
Deno.exit(0);
