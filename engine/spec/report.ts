import type { Diagnostic } from "../core/diagnostic.ts";

/** A mistake at a range of the text, in UTF-16 offsets. */
export interface Mistake {
  readonly from: number;
  /** Past the end; the caret is cut at the line's end. */
  readonly to: number;
  readonly code: string;
  readonly message: string;
  readonly suggestion?: string;
  readonly severity?: "error" | "warning";
}

const MOST = 50;

/** Collects the mistakes of one file and puts them into the file's order. */
export class Report {
  readonly #text: string;
  readonly #display: string;
  readonly #mistakes: Mistake[] = [];
  readonly #seen = new Set<string>();
  #lines: number[] | undefined;
  // Whether somebody has stopped looking, so that the number of mistakes is not known.
  #cut = false;

  /** Reports on `text`, shown to people as the file `display`. */
  constructor(text: string, display: string) {
    this.#text = text;
    this.#display = display;
  }

  /** Whether an error, not only a warning, was found. */
  get failed(): boolean {
    return this.#mistakes.some((mistake) => mistake.severity !== "warning");
  }

  /** Whether there are more mistakes than are shown, so that the search for others can be cut short. */
  full(): boolean {
    this.#cut ||= this.#mistakes.length > MOST;
    return this.#cut;
  }

  /** Adds a mistake; the same words at the same place are kept once. */
  add(mistake: Mistake): void {
    const key = `${mistake.from} ${mistake.message}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#mistakes.push(mistake);
  }

  /** The line of an offset, from 1. */
  line(offset: number): number {
    const lines = this.#starts();
    let low = 0;
    let high = lines.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (lines[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }

  /** All mistakes in the file's order, the first fifty in full. */
  diagnostics(): Diagnostic[] {
    const sorted = this.#mistakes.sort((a, b) => a.from - b.from);
    const shown = sorted.slice(0, MOST).map((mistake) => this.#place(mistake));
    const next = sorted[MOST];
    if (next !== undefined) {
      const rest = sorted.length - MOST;
      const count = this.#cut
        ? "more mistakes"
        : rest === 1
        ? "1 more mistake"
        : `${rest} more mistakes`;
      shown.push(this.#place({
        ...next,
        code: "more",
        message: `and ${count} from here on; mend the ones above first`,
        suggestion: undefined,
        severity: sorted.slice(MOST).every((m) => m.severity === "warning") ? "warning" : "error",
      }));
    }
    return shown;
  }

  #place(mistake: Mistake): Diagnostic {
    const line = this.line(mistake.from);
    const start = this.#starts()[line - 1];
    const source = this.#text.slice(start, lineEnd(this.#text, start));
    const column = Math.min(mistake.from - start, source.length) + 1;
    return {
      file: this.#display,
      line,
      column,
      length: Math.max(1, Math.min(mistake.to - mistake.from, source.length - column + 1)),
      severity: mistake.severity ?? "error",
      code: mistake.code,
      message: mistake.message,
      ...(mistake.suggestion === undefined ? {} : { suggestion: mistake.suggestion }),
      source,
    };
  }

  #starts(): number[] {
    if (this.#lines === undefined) {
      this.#lines = [0];
      for (let at = this.#text.indexOf("\n"); at >= 0; at = this.#text.indexOf("\n", at + 1)) {
        this.#lines.push(at + 1);
      }
    }
    return this.#lines;
  }
}

/** The offset of the line end at or after `offset`, before a carriage return. */
export function lineEnd(text: string, offset: number): number {
  let end = text.indexOf("\n", offset);
  if (end < 0) end = text.length;
  return text[end - 1] === "\r" && end > offset ? end - 1 : end;
}
