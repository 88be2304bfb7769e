import { join, resolve } from "node:path";

const SERVER = resolve(import.meta.dirname!, "../../workflows/ingest_server.ts");

/** The service of workflows/ingest.yaml, under a limit of open files, for as long as `use` takes. */
export async function withService(
  folder: string,
  openFiles: number,
  use: (service: { readonly url: string; hold(descriptors: number): Promise<void> }) => Promise<
    void
  >,
): Promise<void> {
  const portFile = join(folder, "port");
  const server = new Deno.Command("sh", {
    args: [
      "-c",
      'ulimit -n "$1" && shift && exec "$@"',
      "sh",
      String(openFiles),
      Deno.execPath(),
      ...["run", "-A", "--quiet", SERVER, join(folder, "filed"), portFile],
    ],
  }).spawn();
  try {
    const url = `http://127.0.0.1:${await portIn(portFile)}/`;
    const hold = async (descriptors: number) => {
      for (;;) {
        const response = await fetch(`${url}hold?descriptors=${descriptors}`, { method: "POST" });
        await response.body?.cancel();
        // It takes them as they get free.
        if (response.ok) return;
      }
    };
    await use({ url, hold });
  } finally {
    server.kill("SIGTERM");
    await server.status;
  }
}

async function portIn(file: string): Promise<string> {
  for (;;) {
    try {
      return await Deno.readTextFile(file);
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
