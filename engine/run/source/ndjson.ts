import { messageOf, StepError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { Format } from "./file.ts";

const NEWLINE = 10;

/** Newline-delimited JSON: one value a line; blank lines are no items. */
export const NDJSON: Format = {
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
      if (line === "" || line.trim() === "") continue;
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
      return withoutMark(bytes);
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
    return withoutMark(kept.subarray(0, length));
  },
};

function lines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

// A program that reads lines takes a byte order mark for a part of the first one.
function withoutMark(bytes: Uint8Array): Uint8Array {
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return marked ? bytes.subarray(3) : bytes;
}

/** Bytes as text; a byte order mark is dropped. Throws StepError for what is no UTF-8. */
export function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new StepError("items.parse", `${path} is not UTF-8 text; convert it first`, { cause });
  }
}
