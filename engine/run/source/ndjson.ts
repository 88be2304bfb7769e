import type { FileHandle } from "node:fs/promises";
import { messageOf, StepError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { Format } from "./file.ts";

const NEWLINE = 10;

// What `blank` says of bytes: no other white space, which JSON does not have.
const BLANK = /^[ \t\r]*$/;

/** Newline-delimited JSON: one value a line; blank lines are no items. */
const NDJSON: Format = {
  recordEnd(bytes, from, end) {
    const at = bytes.indexOf(NEWLINE, from);
    return at < 0 || at >= end ? -1 : at + 1;
  },
  blank(bytes, from, to) {
    // Almost always the first byte tells.
    for (let i = from; i < to; i++) {
      const byte = bytes[i];
      if (byte !== 32 && byte !== 9 && byte !== 13 && byte !== NEWLINE) return false;
    }
    return true;
  },
  parse(bytes, firstItem, path) {
    const items: Json[] = [];
    for (const line of decode(bytes, path).split("\n")) {
      if (line === "" || BLANK.test(line)) continue;
      try {
        items.push(JSON.parse(line));
      } catch (cause) {
        throw new StepError(
          "items.parse",
          `${path}: item ${firstItem + items.length + 1} is not JSON: ${messageOf(cause)}: ${
            line.slice(0, 120)
          }`,
          { cause },
        );
      }
    }
    return items;
  },
  ndjson(bytes, size) {
    if (bytes.length > 0 && bytes[bytes.length - 1] === NEWLINE && lines(bytes) === size) {
      return bytes;
    }
    const kept = new Uint8Array(bytes.length + 1);
    let length = 0;
    for (let from = 0; from < bytes.length;) {
      const newline = bytes.indexOf(NEWLINE, from);
      const to = newline < 0 ? bytes.length : newline;
      if (!NDJSON.blank(bytes, from, to)) {
        kept.set(bytes.subarray(from, to), length);
        length += to - from;
        kept[length++] = NEWLINE;
      }
      from = to + 1;
    }
    return kept.subarray(0, length);
  },
};

function lines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

/** NDJSON of a file, begun behind its byte order mark: no item has it, and no line of a program's stdin. */
export async function ndjson(
  file: FileHandle,
): Promise<{ readonly format: Format; readonly start: number }> {
  const head = new Uint8Array(3);
  const { bytesRead } = await file.read(head, 0, 3, 0);
  const marked = bytesRead === 3 && head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf;
  return { format: NDJSON, start: marked ? 3 : 0 };
}

/** Bytes as text; a byte order mark is dropped. Throws StepError for what is no UTF-8. */
export function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new StepError("items.parse", `${path} is not UTF-8 text; convert it first`, { cause });
  }
}
