import { StoreError } from "../core/errors.ts";
import type { Store } from "../core/store.ts";

/** How to open a store. */
export interface OpenOptions {
  /**
   * `full`: a commit survives a crash of the machine. `normal`: only one of the process, and is several
   * times as fast. A `memory:` store survives neither.
   */
  readonly durability: "full" | "normal";
  /** Whether a file that is not there is made; yes when absent. */
  readonly create?: boolean;
  /** Whether to open for reading only, which also works where nothing can be written; no when absent. */
  readonly readOnly?: boolean;
}

/**
 * Opens `sqlite:/absolute/path.db` or `memory:`, loading only the driver that is asked for. Throws
 * StoreError `store.invalid` for any other location, else with the codes of `Store`.
 */
export async function openStore(location: string, options: OpenOptions): Promise<Store> {
  if (location === "memory:") {
    const { openMemory } = await import("./memory.ts");
    return openMemory();
  }
  const file = location.startsWith("sqlite:") ? location.slice("sqlite:".length) : "";
  if (!file.startsWith("/") || file.endsWith("/") || file.includes("\0")) {
    throw new StoreError(
      "store.invalid",
      `Cannot open the store ${
        JSON.stringify(location)
      }: name it as sqlite:/path/to/file.db with ` +
        "an absolute path, or as memory:",
      { exitCode: 2 },
    );
  }
  const { openSqlite } = await import("./sqlite.ts");
  return openSqlite(file, {
    durability: options.durability,
    create: options.create ?? true,
    readOnly: options.readOnly ?? false,
  });
}
