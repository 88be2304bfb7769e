/** Uses `_test_server.ts`, at a URL, as a process of its own. */
export async function withServer(use: (url: string) => Promise<void>): Promise<void> {
  const server = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-config", new URL("_test_server.ts", import.meta.url).pathname],
    stdout: "piped",
  }).spawn();
  const lines = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    const { value: port } = await lines.read();
    await use(`http://127.0.0.1:${Number(port)}/`);
  } finally {
    await lines.cancel();
    server.kill("SIGKILL");
    await server.status;
  }
}
