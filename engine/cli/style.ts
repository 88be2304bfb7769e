import type { Outcome, Status } from "../core/span.ts";

/** Colours, or none. Each function wraps text that is already safe for a terminal. */
export interface Style {
  /** Whether there are colours at all. */
  readonly colour: boolean;
  /** For what matters most. */
  bold(text: string): string;
  /** For what matters least. */
  dim(text: string): string;
  /** Failure. */
  red(text: string): string;
  /** Success. */
  green(text: string): string;
  /** Warnings, retries. */
  yellow(text: string): string;
  /** Things under way. */
  cyan(text: string): string;
  /** The critical path. */
  magenta(text: string): string;
}

/** A style with the sixteen basic colours, which every theme keeps readable, or with none. */
export function makeStyle(colour: boolean): Style {
  const sgr = (on: number, off: number) => (text: string) =>
    colour && text !== "" ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  return {
    colour,
    bold: sgr(1, 22),
    dim: sgr(2, 22),
    red: sgr(31, 39),
    green: sgr(32, 39),
    yellow: sgr(33, 39),
    cyan: sgr(36, 39),
    magenta: sgr(35, 39),
  };
}

/** The one-column sign of a status, coloured; the sign alone says it where there is no colour. */
export function sign(status: Status | Outcome, style: Style): string {
  switch (status) {
    case "succeeded":
      return style.green("✓");
    case "failed":
    case "timed_out":
      return style.red("✗");
    case "cancelled":
      return style.yellow("⊘");
    case "interrupted":
      return style.yellow("↯");
    case "skipped":
      return style.dim("–");
    case "running":
      return style.cyan("●");
    case "queued":
      return style.dim("·");
  }
}

/** A status in words. */
export function words(status: Status | Outcome): string {
  return status === "timed_out" ? "timed out" : status;
}

/** Colours `text` as its status is coloured. */
export function byStatus(status: Status | Outcome, text: string, style: Style): string {
  switch (status) {
    case "succeeded":
      return style.green(text);
    case "failed":
    case "timed_out":
      return style.red(text);
    case "cancelled":
    case "interrupted":
      return style.yellow(text);
    case "running":
      return style.cyan(text);
    case "skipped":
    case "queued":
      return style.dim(text);
  }
}
