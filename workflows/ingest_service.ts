import type { StepContext } from "spanloop";
import { rmSync } from "node:fs";

/**
 * Runs ingest_server.ts under a limit of open files until it ends: on POST /shutdown, or when the step is cancelled.
 * The limit is the kernel's own (`ulimit -n`), for this one process.
 */
export default async function serve(context: StepContext) {
  const folder = context.path(String(context.with.folder));
  const portFile = context.path(String(context.with.port_file));
  const files = [folder, portFile, `${portFile}.new`, "/dev/null"].join(",");
  rmSync(folder, { recursive: true, force: true });
  const server = new Deno.Command("sh", {
    args: [
      "-c",
      'ulimit -n "$1" && shift && exec "$@"',
      "sh",
      String(context.with.open_files),
      Deno.execPath(),
      "run",
      "--quiet",
      "--no-prompt",
      "--allow-net=127.0.0.1",
      `--allow-read=${files}`,
      `--allow-write=${files}`,
      new URL("./ingest_server.ts", import.meta.url).href,
      folder,
      portFile,
    ],
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const stop = () => server.kill("SIGTERM");
  context.signal.addEventListener("abort", stop, { once: true });
  try {
    if (context.signal.aborted) stop();
    const { code, success, stderr } = await server.output();
    if (success || context.signal.aborted) return;
    const [why] = new TextDecoder().decode(stderr).trim().split("\n");
    throw new Error(`The service ended with ${code}: ${why}`);
  } finally {
    context.signal.removeEventListener("abort", stop);
  }
}
