// An application that has OpenTelemetry of its own: it registers a global provider, embeds the engine, and prints
// the names of the spans that its own provider saw. `own_provider.ts WORKFLOW STORE`.
import { context, trace } from "@opentelemetry/api";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { createEngine } from "../../engine/engine.ts";

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
trace.setGlobalTracerProvider(provider);

const [file, store] = Deno.args;
const span = trace.getTracer("application").startSpan("application's own");
const engine = await createEngine({ near: file, store });
await context.with(trace.setSpan(context.active(), span), () => engine.run(file));
await engine.close();
span.end();
await provider.forceFlush();
console.log(JSON.stringify(exporter.getFinishedSpans().map(({ name }) => name)));
Deno.exit(0);
