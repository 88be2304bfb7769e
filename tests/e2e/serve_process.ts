// Serves a folder until it is killed, and prints each log line as JSON: `serve_process.ts FOLDER STORE`.
import { createEngine } from "../../engine/engine.ts";

const [folder, store] = Deno.args;
const engine = await createEngine({ near: folder, store });
const stop = new AbortController();
Deno.addSignalListener("SIGTERM", () => stop.abort());
await engine.serve(folder, {
  signal: stop.signal,
  onLog: ({ at: _, ...line }) => console.log(JSON.stringify(line)),
});
await engine.close();
