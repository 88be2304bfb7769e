import { width } from "./text.ts";

const HIDE = "\u001b[?25l";
const SHOW = "\u001b[?25h";
// Synchronised output: a terminal that knows it shows a frame whole, others ignore it.
const BEGIN = "\u001b[?2026h";
const END = "\u001b[?2026l";
const NO_WRAP = "\u001b[?7l";
const WRAP = "\u001b[?7h";
const ERASE_LINE = "\u001b[K";
const ERASE_BELOW = "\u001b[J";

/**
 * A region of lines at the terminal's end that is redrawn in place, with ordinary lines scrolling off above it.
 * Each frame is one write, and a line is overwritten before its rest is erased, so that nothing flickers.
 */
export class Screen {
  readonly #write: (text: string) => void;
  readonly #columns: () => number;
  #drawn: readonly string[] = [];
  #hidden = false;

  /** Writes to a terminal that is `columns()` wide at the moment. */
  constructor(write: (text: string) => void, columns: () => number) {
    this.#write = write;
    this.#columns = columns;
  }

  /** Puts `above` above the region for good, and `lines` into it. */
  draw(above: readonly string[], lines: readonly string[]): void {
    let text = BEGIN + this.#home();
    if (!this.#hidden) text += HIDE;
    this.#hidden = true;
    if (above.length > 0) text += `${ERASE_BELOW}${above.join("\r\n")}\r\n`;
    text += NO_WRAP + lines.map((line) => line + ERASE_LINE).join("\r\n") + WRAP + ERASE_BELOW +
      END;
    this.#drawn = lines;
    this.#write(text);
  }

  /** Takes the region away, leaves `last` in its place, and gives the cursor back. */
  close(last: readonly string[] = []): void {
    const text = (this.#drawn.length === 0 ? "" : this.#home() + ERASE_BELOW) +
      last.map((line) => `${line}\r\n`).join("") + (this.#hidden ? SHOW : "");
    this.#drawn = [];
    this.#hidden = false;
    if (text !== "") this.#write(text);
  }

  // Where the region began. A terminal that was made narrower has broken its lines: count them as they are now.
  #home(): string {
    if (this.#drawn.length === 0) return "";
    const columns = Math.max(1, this.#columns());
    const rows = this.#drawn.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(width(line) / columns)),
      0,
    );
    return rows > 1 ? `\r\u001b[${rows - 1}A` : "\r";
  }
}
