// Reaches for all that it was not granted, each by a few ways, and tells what came of it.
import { readFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { connect } from "node:net";
import { definePlugin } from "spanloop";

const computed = (name: string) => import(name);

const WAYS: Readonly<Record<string, (given: Given) => unknown>> = {
  read: ({ outside }) => Deno.readTextFileSync(outside),
  node_read: ({ outside }) => readFileSync(outside),
  import_outside: ({ outside }) => computed(`file://${outside}`),
  import_text: ({ outside }) => computed(`data:text/javascript,import "file://${outside}"`),
  list: () => [...Deno.readDirSync("/")],
  proc: () => Deno.readTextFileSync(`/proc/${Deno.ppid}/environ`),
  cache: ({ cache }) => [...Deno.readDirSync(cache)],
  write: ({ outside }) => Deno.writeTextFileSync(outside, "overwritten"),
  write_own: () => Deno.writeTextFileSync(new URL("./written.txt", import.meta.url), ""),
  link: () => Deno.symlinkSync("/etc/passwd", new URL("./link.txt", import.meta.url)),
  fetch: () => fetch("http://127.0.0.1:8999/"),
  connect: () => Deno.connect({ hostname: "127.0.0.1", port: 8999 }),
  listen: () => Deno.listen({ port: 0 }),
  node_connect: () =>
    new Promise((resolve, reject) =>
      connect(8999, "127.0.0.1", () => resolve(1)).on("error", reject)
    ),
  resolve: () => Deno.resolveDns("example.com", "A"),
  environment: () => Deno.env.get("PATH"),
  environments: () => Deno.env.toObject(),
  spawn: () => new Deno.Command("true").outputSync(),
  node_spawn: () => {
    const { error } = spawnSync("true");
    if (error !== undefined) throw error;
  },
  kill: () => Deno.kill(Deno.ppid, "SIGTERM"),
  host: () => Deno.hostname(),
  library: () => Deno.dlopen("libc.so.6", {}),
  remote: () => computed("https://example.com/module.ts"),
  npm: () => computed("npm:ms@2.1.3"),
  worker: ({ outside }) =>
    new Promise((resolve, reject) => {
      const code = `self.postMessage(Deno.readTextFileSync(${JSON.stringify(outside)}))`;
      const worker = new Worker(`data:text/javascript,${encodeURIComponent(code)}`, {
        type: "module",
      });
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => {
        event.preventDefault();
        worker.terminate();
        reject(new Deno.errors.NotCapable(event.message));
      };
    }),
  ask: async () => {
    const { state } = await Deno.permissions.request({ name: "read" });
    if (state !== "granted") throw new Deno.errors.NotCapable(state);
  },
};

interface Given {
  readonly outside: string;
  readonly cache: string;
}

export default definePlugin({
  name: "reach",
  role: "analyzer",
  subscribe: {},
  actions: ["emit"],
  config: {
    type: "object",
    properties: { outside: { type: "string" }, cache: { type: "string" } },
    required: ["outside", "cache"],
  },
  async onSpan(_, { config }) {
    const list: string[] = [];
    for (const [name, way] of Object.entries(WAYS)) {
      try {
        await way(config);
        list.push(`${name}: it worked`);
      } catch (error) {
        list.push(`${name}: ${(error as Error).name}: ${(error as Error).message}`);
      }
    }
    return [{ type: "emit", name: "reached", attributes: { list } }];
  },
});
