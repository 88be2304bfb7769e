import type { Json } from "../core/json.ts";
import type { Expression, Template } from "../core/scope.ts";
import { compilePart } from "./compile.ts";
import type { Environment } from "./environment.ts";
import { ExpressionError } from "./error.ts";
import { hasExpressions, OPENING, type Part, partsOf } from "./_parts.ts";
import type { Problem } from "./problem.ts";
import { type Place, ShellScanner } from "./_shell_scanner.ts";
import { constant, joined, shifted } from "./template.ts";
import { textOf } from "./_values.ts";

type Hole = Part & { kind: "expression" };

/**
 * Compiles a shell text (V2): each expression becomes exactly one quoted word, or the part of one that it is joined
 * to. An expression where that cannot be (in quotes, here-documents, backticks, arithmetic, expansions,
 * comments) is a problem whose message shows the right form. `raw()` around a whole expression puts the value
 * in as it is, anywhere; `raw` lists where. `$${{` stands for `${{` itself.
 */
export function compileShell(
  text: string,
  environment: Environment,
): { template?: Template; problems: Problem[]; raw: { from: number; to: number }[] } {
  if (!hasExpressions(text)) return { template: constant(text), problems: [], raw: [] };
  const { parts, problems } = partsOf(text);
  const places = placesOf(parts);
  const raw: { from: number; to: number }[] = [];
  const compiled: (string | Expression)[] = [];
  const isRaw: boolean[] = [];
  for (const [i, part] of parts.entries()) {
    if (part.kind === "text") {
      compiled.push(part.text);
      continue;
    }
    const result = compilePart(part.source, environment, true);
    problems.push(...result.problems.map((problem) => shifted(problem, part.from + OPENING)));
    if (result.raw) raw.push({ from: part.from, to: part.to });
    else problems.push(...misplaced(part, places.get(part)!, parts, places));
    isRaw[i] = result.raw;
    if (result.expression !== undefined) compiled.push(result.expression);
  }
  if (problems.length > 0) return { problems, raw };
  if (compiled.every((part) => typeof part === "string")) {
    return { template: constant(compiled.join("")), problems, raw };
  }
  const write = (value: Json, i: number) => isRaw[i] ? textOf(value) : quoteWord(value);
  return { template: joined(compiled, write), problems, raw };
}

/**
 * Writes a value as exactly one POSIX shell word: text as it is, null as the empty word, lists and objects as
 * JSON. Throws ExpressionError for a NUL, which no argument can hold.
 */
export function quoteWord(value: Json): string {
  const text = textOf(value);
  if (text.includes("\0")) {
    throw new ExpressionError(
      "A shell word cannot hold a NUL character; remove it with .replace(), or pass the value in a file",
    );
  }
  return `'${text.replaceAll("'", "'\\''")}'`;
}

// In the scanned text one character stands for each expression.
function placesOf(parts: readonly Part[]): ReadonlyMap<Part, Place & { readonly at: number }> {
  const text = scannedText(parts);
  const holes: number[] = [];
  let at = 0;
  for (const part of parts) {
    if (part.kind === "expression") holes.push(at);
    at += part.kind === "text" ? part.text.length : 1;
  }
  const places = new ShellScanner(text, holes).scan();
  const expressions = parts.filter((part) => part.kind === "expression");
  return new Map(expressions.map((part, i) => [part, { ...places[i], at: holes[i] }]));
}

function scannedText(parts: readonly Part[]): string {
  return parts.map((part) => part.kind === "text" ? part.text : "x").join("");
}

function misplaced(
  hole: Hole,
  place: Place,
  parts: readonly Part[],
  places: ReadonlyMap<Part, Place & { readonly at: number }>,
): Problem[] {
  if (place.context === "word") return [];
  const message = advice(hole, place, parts, places);
  return [{ from: hole.from, to: hole.to, code: `shell-${place.context}`, message }];
}

const LONGEST_FORM = 120;

function advice(
  hole: Hole,
  place: Place,
  parts: readonly Part[],
  places: ReadonlyMap<Part, Place & { readonly at: number }>,
): string {
  const shown = show(hole);
  const variable = `value=${shown}`;
  switch (place.context) {
    case "single":
    case "double":
      return `An expression is a quoted word already and cannot stand inside quotes: write ${
        unquoted(hole, place, parts, places)
      }`;
    case "heredoc": {
      const { word, quoted } = place.delimiter!;
      return "An expression cannot stand in a here-document: write " +
        `${variable} on a line before it and $value in its place` +
        (quoted ? `, with <<${word} unquoted` : "");
    }
    case "delimiter":
      return "An expression cannot be a here-document's delimiter; write a fixed word";
    case "backtick":
      return `An expression cannot stand inside backticks: write $(... ${shown} ...)`;
    case "arithmetic":
      return `An expression cannot stand inside $(( )): write ${variable} on a line before, and value here` +
        ", or do the arithmetic in the expression";
    case "expansion":
      return `An expression cannot stand inside \${ }: write ${variable} on a line before, and $value here`;
    case "comment":
      return "An expression cannot stand in a comment, which a value with a line break would end: " +
        `take it out, or write $${shown} for the characters themselves`;
    case "escaped":
      return `The backslash would undo the expression's quotes: write ${shown} without it`;
    default:
      return `Cannot tell for sure how every shell reads this place: write ${variable}` +
        ` on a line at the top, and "$value" here`;
  }
}

function show({ source }: Hole): string {
  const text = source.trim().replaceAll(/\s+/g, " ");
  return `\${{ ${text.length <= 60 ? text : `${text.slice(0, 57)}...`} }}`;
}

// The quoted text with its expressions outside the quotes: "hello "${{ params.name }}
function unquoted(
  hole: Hole,
  { context, around }: Place,
  parts: readonly Part[],
  places: ReadonlyMap<Part, Place & { readonly at: number }>,
): string {
  const quote = context === "single" ? "'" : '"';
  const text = scannedText(parts);
  const { from, to } = around!;
  const wrap = (piece: string) => piece === "" ? "" : quote + piece + quote;
  let form = "";
  let piece = "";
  let at = from + 1;
  for (const [part, place] of places) {
    if (part.kind !== "expression" || place.at <= from || place.at >= to - 1) continue;
    piece += text.slice(at, place.at);
    at = place.at + 1;
    if (place.around?.from === from) {
      form += wrap(piece) + show(part);
      piece = "";
    } else piece += show(part);
  }
  form += wrap(piece + text.slice(at, Math.max(at, to - 1)));
  if (form.length <= LONGEST_FORM && !form.includes("\n")) return form;
  return `${quote}...${quote}${show(hole)}${quote}...${quote}`;
}
