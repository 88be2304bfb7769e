import type { Connection } from "./_connection.ts";
import { fromColumn, MARK, toColumn } from "./_text.ts";

/** Values that the project keeps by key. All of it runs inside a caller's transaction or read. */
export class Items {
  readonly #db: Connection;

  /** Works on a connection. */
  constructor(db: Connection) {
    this.#db = db;
  }

  /** As Store.getItem. */
  get(key: string): string | undefined {
    const row = this.#db.statement("SELECT value FROM items WHERE key = ?").get(toColumn(key)) as
      | { value: string }
      | undefined;
    return row === undefined ? undefined : fromColumn(row.value);
  }

  /** Sets items, and deletes those that are null. */
  write(items: Readonly<Record<string, string | null>>): void {
    const set = this.#db.statement("INSERT OR REPLACE INTO items (key, value) VALUES (?, ?)");
    const remove = this.#db.statement("DELETE FROM items WHERE key = ?");
    for (const [key, value] of Object.entries(items)) {
      if (value === null) remove.run(toColumn(key));
      else set.run(toColumn(key), toColumn(value));
    }
  }

  /** As Store.items. */
  list(prefix: string): Map<string, string> {
    // A column has the key's text as far as it can hold it: up to the first NUL or lone surrogate. A key with such
    // a character, wherever it is, stands behind the mark instead.
    const [plain] = /^[^\0\p{Surrogate}]*/u.exec(prefix)!;
    const rows = [...this.#from(plain), ...this.#from(MARK)].map((row) =>
      [fromColumn(row.key), row.value] as const
    );
    return new Map(
      rows.filter(([key]) => key.startsWith(prefix))
        .sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0)
        .map(([key, value]) => [key, fromColumn(value)]),
    );
  }

  // Not LIKE, which has wildcards. No character of UTF-8 has a byte as large as the one that ends the range.
  #from(start: string): { key: string; value: string }[] {
    return this.#db.statement(
      "SELECT key, value FROM items WHERE key >= ?1 AND key < ?1 || CAST(x'ff' AS TEXT)",
    ).all(start) as unknown as { key: string; value: string }[];
  }
}
