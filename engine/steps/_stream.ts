/** What a process writes, as lines while it comes, and as bounded text afterwards. */

/** The longest line that is reported in one piece, UTF-16 units. */
export const LONGEST_LINE = 64 * 1024;

/** The most of stdout that becomes an output, UTF-16 units. */
export const CAPTURE_LIMIT = 1 << 20;

// The longest secret form that is still recognised across a cut.
const OVERLAP = 4096;
const TAIL_LINES = 20;
const TAIL_LIMIT = 4096;

/**
 * Opens a frame in what a process writes: the rest of the line is meant for the engine. The NUL keeps it
 * apart from ordinary text.
 */
export const FRAME = "\0spanloop ";

/** The longest frame, UTF-16 units; a longer one is cut into ordinary lines. */
export const FRAME_LIMIT = 64 << 20;

/** Takes the text of a frame. */
export type FrameTaker = (text: string) => void;

type Mask = (text: string) => string;

/** The last lines of both streams of a process, in the order they came. */
export class Tail {
  #lines: string[] = [];

  /** Adds a line. */
  add(line: string): void {
    this.#lines.push(line.length > TAIL_LIMIT + OVERLAP ? line.slice(-TAIL_LIMIT - OVERLAP) : line);
    if (this.#lines.length >= TAIL_LINES * 10) this.#lines = this.#lines.slice(-TAIL_LINES);
  }

  /** The last lines, at most 20 and 4 Ki units, masked; undefined when there were none. */
  text(mask: Mask): string | undefined {
    if (this.#lines.length === 0) return undefined;
    const text = mask(this.#lines.slice(-TAIL_LINES).join("\n"));
    return text.length <= TAIL_LIMIT ? text : text.slice(text.length - TAIL_LIMIT);
  }
}

/**
 * Cuts bytes into lines: UTF-8 is decoded across chunks, bytes that are not UTF-8 become U+FFFD. Of a line
 * with lone carriage returns only what a terminal would be left with is reported. A line that does not
 * end is reported in pieces, each masked before it is cut, so that no secret comes out in halves (V4).
 */
export class LineReader {
  readonly #decoder = new TextDecoder();
  readonly #line: (text: string) => void;
  readonly #mask: Mask;
  readonly #capture: Capture | undefined;
  readonly #frame: FrameTaker | undefined;
  #rest = "";

  /** Reports lines to `line`, hands all text to `capture`, and frames to `frame`. */
  constructor(
    line: (text: string) => void,
    mask: Mask,
    into: { readonly capture?: Capture; readonly frame?: FrameTaker } = {},
  ) {
    this.#line = line;
    this.#mask = mask;
    this.#capture = into.capture;
    this.#frame = into.frame;
  }

  /** Takes the next bytes. */
  push(bytes: Uint8Array): void {
    this.#text(this.#decoder.decode(bytes, { stream: true }));
  }

  /** Reports what is left without a line end. */
  end(): void {
    this.#text(this.#decoder.decode());
    if (this.#rest !== "") this.#report(this.#rest);
    this.#rest = "";
  }

  #text(text: string): void {
    if (text === "") return;
    this.#capture?.add(text);
    let from = 0;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", from)) {
      const line = text.slice(from, at);
      this.#report(this.#rest === "" ? line : this.#rest + line);
      this.#rest = "";
      from = at + 1;
    }
    this.#rest += from === 0 ? text : text.slice(from);
    while (this.#rest.length > LONGEST_LINE + OVERLAP) {
      const inFrame = this.#frame !== undefined && this.#rest.includes(FRAME);
      if (inFrame && this.#rest.length <= FRAME_LIMIT) break;
      const masked = this.#mask(this.#rest);
      this.#rest = masked;
      if (masked.length <= LONGEST_LINE + OVERLAP) break;
      this.#line(masked.slice(0, LONGEST_LINE));
      this.#rest = masked.slice(LONGEST_LINE);
    }
  }

  #report(text: string): void {
    const at = this.#frame === undefined ? -1 : text.indexOf(FRAME);
    if (at >= 0) this.#frame!(text.slice(at + FRAME.length));
    if (at === 0) return;
    const line = at > 0 ? text.slice(0, at) : text;
    const end = line.endsWith("\r") ? line.length - 1 : line.length;
    const from = line.lastIndexOf("\r", end - 1) + 1;
    this.#line(end === line.length && from === 0 ? line : line.slice(from, end));
  }
}

/** The first part of a stream, for an output. */
export class Capture {
  readonly #parts: string[] = [];
  #length = 0;

  /** Whether there was more than `CAPTURE_LIMIT`. */
  get truncated(): boolean {
    return this.#length > CAPTURE_LIMIT;
  }

  /** Adds text, as far as there is room. */
  add(text: string): void {
    const room = CAPTURE_LIMIT + OVERLAP - this.#length;
    if (room > 0) this.#parts.push(text.length > room ? text.slice(0, room) : text);
    this.#length += text.length;
  }

  /** The text, masked, without one final line end. */
  text(mask: Mask): string {
    if (this.#length === 0) return "";
    // Masked before it is cut: half a secret is a secret too (V4).
    const text = mask(this.#parts.length === 1 ? this.#parts[0] : this.#parts.join(""));
    if (this.truncated) return text.slice(0, Math.min(CAPTURE_LIMIT, text.length - OVERLAP));
    return text.endsWith("\n") ? text.slice(0, text.endsWith("\r\n") ? -2 : -1) : text;
  }
}
