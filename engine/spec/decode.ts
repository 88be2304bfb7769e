import { Report } from "./report.ts";

/** The largest workflow file, in bytes; one of 10,000 full steps is about 2.5 MB. */
export const LARGEST_FILE = 4 * 1024 * 1024;

/**
 * The text of a file's bytes, without a byte order mark, and the report on it. When the bytes are no text
 * that YAML takes, the report says where and the text is undefined.
 */
export function decode(
  bytes: Uint8Array,
  display: string,
): { text?: string; report: Report } {
  if (bytes.length > LARGEST_FILE) {
    const report = new Report("", display);
    const size = (bytes.length / 1024 / 1024).toFixed(1);
    report.add({
      from: 0,
      to: 1,
      code: "too-large",
      message: `the file has ${size} MiB, a workflow may have ${LARGEST_FILE / 1024 / 1024} MiB; ` +
        "read long lists from a file with for_each, or split the workflow",
    });
    return { report };
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return { report: invalidBytes(bytes, display) };
  }
  const report = new Report(text, display);
  // deno-lint-ignore no-control-regex
  const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.exec(text);
  if (control !== null) {
    const code = control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    report.add({
      from: control.index,
      to: control.index + 1,
      code: "control-character",
      message: `the character U+${code}${
        code === "0000" ? " (NUL)" : ""
      } is not allowed in YAML; remove it, or write it as an escape in double quotes`,
    });
    return { report };
  }
  return { text, report };
}

// Finds the first bytes that are no UTF-8: the longest prefix that decodes ends before them.
function invalidBytes(bytes: Uint8Array, display: string): Report {
  let low = 0;
  let high = bytes.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (decodes(bytes.subarray(0, middle))) low = middle;
    else high = middle - 1;
  }
  // What is left may end with the start of a character that the wrong byte cuts off.
  for (let back = 1; back <= Math.min(3, low); back++) {
    const byte = bytes[low - back];
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    if ((byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back) low -= back;
    break;
  }
  const before = new TextDecoder("utf-8").decode(bytes.subarray(0, low), { stream: true });
  const text = new TextDecoder("utf-8").decode(bytes);
  const report = new Report(text, display);
  const hex = (bytes[low] ?? 0).toString(16).toUpperCase().padStart(2, "0");
  report.add({
    from: before.length,
    to: before.length + 1,
    code: "encoding",
    message: `the byte 0x${hex} here is not UTF-8; save the file as UTF-8`,
  });
  return report;
}

function decodes(bytes: Uint8Array): boolean {
  try {
    // A prefix may end within a character; only a wrong byte counts.
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
