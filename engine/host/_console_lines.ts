/** What a sandbox prints, as lines of its log; bounded, since it may print for ever. */
import { type Clock, sleep } from "../core/clock.ts";
import { oneLine } from "../sandbox/denial.ts";

const LONGEST_LINE = 2_000;
// Read no faster than this, bytes a second: whoever prints more waits for its own pipe.
const MOST_A_SECOND = 1024 * 1024;
// Of one second's, so many are handed on: more than anybody shows.
const LINES_A_SECOND = 1_000;
const KEPT_LINES = 40;

/** Reads the stream to its end, a line at a time; a line that is too long is cut. */
export class ConsoleLines {
  readonly #last: string[] = [];

  /** The last lines. */
  get last(): readonly string[] {
    return this.#last;
  }

  /** Hands each line to `take`. Never rejects. */
  async read(
    stream: ReadableStream<Uint8Array>,
    clock: Clock,
    take: (line: string) => void,
  ): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    let began = clock.monotonic();
    let read = 0;
    let lines = 0;
    const line = (text: string) => {
      const cut = oneLine(text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE)}…` : text);
      this.#last.push(cut);
      if (this.#last.length > KEPT_LINES) this.#last.shift();
      if (++lines <= LINES_A_SECOND) take(cut);
    };
    try {
      for await (const bytes of stream) {
        const texts = (rest + decoder.decode(bytes, { stream: true })).split("\n");
        rest = texts.pop()!.slice(0, LONGEST_LINE + 1);
        for (const text of texts) line(text);
        read += bytes.length;
        const elapsed = clock.monotonic() - began;
        if (elapsed < 1_000 && read > MOST_A_SECOND) await sleep(clock, 1_000 - elapsed);
        if (elapsed >= 1_000 || read > MOST_A_SECOND) {
          began = clock.monotonic();
          read = lines = 0;
        }
      }
    } catch {
      // The pipe broke with the process: what it printed until then was read.
    }
    if (rest !== "") line(rest);
  }
}
