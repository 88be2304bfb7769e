/** A mistake in a file, with its place. Lines and columns count from 1, in UTF-16 units. */
export interface Diagnostic {
  /** The file's path as the person wrote it. */
  readonly file: string;
  /** The line, from 1. */
  readonly line: number;
  /** The column, from 1. */
  readonly column: number;
  /** How many characters the caret underlines, at least 1. */
  readonly length: number;
  /** `error` refuses the file; `warning` does not. */
  readonly severity: "error" | "warning";
  /** A stable name of the rule, such as `unknown-key`. */
  readonly code: string;
  /** What is wrong and what to do. */
  readonly message: string;
  /** The nearest valid name, if one is near. */
  readonly suggestion?: string;
  /** The source line, without its line end. */
  readonly source: string;
}

const WIDTH = 160;

/** Renders a diagnostic as `file:line:column`, the message, the source line and a caret; no colour. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, severity, message, suggestion } = diagnostic;
  const head = `${file}:${line}:${column}: ${severity}: ${message}` +
    (suggestion === undefined ? "" : `; did you mean \`${suggestion}\`?`);
  const from = Math.max(0, column - 1 - WIDTH / 2);
  const text = diagnostic.source.slice(from, from + WIDTH);
  const at = column - 1 - from;
  const pad = text.slice(0, at).replace(/[^\t]/g, " ");
  const carets = "^".repeat(
    Math.max(1, Math.min(diagnostic.length, text.length - at)),
  );
  const gutter = String(line).length;
  return [
    head,
    `${" ".repeat(gutter)} |`,
    `${line} | ${visible(text)}`,
    `${" ".repeat(gutter)} | ${pad}${carets}`,
  ].join("\n");
}

// A terminal must not obey control characters of a hostile file.
function visible(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\u00b7");
}

/** The candidate nearest to `name` by edit distance, if near enough to be meant. */
export function nearest(
  name: string,
  candidates: Iterable<string>,
): string | undefined {
  const wanted = name.toLowerCase().replaceAll("-", "_");
  let best: string | undefined;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase(), least);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

// Optimal string alignment distance (Damerau-Levenshtein with adjacent transpositions), cut at `limit`.
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let value = Math.min(
        previous[j] + 1,
        row[j - 1] + 1,
        previous[j - 1] + cost,
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        value = Math.min(value, before[j - 2] + 1);
      }
      row.push(value);
    }
    [before, previous] = [previous, row];
  }
  return previous[b.length];
}
