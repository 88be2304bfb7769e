import type { Problem } from "./problem.ts";

/** A piece of a text: as it stands, or an expression between `${{` and `}}`. */
export type Part =
  | { readonly kind: "text"; readonly text: string }
  | {
    readonly kind: "expression";
    /** The expression, without its braces. */
    readonly source: string;
    /** Where `${{` starts. */
    readonly from: number;
    /** One past `}}`. */
    readonly to: number;
  };

/** The braces' length, from `${{` to the expression's first character. */
export const OPENING = 3;

/** Whether a text needs looking into at all. */
export function hasExpressions(text: string): boolean {
  return text.includes("${{");
}

/**
 * Splits a text at its expressions. `$${{` stands for the characters `${{` themselves; `}}` inside a CEL
 * text or a map literal does not end an expression.
 */
export function partsOf(text: string): { parts: Part[]; problems: Problem[] } {
  const parts: Part[] = [];
  let plain = "";
  let at = 0;
  while (at < text.length) {
    const from = text.indexOf("${{", at);
    if (from < 0) break;
    if (from > at && text[from - 1] === "$") {
      plain += text.slice(at, from - 1) + "${{";
      at = from + OPENING;
      continue;
    }
    plain += text.slice(at, from);
    const end = endOf(text, from + OPENING);
    if (typeof end !== "number") {
      return { parts, problems: [{ from, to: from + OPENING, ...end }] };
    }
    if (plain !== "") parts.push({ kind: "text", text: plain });
    plain = "";
    at = end + 2;
    parts.push({ kind: "expression", source: text.slice(from + OPENING, end), from, to: at });
  }
  plain += text.slice(at);
  if (plain !== "") parts.push({ kind: "text", text: plain });
  return { parts, problems: [] };
}

// Where the closing braces start.
function endOf(text: string, start: number): number | { code: string; message: string } {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    switch (text[at]) {
      case "'":
      case '"':
        at = endOfQuote(text, at);
        break;
      case "{":
        depth++;
        break;
      case "}":
        if (depth > 0) depth--;
        else if (text[at + 1] === "}") return at;
    }
  }
  const message = "This `${{` is not closed: `}}` is missing, or a quote inside is not closed;" +
    " write `$${{` for the characters themselves";
  return { code: "unclosed-expression", message };
}

// The index of the last character of the CEL text that starts at `at`, or the end when it is not closed.
function endOfQuote(text: string, at: number): number {
  const quote = text[at];
  const fence = text.startsWith(quote.repeat(3), at) ? quote.repeat(3) : quote;
  // After a backslash the parser skips one character, in r"..." too.
  for (let i = at + fence.length; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text.startsWith(fence, i)) return i + fence.length - 1;
  }
  return text.length;
}
