import { dirname, join } from "node:path";
import { createEngine, type Engine } from "../../engine/engine.ts";

/** A folder with workflows and what they need, and a store in it. */
export interface EngineFolder {
  /** Absolute. */
  readonly folder: string;
  /** The store: `sqlite:FILE`. */
  readonly store: string;
  /** Uses an engine of its own, which is closed once its plugins have heard all. */
  engine<T>(use: (engine: Engine) => Promise<T>): Promise<T>;
}

/** Runs a test in a folder of its own with these files, by their paths in it. */
export async function inEngineFolder(
  files: Readonly<Record<string, string>>,
  test: (scene: EngineFolder) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-e2e-" });
  const store = `sqlite:${folder}/store.db`;
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = join(folder, name);
      await Deno.mkdir(dirname(path), { recursive: true });
      await Deno.writeTextFile(path, text);
    }
    await test({
      folder,
      store,
      async engine(use) {
        // The longest that it waits for its plugins: no more than a bound.
        const engine = await createEngine({
          near: folder,
          store,
          durability: "normal",
          drainMs: 60_000,
        });
        try {
          return await use(engine);
        } finally {
          await engine.close();
        }
      },
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
