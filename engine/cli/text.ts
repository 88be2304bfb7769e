/** Text as a terminal shows it: made safe, measured in columns, cut to fit. */

// Whole escape sequences first (CSI; OSC, DCS and their like up to the terminator; two-character ones), so that
// no half of one is left behind as text.
const ESCAPES =
  // deno-lint-ignore no-control-regex
  /\u001b\[[0-?]*[ -/]*[@-~]|\u001b[\]PX^_][^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]|\u009b[0-?]*[ -/]*[@-~]/g;
// C0 but tab and line feed, DEL, C1, and the marks that reorder or hide text (a file name could lie with them).
const CONTROLS =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
// Our own colours, which measure nothing.
// deno-lint-ignore no-control-regex
const SGR = /\u001b\[[0-9;]*m/g;
// deno-lint-ignore no-control-regex
const SGR_APART = /(\u001b\[[0-9;]*m)/;
const PLAIN = /^[\x20-\x7e]*$/;

/** `text` as one line that a terminal cannot be tricked with: no escapes or controls, tabs as spaces. */
export function clean(text: string): string {
  if (PLAIN.test(text)) return text;
  return lines(text).join(" ↵ ");
}

/** The lines of `text`, each made safe; a line that was redrawn with carriage returns as it last stood. */
export function lines(text: string): string[] {
  const whole = text.replace(ESCAPES, "").replace(/\r?\n$/, "");
  return whole.split(/\r?\n/).map((line) => {
    const last = line.split("\r").filter((part) => part !== "").at(-1) ?? "";
    return expandTabs(last.replace(CONTROLS, ""));
  });
}

function expandTabs(line: string): string {
  if (!line.includes("\t")) return line;
  let result = "";
  for (const part of line.split(/(\t)/)) {
    result += part === "\t" ? " ".repeat(8 - width(result) % 8) : part;
  }
  return result;
}

/** How many columns `text` takes on a terminal; our own colours take none. */
export function width(text: string): number {
  const bare = text.includes("\u001b") ? text.replace(SGR, "") : text;
  if (PLAIN.test(bare)) return bare.length;
  let columns = 0;
  for (const cluster of clusters(bare)) columns += clusterWidth(cluster);
  return columns;
}

/** `text` cut to at most `columns`, with an ellipsis where something is missing; colours are closed. */
export function fit(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  if (columns <= 0) return "";
  let result = "";
  let used = 0;
  for (const part of text.split(SGR_APART)) {
    if (part.startsWith("\u001b")) {
      result += part;
      continue;
    }
    for (const cluster of clusters(part)) {
      const wide = clusterWidth(cluster);
      if (used + wide > columns - 1) {
        return `${result}…${result.includes("\u001b") ? "\u001b[0m" : ""}`;
      }
      result += cluster;
      used += wide;
    }
  }
  return result;
}

/** `text` filled with spaces to `columns`, at its end or, for figures, at its start. */
export function pad(text: string, columns: number, side: "end" | "start" = "end"): string {
  const fill = " ".repeat(Math.max(0, columns - width(text)));
  return side === "end" ? text + fill : fill + text;
}

/**
 * Breaks `text` between words into lines of at most `columns`; a figure and its %, and what stands on both sides of `/`
 * or `*` in an expression, stay together.
 */
export function wrap(text: string, columns: number): string[] {
  return fill(text.split(/(?<! [/*]) (?!%|[/*] )/), columns);
}

/** Puts `parts` after one another, a space between them, into lines of at most `columns`; no part is broken. */
export function fill(parts: readonly string[], columns: number): string[] {
  const result: string[] = [];
  let line = "";
  for (const part of parts) {
    if (line !== "" && width(line) + 1 + width(part) > columns) {
      result.push(line);
      line = part;
    } else {
      line = line === "" ? part : `${line} ${part}`;
    }
  }
  result.push(line);
  return result;
}

/** A paragraph of text, or of parts that are not broken, with all lines but the first indented by two columns. */
export function hanging(text: string | readonly string[], columns: number): string[] {
  const lines = typeof text === "string" ? wrap(text, columns - 2) : fill(text, columns - 2);
  return lines.map((line, index) => index === 0 ? line : `  ${line}`);
}

/** A paragraph with all lines indented. */
export function indented(text: string, by: number, columns: number): string[] {
  return wrap(text, columns - by).map((line) => " ".repeat(by) + line);
}

/**
 * Whether a terminal of fewer than the usual 80 columns is too narrow for these lines with `margin` columns beside them:
 * what they say is told in paragraphs then, rather than cut or broken anywhere.
 */
export function isCramped(lines: readonly string[], columns: number, margin = 0): boolean {
  return columns < 80 && lines.some((line) => width(line) + margin > columns);
}

let segmenter: Intl.Segmenter | undefined;

function* clusters(text: string): Iterable<string> {
  if (PLAIN.test(text)) {
    yield* text;
    return;
  }
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  for (const { segment } of segmenter.segment(text)) yield segment;
}

function clusterWidth(cluster: string): number {
  if (cluster.includes("\ufe0f")) return 2;
  const code = cluster.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (/^[\p{Mn}\p{Me}\p{Cf}]/u.test(cluster)) return 0;
  return isWide(code) ? 2 : 1;
}

// East Asian wide and full-width blocks and emoji (Unicode Standard Annex 11), whole blocks at a time.
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x23e9, 0x23ec],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18aff],
  [0x1b000, 0x1b2ff],
  [0x1f1e6, 0x1f1ff],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f7e0, 0x1f7eb],
  [0x1f900, 0x1faff],
  [0x20000, 0x3fffd],
];

function isWide(code: number): boolean {
  return WIDE.some(([from, to]) => code >= from && code <= to);
}
