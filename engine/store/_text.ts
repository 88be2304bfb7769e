/**
 * Text that SQLite gives back as it was. node:sqlite cuts text at NUL when it reads, and UTF-8 has no lone
 * surrogates; such text is kept as JSON behind a mark. Everything else stays readable in the file. Equal
 * texts stay equal and different ones different, so the result serves as a key.
 */
export function toColumn(text: string): string {
  return text.startsWith(MARK) || text.includes("\0") || !text.isWellFormed()
    ? MARK + JSON.stringify(text)
    : text;
}

/** The text that `toColumn` was given. */
export function fromColumn(column: string): string {
  return column.startsWith(MARK) ? JSON.parse(column.slice(MARK.length)) : column;
}

/** What texts that a column cannot hold stand behind, as JSON. */
export const MARK = "\u0001";
