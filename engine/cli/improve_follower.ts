import type { ImproveEvent, Measurement } from "../core/improve.ts";
import type { RunReport } from "../core/report.ts";
import type { Caller } from "./caller.ts";
import { decisionLines, runLine, verdictLines } from "./improve_lines.ts";
import { chartLines, chartRows, improveScreen } from "./improve_screen.ts";
import type { Improvement } from "./improvement.ts";
import { Redrawn } from "./redrawn.ts";
import { clean } from "./text.ts";

/** Somebody who shows an improvement while it goes on. */
export interface ImproveFollower {
  /** An event that was taken in. */
  event(event: ImproveEvent): void;
  /** A line to leave on the screen. */
  line(text: string): void;
  /** Something to tell at once. */
  notice(message: string): void;
  /** It is over; gives the terminal back. */
  close(): void;
}

/** Shows it as a chart that is redrawn in place; verdicts scroll off above it. */
export class LiveImprovement implements ImproveFollower {
  readonly #state: Improvement;
  readonly #caller: Caller;
  readonly #drawn: Redrawn;

  /** Starts drawing. */
  constructor(state: Improvement, caller: Caller) {
    this.#state = state;
    this.#caller = caller;
    this.#drawn = new Redrawn(caller, (frame) => improveScreen(state, frame, caller.errStyle));
  }

  event(event: ImproveEvent): void {
    const { errStyle } = this.#caller;
    if (event.type === "decided" && event.entry.verdict !== undefined) {
      this.#drawn.leave(...verdictLines(event.entry, this.#caller.size().columns - 1, errStyle));
    } else if (event.type === "ended" && event.report.status !== "succeeded") {
      const { most, objective } = this.#state;
      this.#drawn.leave(errStyle.red(runLine(event.index, most, event.report, [], objective)));
    } else if (event.type === "run" && event.event.type === "notice") {
      this.#drawn.leave(errStyle.yellow(clean(event.event.message)));
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
    const chart = chartLines(this.#state, columns - 1, chartRows(rows), this.#caller.errStyle);
    this.#drawn.close([...chart, ...chart.length === 0 ? [] : [""]]);
  }
}

/** Tells it in plain lines, one a run and one a decision, for logs and pipes. */
export class PlainImprovement implements ImproveFollower {
  readonly #state: Improvement;
  readonly #print: (line: string) => void;
  // What is measured of a run, and decided about it, comes after its end.
  #ended: { readonly index: number; readonly report: RunReport } | undefined;
  #measured: Measurement[] = [];

  /** Prints lines. */
  constructor(state: Improvement, print: (line: string) => void) {
    this.#state = state;
    this.#print = print;
  }

  event(event: ImproveEvent): void {
    switch (event.type) {
      case "started":
        this.#tellRun();
        return;
      case "ended":
        this.#ended = event;
        return;
      case "measured":
        this.#measured.push(event.measurement);
        return;
      case "decided":
        this.#tellRun();
        for (const line of decisionLines(event.entry)) this.#print(line);
        return;
      case "run":
        if (event.event.type === "notice") this.notice(`note: ${clean(event.event.message)}`);
    }
  }

  line(text: string): void {
    this.#print(text);
  }

  notice(message: string): void {
    this.#print(message);
  }

  close(): void {
    this.#tellRun();
  }

  #tellRun(): void {
    if (this.#ended === undefined) return;
    const { index, report } = this.#ended;
    const { most, objective } = this.#state;
    this.#print(runLine(index, most, report, this.#measured, objective));
    this.#ended = undefined;
    this.#measured = [];
  }
}
