import { formatDiagnostic } from "../core/diagnostic.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import { InvalidError, messageOf, SpanloopError } from "../core/errors.ts";
import { counted } from "./figures.ts";
import type { Style } from "./style.ts";
import { clean, lines, wrap } from "./text.ts";

/** What a person is told about a thrown value, and what the process ends with. */
export interface Told {
  /** Lines for stderr. */
  readonly lines: readonly string[];
  /** 1 something failed, 2 invalid or misused. */
  readonly exitCode: 1 | 2;
}

/**
 * Words for a thrown value: a sentence for what a person can act on, all diagnostics of a bad file, and for
 * anything else that it is a bug. A stack only with `debug`. `columns`: what sentences are broken at.
 */
export function tell(
  thrown: unknown,
  style: Style,
  debug: boolean,
  columns: number = Infinity,
): Told {
  const stack = debug && thrown instanceof Error && thrown.stack !== undefined
    ? lines(thrown.stack).map((line) => style.dim(line))
    : [];
  if (thrown instanceof InvalidError && thrown.diagnostics.length > 0) {
    return {
      lines: [...diagnosticLines(thrown.diagnostics, style), ...stack],
      exitCode: thrown.exitCode,
    };
  }
  const error = style.red("error:");
  if (thrown instanceof SpanloopError) {
    const [first, ...more] = lines(thrown.message);
    return {
      lines: [...wrap(`${error} ${first}`, columns), ...more, ...stack],
      exitCode: thrown.exitCode,
    };
  }
  return {
    lines: [
      ...wrap(`${error} ${clean(messageOf(thrown))}`, columns),
      ...wrap(
        "This is a bug in Spanloop, not in your workflow. Please report it with the output of the same " +
          "command under SPANLOOP_DEBUG=1.",
        columns,
      ),
      ...stack,
    ],
    exitCode: 1,
  };
}

/** All diagnostics with their source lines, and how many there are. */
export function diagnosticLines(diagnostics: readonly Diagnostic[], style: Style): string[] {
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  const warnings = diagnostics.length - errors;
  const counts = [
    ...errors === 0 ? [] : [style.red(counted(errors, "error"))],
    ...warnings === 0 ? [] : [style.yellow(counted(warnings, "warning"))],
  ];
  return [
    ...diagnostics.flatMap((diagnostic) => [...one(diagnostic, style), ""]),
    counts.join(", "),
  ];
}

function one(diagnostic: Diagnostic, style: Style): string[] {
  const paint = diagnostic.severity === "error" ? style.red : style.yellow;
  const [head, ...excerpt] = formatDiagnostic(diagnostic).split("\n");
  // The message can quote the file, which may hold anything; the excerpt is already safe.
  const safe = clean(head);
  const place = `${clean(diagnostic.file)}:${diagnostic.line}:${diagnostic.column}:`;
  const rest = safe.startsWith(place) ? safe.slice(place.length) : safe;
  const marked = rest.replace(` ${diagnostic.severity}:`, paint(` ${diagnostic.severity}:`));
  return [
    safe.startsWith(place) ? style.bold(place) + marked : marked,
    ...excerpt.map((line) => /^[ ]*\|[ \t]*\^+$/.test(line) ? paint(line) : style.dim(line)),
  ];
}
