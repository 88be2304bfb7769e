/** Where an expression stands in a shell text. Only a `word` can take a quoted word. */
export type Context =
  | "word"
  | "single"
  | "double"
  | "backtick"
  | "heredoc"
  | "delimiter"
  | "arithmetic"
  | "expansion"
  | "comment"
  | "escaped"
  | "uncertain";

/** What the scanner knows of one expression's place. */
export interface Place {
  /** The state of the shell's reader there. */
  readonly context: Context;
  /** The quoted text around it, with its quotes, when it stands in quotes. */
  readonly around?: { readonly from: number; readonly to: number };
  /** The here-document's delimiter, and whether it was quoted, so that nothing expands in the body. */
  readonly delimiter?: { readonly word: string; readonly quoted: boolean };
}

interface HereDocument {
  readonly word: string;
  readonly quoted: boolean;
  readonly stripTabs: boolean;
}

const MAX_DEPTH = 64;

/**
 * Reads a POSIX shell text as far as is needed to say in which context each hole stands (V2). A hole is one
 * character of the text, by its position. Where shells differ, or a full parser would be needed to tell (`case`
 * inside `$( )`, `$'...'`), all holes that follow are `uncertain`, so that a wrong guess never lets a
 * value out of its quotes.
 */
export class ShellScanner {
  readonly #places = new Map<number, Place>();
  readonly #text: string;
  readonly #holes: readonly number[];
  readonly #isHole: ReadonlySet<number>;
  #uncertain = false;
  #depth = 0;

  /** Makes a scanner of a text whose holes are at these positions, in rising order. */
  constructor(text: string, holes: readonly number[]) {
    this.#text = text;
    this.#holes = holes;
    this.#isHole = new Set(holes);
  }

  /** The place of each hole, in their order. */
  scan(): readonly Place[] {
    this.#words(0, false);
    return this.#holes.map((at) => this.#places.get(at) ?? { context: "uncertain" });
  }

  #mark(at: number, place: Place): void {
    if (this.#places.has(at)) return;
    this.#places.set(
      at,
      this.#uncertain && place.delimiter === undefined ? { context: "uncertain" } : place,
    );
  }

  #markAll(from: number, to: number, place: Place): void {
    for (const at of this.#holes) if (at >= from && at < to) this.#mark(at, place);
  }

  // Commands, up to the end of the text or, in a substitution, past its closing bracket.
  #words(start: number, inside: boolean): number {
    const text = this.#text;
    const pending: HereDocument[] = [];
    let brackets = 0;
    let word = "";
    let at = start;
    const endWord = () => {
      // The brackets of its patterns cannot be told from the end of the substitution without a full parser.
      if (inside && word === "case") this.#uncertain = true;
      word = "";
    };
    while (at < text.length) {
      const c = text[at];
      if (this.#isHole.has(at)) {
        this.#mark(at++, { context: "word" });
        word += "\0";
        continue;
      }
      switch (c) {
        case "\\":
          if (this.#isHole.has(at + 1)) this.#mark(at + 1, { context: "escaped" });
          if (text[at + 1] !== "\n") word += "\0";
          at += 2;
          break;
        case "'":
        case '"':
        case "`":
        case "$": {
          const next = this.#quoting(at);
          // Where a here-document's body starts is then not the same in all shells.
          if (pending.length > 0 && text.slice(at, next).includes("\n")) this.#doubt(at, next);
          at = next;
          word += "\0";
          break;
        }
        case "#": {
          if (word !== "") {
            word += c;
            at++;
            break;
          }
          const end = lineEnd(text, at);
          this.#markAll(at, end, { context: "comment" });
          at = end;
          break;
        }
        case "\n":
          endWord();
          at = this.#bodies(at + 1, pending);
          break;
        case "<":
          endWord();
          at = this.#redirection(at, pending);
          break;
        case "(":
          endWord();
          brackets++;
          at++;
          break;
        case ")":
          endWord();
          at++;
          if (inside && brackets === 0) {
            if (pending.length > 0) this.#uncertain = true;
            return at;
          }
          brackets = Math.max(0, brackets - 1);
          break;
        case " ":
        case "\t":
        case ";":
        case "&":
        case "|":
        case ">":
          endWord();
          at++;
          break;
        default:
          word += c;
          at++;
      }
    }
    return at;
  }

  #doubt(from: number, to: number): void {
    this.#uncertain = true;
    for (const at of this.#holes) {
      if (at >= from && at < to && this.#places.get(at)?.context === "word") {
        this.#places.set(at, { context: "uncertain" });
      }
    }
  }

  // One quote, substitution or expansion that starts at `at`; gives where it ends.
  #quoting(at: number): number {
    const text = this.#text;
    if (++this.#depth > MAX_DEPTH) {
      this.#uncertain = true;
      return text.length;
    }
    let end: number;
    if (text[at] === "'") end = this.#single(at);
    else if (text[at] === '"') end = this.#double(at);
    else if (text[at] === "`") end = this.#backtick(at);
    else end = this.#dollar(at, false);
    this.#depth--;
    return end;
  }

  #single(at: number): number {
    const close = this.#text.indexOf("'", at + 1);
    const end = close < 0 ? this.#text.length : close + 1;
    this.#markAll(at, end, { context: "single", around: { from: at, to: end } });
    return end;
  }

  #double(start: number, context: "double" | "expansion" = "double"): number {
    const text = this.#text;
    const direct: number[] = [];
    let at = start + 1;
    while (at < text.length && text[at] !== '"') {
      if (this.#isHole.has(at)) direct.push(at++);
      else if (text[at] === "\\") {
        if (this.#isHole.has(at + 1)) direct.push(at + 1);
        at += 2;
      } else if (text[at] === "`") at = this.#backtick(at);
      else if (text[at] === "$") at = this.#dollar(at, true);
      else at++;
    }
    const end = Math.min(at + 1, text.length);
    for (const hole of direct) this.#mark(hole, { context, around: { from: start, to: end } });
    return end;
  }

  #backtick(start: number): number {
    const text = this.#text;
    let at = start + 1;
    while (at < text.length && text[at] !== "`") at += text[at] === "\\" ? 2 : 1;
    const end = Math.min(at + 1, text.length);
    this.#markAll(start, end, { context: "backtick" });
    return end;
  }

  #dollar(at: number, quoted: boolean): number {
    const text = this.#text;
    if (++this.#depth > MAX_DEPTH) {
      this.#uncertain = true;
      return text.length;
    }
    let end = at + 1;
    if (this.#isHole.has(end)) this.#mark(end, { context: "uncertain" }); // bash: $'...'
    else if (text.startsWith("((", at + 1)) end = this.#arithmetic(at + 3);
    else if (text[at + 1] === "(") end = this.#words(at + 2, true);
    else if (text[at + 1] === "{") end = this.#expansion(at + 2, quoted);
    // $'...' quotes otherwise in bash than in dash; a continued line may hide a `$(`.
    else if (text[at + 1] === "'" && !quoted || text.startsWith("\\\n", at + 1)) {
      this.#uncertain = true;
    }
    this.#depth--;
    return end;
  }

  #expansion(start: number, quoted: boolean): number {
    const text = this.#text;
    let at = start;
    while (at < text.length && text[at] !== "}") {
      const c = text[at];
      if (this.#isHole.has(at)) this.#mark(at++, { context: "expansion" });
      else if (c === "\\") {
        if (this.#isHole.has(at + 1)) this.#mark(at + 1, { context: "expansion" });
        at += 2;
      } else if ((c === "'" || c === '"') && quoted) {
        // Whether quotes count inside "${ }" depends on the operator, and on the shell.
        this.#uncertain = true;
        at++;
      } else if (c === "'") at = this.#single(at);
      else if (c === '"') at = this.#double(at, "expansion");
      else if (c === "`") at = this.#backtick(at);
      else if (c === "$") at = this.#dollar(at, quoted);
      else at++;
    }
    return Math.min(at + 1, text.length);
  }

  #arithmetic(start: number): number {
    const text = this.#text;
    let brackets = 0;
    let at = start;
    while (at < text.length) {
      const c = text[at];
      if (this.#isHole.has(at)) this.#mark(at++, { context: "arithmetic" });
      else if (c === "\\") at += 2;
      else if (c === "`") at = this.#backtick(at);
      else if (c === "$") at = this.#dollar(at, true);
      else if (c === ")" && brackets === 0) {
        // Otherwise it may have been a subshell in a command substitution.
        if (text[at + 1] !== ")") this.#uncertain = true;
        return Math.min(at + 2, text.length);
      } else {
        if (c === "'" || c === '"' || c === "#" || c === "\n") this.#uncertain = true;
        if (c === "(") brackets++;
        if (c === ")") brackets--;
        at++;
      }
    }
    return at;
  }

  #redirection(at: number, pending: HereDocument[]): number {
    const text = this.#text;
    if (text.startsWith("\\\n", at + 1)) this.#uncertain = true;
    if (text[at + 1] !== "<") return at + 1;
    if (text[at + 2] === "<") return at + 3; // bash's here-string: a word follows
    const stripTabs = text[at + 2] === "-";
    let i = at + (stripTabs ? 3 : 2);
    while (text[i] === " " || text[i] === "\t") i++;
    let word = "";
    let quoted = false;
    while (i < text.length && (this.#isHole.has(i) || !/[\s;&|<>()]/.test(text[i]))) {
      const c = text[i];
      if (this.#isHole.has(i)) {
        this.#mark(i++, { context: "delimiter" });
        this.#uncertain = true;
      } else if (c === "'" || c === '"') {
        const close = text.indexOf(c, i + 1);
        const end = close < 0 ? text.length : close;
        this.#markAll(i, end, { context: "delimiter" });
        word += text.slice(i + 1, end);
        quoted = true;
        i = end + 1;
      } else if (c === "\\") {
        word += text[i + 1] ?? "";
        quoted = true;
        i += 2;
      } else {
        word += c;
        i++;
      }
    }
    if (word === "" && !quoted || /[$`\\\n"']/.test(word)) this.#uncertain = true;
    pending.push({ word, quoted, stripTabs });
    return i;
  }

  // The bodies of the here-documents that this line has opened.
  #bodies(start: number, pending: HereDocument[]): number {
    const text = this.#text;
    let at = start;
    for (const { word, quoted, stripTabs } of pending.splice(0)) {
      const from = at;
      let continued = false;
      while (at < text.length) {
        const end = lineEnd(text, at);
        const line = text.slice(at, end);
        const holes = this.#holes.some((hole) => hole >= at && hole < end);
        at = Math.min(end + 1, text.length);
        if ((stripTabs ? line.replace(/^\t+/, "") : line) === word && !holes) {
          // After a continued line shells disagree on whether this still is the delimiter.
          if (continued) this.#uncertain = true;
          break;
        }
        continued = !quoted && /\\$/.test(line);
        if (!quoted && !closesItself(line)) this.#uncertain = true;
      }
      this.#markAll(from, at, { context: "heredoc", delimiter: { word, quoted } });
    }
    return at;
  }
}

// Whether a substitution that the line opens also ends in it: shells differ on delimiters inside one.
function closesItself(line: string): boolean {
  if (!/\$[({]|`/.test(line)) return true;
  const count = (c: string) => line.split(c).length;
  return count("(") === count(")") && count("{") === count("}") && count("`") % 2 === 1;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}
