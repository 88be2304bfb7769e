/**
 * Counts attempts, says each of them and proposes with every second. It runs in the engine's process, which
 * SPANLOOP_TEST_KILL ends while the Nth event of that process is dealt with: `event:N` in the handler, `micro:N:K` K
 * microtasks after it (between the proposal, its decision and its snapshot), `turn:N:K` K turns of the event loop after
 * it (about when the spans, the state and the cursor are written), `time:N:MS` some milliseconds after it.
 */
import { definePlugin } from "spanloop";

let heard = 0;

export default definePlugin({
  name: "tally",
  role: "optimizer",
  subscribe: { event: "ended", role: "attempt" },
  actions: ["emit", "propose"],
  onSpan({ position }, { state }) {
    const count = Number(state.get("count") ?? 0) + 1;
    state.set("count", count);
    state.set("sum", Number(state.get("sum") ?? 0) + position);
    endSoon();
    const said = { type: "emit" as const, name: "tally.heard", attributes: { count, position } };
    if (count % 2 === 1) return [said];
    return [said, { type: "propose", changes: { size: count }, reason: `attempt ${count}` }];
  },
});

function endSoon(): void {
  const [mode, at, after] = (Deno.env.get("SPANLOOP_TEST_KILL") ?? "").split(":");
  if (++heard !== Number(at)) return;
  if (mode === "event") end();
  if (mode === "micro") microtasks(Number(after));
  if (mode === "turn") turns(Number(after));
  if (mode === "time") setTimeout(end, Number(after));
}

function end(): void {
  Deno.kill(Deno.pid, "SIGKILL");
}

async function microtasks(left: number): Promise<void> {
  while (left-- > 0) await undefined;
  end();
}

function turns(left: number): void {
  if (left === 0) end();
  else setImmediate(() => turns(left - 1));
}
