import type { FileHandle } from "node:fs/promises";
import { parse } from "csv-parse/sync";
import { messageOf, SpanloopError, StepError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { Format } from "./file.ts";
import { decode } from "./ndjson.ts";

const QUOTE = 34;
const NEWLINE = 10;
const LONGEST_HEADER = 1 << 20;

/**
 * Comma-separated values (RFC 4180) with a header line: each row is an object keyed by the header (V1). A line
 * end inside quotes belongs to its field.
 */
export async function csv(
  file: FileHandle,
  path: string,
): Promise<{ readonly format: Format; readonly start: number }> {
  const head = new Uint8Array(LONGEST_HEADER);
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  let start = recordEnd(head, 0, bytesRead);
  if (start < 0) {
    if (bytesRead === LONGEST_HEADER) {
      throw new SpanloopError("for_each.file", `${path}: its first MiB holds no whole header line`);
    }
    start = bytesRead;
  }
  const columns = rows(head.subarray(0, start), path, 0, false)[0] as readonly string[] | undefined;
  if (columns === undefined) {
    throw new SpanloopError(
      "for_each.file",
      `${path} is empty: a CSV file begins with a header line`,
    );
  }
  const twice = columns.find((name, i) => columns.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new SpanloopError("for_each.file", `${path}: the header names the column ${twice} twice`);
  }
  return {
    start,
    format: {
      recordEnd,
      blank: (bytes, from, to) =>
        from === to || bytes[from] === NEWLINE || (bytes[from] === 13 && to - from <= 2),
      parse: (bytes, firstItem) => rows(bytes, path, firstItem, [...columns]) as readonly Json[],
    },
  };
}

// A line end ends the record unless an odd number of quotes, escaped ones included, stands before it.
function recordEnd(bytes: Uint8Array, from: number, end: number): number {
  let quoted = false;
  for (let at = from; at < end; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) quoted = !quoted;
    else if (byte === NEWLINE && !quoted) return at + 1;
  }
  return -1;
}

function rows(
  bytes: Uint8Array,
  path: string,
  firstItem: number,
  columns: string[] | false,
): readonly unknown[] {
  try {
    return parse(decode(bytes, path), { columns, skip_empty_lines: true, bom: true });
  } catch (cause) {
    if (cause instanceof StepError) throw cause;
    // The parser counts from the batch's first row; a header has no items before it.
    const { records = 0 } = cause as { records?: number };
    const where = columns === false ? "the header line" : `item ${firstItem + records + 1}`;
    const why = messageOf(cause).replace(/ (on|at) line \d+/, "");
    throw new StepError("items.parse", `${path}: ${where} is not CSV: ${why}`, { cause });
  }
}
