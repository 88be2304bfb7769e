import assert from "node:assert/strict";

const MAIN = new URL("../../engine/cli/main.ts", import.meta.url).pathname;

/** `receive` in a process of its own. */
export interface ReceiverProcess extends AsyncDisposable {
  /** Where it listens. */
  readonly url: string;
  /** Its store's location. */
  readonly store: string;
  /** Kills it. */
  kill(): Promise<void>;
  /** Stops it as Ctrl-C does: the lines that it printed, and of those the last one, if that is JSON. */
  stop(): Promise<{ readonly lines: string[]; readonly counts: unknown }>;
}

/** Starts `receive` on a free port and a store of its own. */
export async function receiverProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ReceiverProcess> {
  const folder = await Deno.makeTempDir({ prefix: "receive-" });
  const store = `sqlite:${folder}/store.db`;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "--no-prompt",
      MAIN,
      "receive",
      "--port",
      "0",
      "--store",
      store,
      ...args,
    ],
    env: { ...env, NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const out = new Response(child.stdout).text();
  const err = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  let url: string | undefined;
  while (url === undefined) {
    const { value, done } = await err.read();
    if (done) assert.fail(`receive ended: ${said}`);
    url = /receiving OTLP on (\S+);/.exec(said += value)?.[1];
  }
  // Whatever else it says is read, so that it is never blocked.
  const rest = (async () => {
    for (let more = await err.read(); !more.done; more = await err.read()) said += more.value;
  })();
  let killed = false;
  let stopped: Promise<{ lines: string[]; counts: unknown }> | undefined;
  const stop = () =>
    stopped ??= (async () => {
      child.kill("SIGINT");
      const { code } = await child.status;
      await rest;
      assert.equal(code, 0, said);
      const lines = (await out).trimEnd().split("\n");
      const counts = lines.at(-1)!.startsWith("{") ? JSON.parse(lines.pop()!) : undefined;
      return { lines, counts };
    })();
  return {
    url,
    store,
    stop,
    async kill() {
      killed = true;
      child.kill("SIGKILL");
      await Promise.all([child.status, rest, out]);
    },
    async [Symbol.asyncDispose]() {
      if (!killed) await stop();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
