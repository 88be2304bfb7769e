import type { RunEvent } from "../core/report.ts";
import type { Caller } from "./caller.ts";
import { type Follower, wallTime } from "./follower.ts";
import { liveTree, stepRows } from "./live_tree.ts";
import type { Progress, StepProgress } from "./progress.ts";
import { Redrawn } from "./redrawn.ts";
import { clean, lines } from "./text.ts";

/** Shows a run as a tree that is redrawn in place; lines of output scroll off above it. */
export class LiveFollower implements Follower {
  readonly #progress: Progress;
  readonly #caller: Caller;
  readonly #drawn: Redrawn;

  /** Starts drawing; a run of less than one frame is drawn once, at its end. */
  constructor(progress: Progress, caller: Caller) {
    this.#progress = progress;
    this.#caller = caller;
    this.#drawn = new Redrawn(
      caller,
      (frame) => progress.runId === undefined ? [] : liveTree(progress, frame, caller.errStyle),
    );
  }

  event(event: RunEvent, _step: StepProgress | undefined, _now: bigint): void {
    const style = this.#caller.errStyle;
    if (event.type === "line") {
      const prefix = style.dim(`${clean(event.stepId)} │ `);
      this.#drawn.leave(...lines(event.text).map((line) => prefix + line));
    } else if (event.type === "notice") {
      this.#drawn.leave(style.yellow(clean(event.message)));
    }
  }

  line(text: string): void {
    this.#drawn.leave(this.#caller.errStyle.dim(text));
  }

  notice(message: string): void {
    this.#drawn.notice(message);
  }

  close(): void {
    const { columns, rows } = this.#caller.size();
    const steps = [...this.#progress.steps.values()]
      .filter(({ list, status }) =>
        list === "steps" || status !== "queued" && status !== "skipped"
      );
    // What stays on the screen is every step, unless they would push the command itself off it.
    const kept = steps.length <= rows - 6 && this.#progress.runId !== undefined ? steps : [];
    this.#drawn.close(stepRows(kept, { now: wallTime(), columns, rows }, this.#caller.errStyle));
  }
}
