import type { Surroundings } from "./assembly.ts";
import { messageOf } from "./core/errors.ts";
import type { PluginUse } from "./core/plugin_use.ts";
import { findPlugin } from "./plugin_places.ts";

// An editor writes a file in several steps; they are one change.
const SETTLED_MS = 200;

/** Watches the folders of plugins, and says which files have changed. */
export class PluginWatch {
  readonly #surroundings: Pick<Surroundings, "clock" | "log">;
  readonly #signal: AbortSignal;
  readonly #onChange: (paths: readonly string[]) => Promise<void>;
  readonly #watched = new Map<string, Deno.FsWatcher>();
  readonly #changed = new Set<string>();
  #cancel: (() => void) | undefined;

  /** Watches until `signal` aborts. */
  constructor(
    surroundings: Pick<Surroundings, "clock" | "log">,
    signal: AbortSignal,
    onChange: (paths: readonly string[]) => Promise<void>,
  ) {
    this.#surroundings = surroundings;
    this.#signal = signal;
    this.#onChange = onChange;
    signal.addEventListener("abort", () => {
      this.#cancel?.();
      for (const watcher of this.#watched.values()) watcher.close();
    }, { once: true });
  }

  /** Watches the folders of these as well. */
  add(uses: readonly PluginUse[]): void {
    for (const use of uses) {
      const place = findPlugin(use);
      if (!("folder" in place) || this.#watched.has(place.folder) || this.#signal.aborted) continue;
      const watcher = Deno.watchFs(place.folder);
      this.#watched.set(place.folder, watcher);
      void this.#follow(place.folder, watcher);
    }
  }

  async #follow(folder: string, watcher: Deno.FsWatcher): Promise<void> {
    const { clock, log } = this.#surroundings;
    try {
      for await (const { kind, paths } of watcher) {
        if (kind === "access") continue;
        for (const path of paths) this.#changed.add(path);
        this.#cancel?.();
        this.#cancel = clock.after(SETTLED_MS, () => void this.#tell());
      }
    } catch (thrown) {
      log.log({ severity: "error", body: `cannot watch ${folder}: ${messageOf(thrown)}` });
    }
  }

  async #tell(): Promise<void> {
    const paths = [...this.#changed].filter((path) => /\.([cm]?[jt]sx?|json)$/.test(path));
    this.#changed.clear();
    if (paths.length > 0) await this.#onChange(paths);
  }
}
