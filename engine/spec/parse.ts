import { type Document, isCollection, isPair, isScalar, Lexer, parseDocument } from "yaml";
import { Builder } from "./build.ts";
import { Report } from "./report.ts";
import { List, Mapping, type Node } from "./tree.ts";

// Flow collections within one another, and columns of indentation or of `- - -`: no person comes near them,
// and what stays below cannot exhaust the stack of a recursive parser.
const DEEPEST_FLOW = 100;
const DEEPEST_INDENT = 200;
// Closing brackets without an opening one: the parser makes an error of each.
const MOST_STRAY = 1_000;

// Below this size a file is parsed in one piece.
const SMALL = 128 * 1024;
const CHUNK = 4 * 1024;

/**
 * Reads YAML 1.2 into a tree; undefined, with the reasons in the report, when it cannot be read. `optional`: a text
 * that holds nothing is an empty mapping, otherwise a mistake.
 */
export function parse(text: string, report: Report, optional = false): Node | undefined {
  if (tooDeep(text, report)) return undefined;
  return inPieces(text) ?? whole(text, report, optional);
}

function document(text: string): Document.Parsed {
  // Hostile text gives an error per character, and most of an error's cost is its stack, which nobody reads.
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return read(text);
  } finally {
    Error.stackTraceLimit = limit;
  }
}

function read(text: string): Document.Parsed {
  return parseDocument(text, {
    version: "1.2",
    schema: "core",
    // At `silent` a second document would not be told.
    logLevel: "error",
    prettyErrors: false,
    // Quadratic in the number of keys; the builder finds duplicates.
    uniqueKeys: false,
    keepSourceTokens: false,
  }) as Document.Parsed;
}

function whole(text: string, report: Report, optional: boolean): Node | undefined {
  const parsed = document(text);
  if (parsed.errors.length > 0) {
    const lines = new Set<number>();
    // What follows the first errors is mostly their echo.
    for (const error of parsed.errors) {
      const line = report.line(error.pos[0]);
      if (lines.has(line) || lines.size === 3) continue;
      lines.add(line);
      const quote = /closing ['"]quote/.test(error.message) && lastQuoted(parsed.contents);
      let from = quote ? quote[0] : error.pos[0];
      if (!quote) { while (text[from] === " ") from++; }
      report.add({
        from,
        to: Math.max(error.pos[1], from + 1),
        code: "yaml",
        message: quote
          ? "this quote is not closed"
          : syntaxMessage(error.code, error.message, text, from),
      });
    }
    return undefined;
  }
  if (parsed.directives?.yaml.version !== "1.2") {
    report.add({
      from: 0,
      to: 5,
      code: "yaml",
      message: "Spanloop reads YAML 1.2; remove the %YAML line",
    });
    return undefined;
  }
  if (parsed.contents === null) {
    if (optional) return new Mapping([], 0, 0, 1);
    report.add({ from: 0, to: 1, code: "empty", message: EMPTY });
    return undefined;
  }
  const node = new Builder(text, 0, report).build(parsed.contents);
  return report.failed ? undefined : node;
}

// The place of the last quoted scalar: a quote that is not closed runs to the end of the file.
function lastQuoted(node: unknown): [number, number] | undefined {
  if (isScalar(node)) {
    return node.type?.startsWith("QUOTE") && node.range
      ? [node.range[0], node.range[1]]
      : undefined;
  }
  if (isPair(node)) return lastQuoted(node.value) ?? lastQuoted(node.key);
  return isCollection(node) ? lastQuoted(node.items.at(-1)) : undefined;
}

const EMPTY = "the file is empty; a workflow needs at least `name:` and `steps:`";

/*
 * The parser's own tree takes some 10 kB a step, so the steps of a large file are parsed some dozens at a
 * time and its trees dropped at once. A line that starts a step cannot lie within a scalar or a flow
 * collection, because those are indented deeper. Whatever is unusual (anchors, directives, several
 * documents, any error) is left to the ordinary way.
 */
function inPieces(text: string): Node | undefined {
  if (text.length < SMALL) return undefined;
  if (/(^|[:\-,[{]\s+|[[{,])[&*][A-Za-z0-9_]|^(%|---|\.\.\.)/m.test(text)) return undefined;
  const head = /^steps:[ \t]*(#.*)?\r?\n/m.exec(text);
  if (head === null) return undefined;
  const start = head.index + head[0].length;
  const first = /^( *)- /m.exec(text.slice(start, start + 4096));
  if (first === null) return undefined;
  const indent = first[1].length;

  const cuts: number[] = [start];
  let end = text.length;
  for (let at = start; at < text.length;) {
    let next = text.indexOf("\n", at) + 1;
    if (next === 0) next = text.length;
    let column = 0;
    while (text[at + column] === " ") column++;
    const letter = text[at + column];
    const blank = letter === "\n" || letter === "\r" || letter === "#" || letter === undefined;
    if (!blank && column <= indent) {
      if (column === indent && letter === "-" && " \n\r".includes(text[at + column + 1])) {
        if (at - cuts[cuts.length - 1] >= CHUNK) cuts.push(at);
      } else if (column === 0 && letter !== "-") {
        end = at;
        break;
      } else return undefined;
    }
    at = next;
  }
  cuts.push(end);

  const scratch = new Report(text, "");
  const piece = (from: number, to: number): Node | undefined => {
    const parsed = document(text.slice(from, to));
    if (parsed.errors.length > 0 || parsed.contents === null) return undefined;
    return new Builder(text, from, scratch).build(parsed.contents);
  };
  const top = piece(0, start);
  const tail = end === text.length || /^\s*$/.test(text.slice(end))
    ? new Mapping([], end, end, 0)
    : piece(end, text.length);
  if (top?.kind !== "mapping" || tail?.kind !== "mapping") return undefined;
  const items: Node[] = [];
  let size = 1;
  for (let index = 0; index + 1 < cuts.length; index++) {
    const part = piece(cuts[index], cuts[index + 1]);
    if (part?.kind !== "list") return undefined;
    for (const item of part.items) items.push(item);
    size += part.size;
  }
  const steps = new List(items, start + indent, end, size);
  const entries = [
    ...top.entries.map((entry) => entry.key === "steps" ? { ...entry, value: steps } : entry),
    ...tail.entries,
  ];
  if (new Set(entries.map((entry) => entry.key)).size < entries.length || scratch.failed) {
    return undefined;
  }
  return new Mapping(entries, top.from, tail.to, top.size + size + tail.size);
}

function tooDeep(text: string, report: Report): boolean {
  if (!suspicious(text)) return false;
  // Only now the exact count, which knows quotes and block scalars.
  let at = 0;
  let depth = 0;
  let leading = 0;
  let leads = true;
  let stray = 0;
  for (const token of new Lexer().lex(text)) {
    const first = token[0];
    if (token === "\x02" || token === "\x18" || token === "\x1f" || token === "\ufeff") continue;
    if (token === "[" || token === "{") depth++;
    else if (token === "]" || token === "}") depth > 0 ? depth-- : stray++;
    if (stray > MOST_STRAY) {
      report.add({
        from: at,
        to: at + 1,
        code: "yaml",
        message: `more than ${MOST_STRAY} closing brackets have no opening one up to here`,
      });
      return true;
    }
    if (first === "\n" || first === "\r") [leads, leading] = [true, 0];
    else if (leads && (first === " " || token === "-" || token === "?")) leading += token.length;
    else leads = false;
    if (depth > DEEPEST_FLOW || leading > DEEPEST_INDENT) {
      report.add({
        from: at,
        to: at + 1,
        code: "too-deep",
        message: `nested too deeply: at most ${DEEPEST_FLOW} brackets within one another and ` +
          `${DEEPEST_INDENT} columns of indentation are read`,
      });
      return true;
    }
    at += token.length;
  }
  return false;
}

// Errs on the safe side: brackets are counted in quotes and comments too.
function suspicious(text: string): boolean {
  let depth = 0;
  let leading = 0;
  let leads = true;
  let stray = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 10 || code === 13) [leads, leading] = [true, 0];
    else if (code === 91 || code === 123) [leads, depth] = [false, depth + 1];
    else if (code === 93 || code === 125) {
      leads = false;
      depth > 0 ? depth-- : stray++;
    } else if (leads && (code === 32 || code === 45 || code === 63 || code === 9)) leading++;
    else leads = false;
    if (depth > DEEPEST_FLOW || leading > DEEPEST_INDENT || stray > MOST_STRAY) return true;
  }
  return false;
}

function syntaxMessage(code: string, message: string, text: string, at: number): string {
  if (/without - indicator/.test(message)) code = "BAD_INDENT";
  switch (code) {
    case "TAB_AS_INDENT":
      return "a tab indents this line; YAML takes spaces only";
    case "MULTIPLE_DOCS":
      return "a second document starts here; one file holds one";
    case "BAD_ALIAS":
      return `no anchor of this name stands above: ${firstLine(message)}`;
    case "BLOCK_AS_IMPLICIT_KEY":
      return 'a value that holds ": " must be quoted';
    case "MULTILINE_IMPLICIT_KEY":
    case "MISSING_CHAR":
      if (/implicit key|implicit map/i.test(message)) {
        return "this line is no `key: value`; is a colon missing, or the indentation wrong?";
      }
      return lower(firstLine(message));
    case "BAD_INDENT":
      return "the indentation fits no line above; align it with its neighbours";
    default:
      if (text[at] === "\t") return "a tab stands here; YAML takes spaces only";
      if (text[at] === "@" || text[at] === "`") {
        return `a value cannot start with ${text[at] === "@" ? "`@`" : "a backtick"}; quote it`;
      }
      if (text[at] === "%") return "a value cannot start with `%`; quote it";
      return lower(firstLine(message));
  }
}

function firstLine(message: string): string {
  return message.split("\n")[0];
}

function lower(message: string): string {
  return message.slice(0, 1).toLowerCase() + message.slice(1);
}
