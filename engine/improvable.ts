import type { Diagnostic } from "./core/diagnostic.ts";
import { InvalidError } from "./core/errors.ts";
import type { PlanReport } from "./core/report.ts";
import type { ParameterState } from "./core/tuning.ts";
import type { Workflow } from "./core/workflow.ts";

/**
 * Throws InvalidError, with where and what to add, for a workflow that has nothing to improve: no objective, no
 * tunable parameter, none that may change, or one that was given for these runs, which are not measured then (V3).
 */
export function checkImprovable(
  workflow: Workflow,
  states: readonly ParameterState[],
  sources: PlanReport["sources"],
  display: string,
): void {
  const refuse = (mistakes: readonly Mistake[]): never => {
    const diagnostics = mistakes.map((mistake) => diagnosticOf(workflow, display, mistake));
    throw new InvalidError(`${display} has nothing to improve`, diagnostics);
  };
  const { tune } = workflow;
  const step = workflow.steps.find(({ forEach }) => forEach !== undefined) ?? workflow.steps[0];
  if (tune?.objective === undefined) {
    refuse([{
      at: tune === undefined ? [] : ["tune"],
      message: "there is no objective, so nothing says what is better; add one, such as " +
        `\`tune: { objective: { minimize: "duration / items", of: ${step?.id ?? "STEP"} } }\``,
    }]);
  }
  if (states.length === 0) {
    const [first] = workflow.params.keys();
    refuse([{
      at: first === undefined ? [] : ["params"],
      message: "no parameter may change; give one bounds, such as " +
        `\`${first ?? "batch_size"}: { type: integer, default: 20, tune: { min: 1, max: 5000 } }\``,
    }]);
  }
  const given = states.flatMap(({ parameter: { name } }) => {
    const source = sources[name];
    if (source === "tuned" || source === "default") return [];
    const set = `spanloop params set ${display} ${name}=VALUE`;
    return {
      at: ["params", name],
      message:
        `${name} was given for these runs (${source}), and runs with a given value teach nothing; ` +
        `leave it out, or let the value rule: \`${set}\`, then \`params freeze\``,
    };
  });
  if (given.length > 0) refuse(given);
  const reasons = states.map(({ parameter: { name, tune }, frozen }) => {
    if (tune?.mode === "off") return `${name} has \`mode: off\`; say \`recommend\` or \`auto\``;
    return frozen
      ? `${name} is frozen; \`spanloop params unfreeze ${display} ${name}\` lets it change`
      : undefined;
  });
  if (reasons.every((reason) => reason !== undefined)) {
    refuse(states.map(({ parameter: { name } }, i) => ({
      at: ["params", name],
      message: reasons[i] ?? "",
    })));
  }
}

interface Mistake {
  /** Keys that lead to it; none: the file's first. */
  readonly at: readonly string[];
  readonly message: string;
}

// The file holds, so its keys stand where a reader of YAML would look for them; only their place is not known here.
function diagnosticOf(workflow: Workflow, display: string, { at, message }: Mistake): Diagnostic {
  const lines = workflow.text.split(/\r?\n/);
  const word = at.at(-1) ?? "name";
  let line = 0;
  let column = 0;
  for (const [depth, key] of (at.length === 0 ? ["name"] : at).entries()) {
    const pattern = new RegExp(`^${depth === 0 ? "()" : "(.*[\\s{,])"}["']?${key}["']?\\s*:`);
    const found = lines.findIndex((text, i) => i >= line && pattern.test(text));
    if (found < 0) break;
    line = found;
    column = pattern.exec(lines[found])![1].length;
  }
  return {
    file: display,
    line: line + 1,
    column: column + 1,
    length: word.length,
    severity: "error",
    code: "nothing-to-improve",
    message,
    source: lines[line] ?? "",
  };
}
