/**
 * An engine in a process of its own that hosts plugins: `plugin_process.ts STORE FILE RUNS`. It takes up what others
 * have left, then runs the workflow so often, lets the plugins hear all of it, and prints `done`. SPANLOOP_TEST_KILL
 * says when it dies of SIGKILL: see plugins/tally.ts.
 */
import { SpanloopError } from "../../engine/core/errors.ts";
import { createEngine } from "../../engine/engine.ts";
import { openStore } from "../../engine/store/open.ts";
import { isDead } from "../../engine/system.ts";

const [store, file, runs] = Deno.args;
const location = `sqlite:${store}`;
const reader = await openStore(location, { durability: "normal" });
const left = await reader.runs({ statuses: ["queued", "running"] });
await reader.close();
const engine = await createEngine({ near: file, store: location, drainMs: 60_000 });
engine.onLog(({ body }) => console.error(body), "warn");
for (const { runId, lease } of left) {
  if (lease?.holder !== undefined && !isDead(lease.holder)) continue;
  await engine.resume(runId).catch((thrown) => {
    // Another process was faster.
    const codes = ["run.ended", "run.held"];
    if (!(thrown instanceof SpanloopError && codes.includes(thrown.code))) throw thrown;
  });
}
for (let run = 0; run < Number(runs); run++) await engine.run(file);
await engine.close();
console.log("done");
Deno.exit(0);
