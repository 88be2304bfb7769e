/** The workflow of the README of the plugin backpressure, in a real engine. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { createEngine, type Engine, type RunReport } from "../../engine/engine.ts";

const README = new URL("../../plugins/backpressure/README.md", import.meta.url);

/** The README's workflow in a folder of its own, ready to run. */
export interface Scene {
  /** The engine. */
  readonly engine: Engine;
  /** The workflow's file, absolute. */
  readonly file: string;
  /** Runs it for so many items; with a given concurrency, which nothing changes, or with the tuned one. */
  run(items: number, concurrency?: number): Promise<RunReport>;
}

/** Uses the workflow against the server at `url`; `retry` replaces what it says of that. */
export async function withWorkflow(
  url: string,
  use: (scene: Scene) => Promise<void>,
  retry?: string,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-backpressure-" });
  const file = join(folder, "calls.yaml");
  const engine = await createEngine({
    near: folder,
    store: `sqlite:${folder}/store.db`,
    durability: "normal",
  });
  try {
    await Deno.writeTextFile(file, await workflowFor(url, retry));
    const run = async (items: number, concurrency?: number) => {
      const lines = Array.from({ length: items }, (_, i) => `${i}\n`);
      await Deno.writeTextFile(join(folder, `${items}.ndjson`), lines.join(""));
      const text: Record<string, string> = { items: String(items) };
      if (concurrency !== undefined) text.concurrency = String(concurrency);
      const report = await engine.run(file, { given: { text } });
      assert.equal(report.status, "succeeded", JSON.stringify(report.error));
      return report;
    };
    await use({ engine, file, run });
  } finally {
    await engine.close();
    await Deno.remove(folder, { recursive: true });
  }
}

async function workflowFor(url: string, retry = "attempts: 5"): Promise<string> {
  const [, yaml] = (await Deno.readTextFile(README)).match(/^```yaml\n([\s\S]*?)^```$/m)!;
  const text = yaml.replace("http://127.0.0.1:8080/", url)
    .replace('list: ["1", "2", "3"]', 'file: "${{ params.items }}.ndjson"')
    .replace("attempts: 5", retry)
    .replace("params:\n", "params:\n  items: { type: integer, default: 3 }\n");
  for (const part of [url, "params.items", retry]) assert.ok(text.includes(part), text);
  return text;
}
