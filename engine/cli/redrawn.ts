import type { Caller } from "./caller.ts";
import { wallTime } from "./follower.ts";
import type { Frame } from "./live_tree.ts";
import { Screen } from "./screen.ts";

const FRAME_MS = 100;
const MOST_LINES = 2_000;

/**
 * Draws something in place on stderr, ten times a second, for as long as it goes on; lines that are to stay scroll off
 * above it.
 */
export class Redrawn {
  readonly #caller: Caller;
  readonly #frame: (frame: Frame) => readonly string[];
  readonly #screen: Screen;
  readonly #timer: ReturnType<typeof setInterval>;
  #above: string[] = [];
  #notice: string | undefined;
  #tick = 0;

  /** Draws what `frame` gives, no lines while there is nothing to draw. */
  constructor(caller: Caller, frame: (frame: Frame) => readonly string[]) {
    this.#caller = caller;
    this.#frame = frame;
    this.#screen = new Screen((text) => caller.err(text), () => caller.size().columns);
    this.#timer = setInterval(() => this.#draw(), FRAME_MS);
  }

  /** Leaves lines above it. */
  leave(...lines: readonly string[]): void {
    for (const line of lines) this.#above.push(line);
    if (this.#above.length >= MOST_LINES) this.#draw();
  }

  /** Tells something at once, and in each frame from now on. */
  notice(message: string): void {
    this.#notice = message;
    this.#draw();
  }

  /** Ends it with the lines that are to stay in its place, and gives the terminal back. */
  close(last: readonly string[]): void {
    clearInterval(this.#timer);
    this.#screen.close([...this.#above, ...last]);
    this.#above = [];
  }

  #draw(): void {
    const { columns, rows } = this.#caller.size();
    const lines = this.#frame({
      now: wallTime(),
      tick: this.#tick++,
      columns,
      rows: Math.max(2, rows - 1),
      ...this.#notice === undefined ? {} : { notice: this.#notice },
    });
    const above = this.#above;
    this.#above = [];
    if (lines.length > 0 || above.length > 0) this.#screen.draw(above, lines);
  }
}
