import type { RunEvent } from "../core/report.ts";
import type { Caller } from "./caller.ts";
import { type Follower, wallTime } from "./follower.ts";
import { liveTree, stepRows } from "./live_tree.ts";
import type { Progress, StepProgress } from "./progress.ts";
import { Screen } from "./screen.ts";
import { clean, lines } from "./text.ts";

const FRAME_MS = 100;
const MOST_LINES = 2_000;

/** Shows a run as a tree that is redrawn in place, ten times a second; lines of output scroll off above it. */
export class LiveFollower implements Follower {
  readonly #progress: Progress;
  readonly #caller: Caller;
  readonly #screen: Screen;
  readonly #timer: ReturnType<typeof setInterval>;
  #above: string[] = [];
  #notice: string | undefined;
  #tick = 0;

  /** Starts drawing; a run of less than one frame is drawn once, at its end. */
  constructor(progress: Progress, caller: Caller) {
    this.#progress = progress;
    this.#caller = caller;
    this.#screen = new Screen((text) => caller.err(text), () => caller.size().columns);
    this.#timer = setInterval(() => this.#draw(), FRAME_MS);
  }

  event(event: RunEvent, _step: StepProgress | undefined, _now: bigint): void {
    const style = this.#caller.errStyle;
    if (event.type === "line") {
      const prefix = style.dim(`${clean(event.stepId)} │ `);
      for (const line of lines(event.text)) this.#above.push(prefix + line);
      if (this.#above.length >= MOST_LINES) this.#draw();
    } else if (event.type === "notice") {
      this.#above.push(style.yellow(clean(event.message)));
    }
  }

  line(text: string): void {
    this.#above.push(this.#caller.errStyle.dim(text));
  }

  notice(message: string): void {
    this.#notice = message;
    this.#draw();
  }

  close(): void {
    clearInterval(this.#timer);
    const { columns, rows } = this.#caller.size();
    const last = [...this.#above];
    this.#above = [];
    const steps = [...this.#progress.steps.values()]
      .filter(({ list, status }) =>
        list === "steps" || status !== "queued" && status !== "skipped"
      );
    // What stays on the screen is every step, unless they would push the command itself off it.
    const kept = steps.length <= rows - 6 ? steps : [];
    if (this.#progress.runId !== undefined) {
      last.push(...stepRows(kept, { now: wallTime(), columns, rows }, this.#caller.errStyle));
    }
    this.#screen.close(last);
  }

  #draw(): void {
    if (this.#progress.runId === undefined && this.#above.length === 0) return;
    const { columns, rows } = this.#caller.size();
    const frame = {
      now: wallTime(),
      tick: this.#tick++,
      columns,
      rows: Math.max(2, rows - 1),
      ...this.#notice === undefined ? {} : { notice: this.#notice },
    };
    const above = this.#above;
    this.#above = [];
    this.#screen.draw(above, liveTree(this.#progress, frame, this.#caller.errStyle));
  }
}
