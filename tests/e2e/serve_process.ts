// Serves a folder until it is killed, and prints each log record as JSON: `serve_process.ts FOLDER STORE`.
import { createEngine } from "../../engine/engine.ts";

const [folder, store] = Deno.args;
const engine = await createEngine({ near: folder, store });
const stop = new AbortController();
Deno.addSignalListener("SIGTERM", () => stop.abort());
engine.onLog(({ time: _, ...record }) => console.log(JSON.stringify(record)), "info");
await engine.serve(folder, { signal: stop.signal });
await engine.close();
