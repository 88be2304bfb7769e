import type { StepContext } from "spanloop";
import { readFileSync, renameSync, writeFileSync } from "node:fs";

/** A request that waits for a worker. */
interface Waiting {
  readonly airport: string;
  readonly answer: (response: Response) => void;
}

/**
 * An HTTP server with a bounded capacity: a few workers, each with its own SQLite connection, and a short
 * queue before them. A request that finds the queue full is answered 503. It writes its port to a file, and
 * ends on POST /shutdown or when the step is cancelled.
 */
export default async function serve(context: StepContext) {
  const limit = Number(context.with.queue);
  const portFile = context.path(String(context.with.port_file));
  const flights = context.path(String(context.with.flights));
  const queue: Waiting[] = [];
  const idle: Worker[] = [];
  const busy = new Map<Worker, Waiting>();
  let [answered, refused] = [0, 0];

  const assign = () => {
    while (idle.length > 0 && queue.length > 0) {
      const [worker, waiting] = [idle.pop()!, queue.shift()!];
      busy.set(worker, waiting);
      worker.postMessage(waiting.airport);
    }
  };
  const startWorker = () =>
    new Promise<Worker>((ready) => {
      const worker = new Worker(new URL("./delay_query.ts", import.meta.url), { type: "module" });
      worker.onmessage = ({ data }: MessageEvent) => {
        busy.get(worker)?.answer(
          data === null ? new Response("No such airport", { status: 404 }) : Response.json(data),
        );
        if (busy.delete(worker)) answered++;
        idle.push(worker);
        ready(worker); // its first message says that it has loaded the flights
        assign();
      };
      worker.postMessage({ flights });
    });
  const workers = await Promise.all(
    Array.from({ length: Number(context.with.workers) }, startWorker),
  );

  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: previousPort(portFile),
    onListen({ port }) {
      writeFileSync(`${portFile}.new`, String(port));
      renameSync(`${portFile}.new`, portFile); // so that nobody reads half a number
      context.log(`listening on 127.0.0.1:${port}`);
    },
  }, (request) => {
    const path = new URL(request.url).pathname;
    if (request.method === "POST" && path === "/shutdown") {
      server.shutdown(); // lets the requests under way finish, this one too
      return Response.json({ answered, refused });
    }
    if (queue.length >= limit) {
      refused++;
      return new Response("The queue is full", { status: 503 });
    }
    return new Promise<Response>((answer) => {
      queue.push({ airport: path.slice("/airports/".length), answer });
      assign();
    });
  });
  context.signal.addEventListener("abort", () => server.shutdown(), { once: true });
  if (context.signal.aborted) server.shutdown();

  await server.finished;
  for (const worker of workers) worker.terminate();
  return { answered, refused };
}

// A resumed run has the port of its first try in its journal, so the next try listens there again.
function previousPort(file: string): number {
  try {
    return Number(readFileSync(file, "utf8"));
  } catch {
    return 0; // any free one
  }
}
