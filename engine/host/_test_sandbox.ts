/** Plugins in real sandboxes, for the tests of this folder. */
import { fileURLToPath, pathToFileURL } from "node:url";
import type { JsonObject } from "../core/json.ts";
import { systemClock } from "../system.ts";
import { type LinkLimits, PluginLink } from "./link.ts";
import type { PluginError } from "./plugin_error.ts";
import type { HandlerCall, PluginDescription } from "./protocol.ts";
import { sandbox, type SandboxOptions } from "./sandbox.ts";

/** A plugin that was started. */
export interface Started {
  /** The way to it. */
  readonly link: PluginLink;
  /** What it says of itself. */
  readonly description: PluginDescription;
  /** Its log. */
  readonly lines: string[];
  /** Why it is gone, each time that this is told. */
  readonly gone: PluginError[];
}

/** What a test may say of a sandbox. */
export type Given = Partial<SandboxOptions> & {
  /** Of the link. */
  readonly limits?: Partial<LinkLimits>;
  /** The plugin's configuration. */
  readonly config?: JsonObject;
};

// What ends by itself even on a machine that does much else may take so long, milliseconds.
const LATE = 120_000;

/** A real clock. */
export const clock = systemClock();

/** The path of a plugin in tests/hostile. */
export function hostile(name: string): string {
  return fileURLToPath(new URL(`../../tests/hostile/${name}.ts`, import.meta.url));
}

/** Starts the plugin whose module is at `module` in a sandbox; small, so that what takes much is soon too large. */
export async function start(module: string, folder: string, given: Given = {}): Promise<Started> {
  const { limits, config = {}, ...options } = given;
  const lines: string[] = [];
  const gone: PluginError[] = [];
  const channel = await sandbox({
    id: module,
    module,
    permissions: {},
    folder,
    memory: { heap: 64, process: 200 },
    clock,
    deno: Deno.execPath(),
    library: new URL("../../mod.ts", import.meta.url).href,
    environment: Deno.env.toObject(),
    platform: Deno.build.os,
    cacheFolder: `${folder}/cache`,
    store: [`${folder}/store.db`],
    ...options,
  });
  const link = new PluginLink(channel, {
    clock,
    answer: () => Promise.resolve([]),
    onLog: (line) => lines.push(line),
  }, { load: LATE, handle: LATE, abort: LATE, ...limits });
  link.onGone = (error) => gone.push(error);
  try {
    const url = module.startsWith("npm:") ? module : pathToFileURL(module).href;
    const description = await link.load(url);
    link.start(config, {});
    return { link, description, lines, gone };
  } catch (error) {
    await link.close();
    throw error;
  }
}

/** A call for a span's end. */
export function ended(position = 1, name = "orders.load"): HandlerCall {
  return {
    kind: "span",
    now: 1_700_000_000,
    event: {
      event: "ended",
      position,
      span: {
        traceId: "0af7651916cd43dd8448eb211c80319c",
        spanId: position.toString(16).padStart(16, "0"),
        parentSpanId: "b7ad6b7169203331",
        name,
        kind: "internal",
        startTime: 1_699_999_999,
        endTime: 1_700_000_000,
        duration: 1,
        status: "ok",
        attributes: {
          "spanloop.step.id": "load",
          "spanloop.step.type": "script",
          "spanloop.attempt.number": 1,
          "spanloop.batch.from": 20 * position,
          "spanloop.batch.to": 20 * position + 20,
          "spanloop.items.processed": 20,
          "spanloop.items.failed": 0,
          "spanloop.param.batch_size": 20,
          "spanloop.param.concurrency": 2,
          team: "data",
        },
        links: [],
        external: false,
        workflow: "import-orders",
        runId: "0190a7c2-8e1b-7cc3-9d1f-3a5c7e9b1d2f",
        role: "attempt",
        stepId: "load",
        attempt: 1,
        outcome: "succeeded",
        items: { processed: 20, failed: 0 },
      },
    },
  };
}

/** Calls `body` with a folder that is gone afterwards. */
export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "spanloop-sandbox-" }));
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
