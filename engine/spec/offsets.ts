import { lineEnd } from "./report.ts";
import type { Scalar } from "./tree.ts";

/**
 * Where in `text` the character at `offset` of the scalar's decoded value stands. For a folded block, whose
 * characters have no place of their own, undefined.
 */
export function sourceOffset(text: string, scalar: Scalar, offset: number): number | undefined {
  switch (scalar.style) {
    case "plain":
      return walk(text, scalar.from, scalar.to, offset, () => 1);
    case "single":
      return walk(
        text,
        scalar.from + 1,
        scalar.to - 1,
        offset,
        (at) => text[at] === "'" ? 2 : 1,
      );
    case "double":
      return walk(text, scalar.from + 1, scalar.to - 1, offset, (at) => {
        if (text[at] !== "\\") return 1;
        const digits = { x: 2, u: 4, U: 8 }[text[at + 1]];
        return 2 + (digits ?? 0);
      });
    case "literal":
      return literal(text, scalar, offset);
    case "folded":
      return undefined;
  }
}

// Flow scalars: each unit of source gives one character, save line breaks, which fold: one break is a
// space, n are n - 1 breaks, and the blanks around them vanish (YAML 1.2.2, 6.5).
function walk(
  text: string,
  from: number,
  to: number,
  offset: number,
  width: (at: number) => number,
): number | undefined {
  let at = from;
  for (let left = offset; at < to;) {
    const fold = /^[ \t]*(\r?\n[ \t]*)+/.exec(foldable(text, at, to));
    if (fold !== null) {
      const breaks = fold[0].split("\n").length - 1;
      const decoded = Math.max(1, breaks - 1);
      if (left < decoded) return at;
      left -= decoded;
      at += fold[0].length;
      continue;
    }
    if (text[at] === "\\" && width(at) > 1 && /[\r\n]/.test(text[at + 1])) {
      // An escaped line break joins two lines without a space.
      at += 1 + /^\r?\n[ \t]*/.exec(text.slice(at + 1, to))![0].length;
      continue;
    }
    if (left === 0) return at;
    // A long escape may stand for a surrogate pair.
    const wide = text[at] === "\\" && text[at + 1] === "U" &&
      parseInt(text.slice(at + 2, at + 10), 16) > 0xffff;
    left -= wide ? 2 : 1;
    at += width(at);
    if (left < 0) return at - width(at);
  }
  return to;
}

// Only a blank or a line break can begin a fold; anything else need not be matched.
function foldable(text: string, at: number, to: number): string {
  return " \t\r\n".includes(text[at]) ? text.slice(at, to) : "";
}

function literal(text: string, scalar: Scalar, offset: number): number | undefined {
  const value = String(scalar.value);
  const before = value.slice(0, offset);
  const line = before.split("\n").length - 1;
  const column = offset - (before.lastIndexOf("\n") + 1);
  // The header is `|`, then perhaps an indentation and a chomping indicator and a comment.
  let at = lineEnd(text, scalar.from);
  const explicit = /^\|[+-]?[1-9]/.test(text.slice(scalar.from, scalar.from + 3));
  const lines = value.split("\n");
  const filled = lines.findIndex((content) => content.trim() !== "");
  if (filled < 0 || explicit) return undefined;
  let indent = 0;
  let target = at;
  for (let index = 0; index <= Math.max(line, filled); index++) {
    at = text.indexOf("\n", at) + 1;
    if (at === 0) return undefined;
    if (index === line) target = at;
    if (index === filled) {
      const source = text.slice(at, lineEnd(text, at));
      indent = source.length - lines[filled].length;
    }
  }
  return target + indent + column;
}
