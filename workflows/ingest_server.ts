/**
 * The program that ingest_service.ts starts: an HTTP service that files flights by the airport they leave from. A
 * request has an answer only once all its flights are on disk, and until then its files stay open. So requests at once, and
 * the airports in each, cost file descriptors, and the kernel grants a process only so many of them: those flights
 * whose file cannot be opened are refused.
 *
 * Arguments: the folder to file into, and the file that gets the port.
 */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

const [folder, portFile] = Deno.args;
mkdirSync(folder, { recursive: true });
const held: FileHandle[] = [];
let [stored, refused] = [0, 0];

const server = Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen({ port }) {
    writeFileSync(`${portFile}.new`, String(port));
    renameSync(`${portFile}.new`, portFile); // so that nobody reads half a number
  },
}, async (request) => {
  const { pathname, searchParams } = new URL(request.url);
  if (request.method !== "POST") return new Response("POST flights to /", { status: 405 });
  switch (pathname) {
    case "/shutdown":
      server.shutdown(); // lets the requests under way finish, this one too
      return Response.json({ stored, refused });
    case "/hold":
      return await holdAll(Number(searchParams.get("descriptors") ?? 0));
    default:
      return Response.json(await file(await request.json()));
  }
});
// Also while there are descriptors: to listen for a signal takes one.
Deno.addSignalListener("SIGTERM", () => server.shutdown());
await server.finished;

async function file(flights: readonly { readonly origin: string }[]) {
  const lines = Map.groupBy(flights, ({ origin }) => origin);
  const failed = { items: 0, files: 0 };
  const opened = await Promise.all([...lines].map(async ([airport, group]) => {
    try {
      const handle = await open(`${folder}/${airport}.ndjson`, "a");
      return { handle, text: group.map((flight) => JSON.stringify(flight) + "\n").join("") };
    } catch (thrown) {
      if ((thrown as { code?: string }).code !== "EMFILE") throw thrown;
      failed.items += group.length;
      failed.files++;
    }
  }));
  await Promise.all(opened.map(async (target) => {
    await target?.handle.write(target.text);
    await target?.handle.datasync();
  }));
  await Promise.all(opened.map((target) => target?.handle.close()));
  stored += flights.length - failed.items;
  refused += failed.items;
  return { stored: flights.length - failed.items, refused: failed.items, files: failed.files };
}

async function holdAll(count: number): Promise<Response> {
  const now = await hold(count);
  return Response.json({ held: now }, { status: now < count ? 503 : 200 });
}

// Holds so many descriptors from now on, as another tenant of the service would; 0 gives them all back.
async function hold(count: number): Promise<number> {
  while (held.length > count) await held.pop()!.close();
  try {
    while (held.length < count) held.push(await open("/dev/null"));
  } catch (thrown) {
    if ((thrown as { code?: string }).code !== "EMFILE") throw thrown;
  }
  return held.length;
}
