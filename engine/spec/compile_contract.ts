import type { Parameter } from "../core/parameter.ts";
import type { TuneContract } from "../core/workflow.ts";
import type { Environment } from "../expression/environment.ts";
import { durationOf, optional } from "./compile_steps.ts";
import { compileCron } from "./compile_triggers.ts";
import { cronProblem, longestGapMs } from "./cron.ts";
import type { Graph } from "./graph.ts";
import type { Texts } from "./texts.ts";
import { asMapping, itemsOf, type Mapping, type Node, numberOf, textOf } from "./tree.ts";

const NONE: ReadonlySet<string> = new Set();

// What an objective is made of, in seconds and items (A6).
const OBJECTIVE: Environment = {
  params: new Map(),
  env: NONE,
  steps: NONE,
  otherSteps: NONE,
  batch: "none",
  conditions: false,
  variables: new Set(["duration", "items", "failed", "attempts", "queue_time"]),
};

/** Compiles the workflow's `tune:`. */
export function compileContract(
  given: Node | undefined,
  steps: Graph,
  params: ReadonlyMap<string, Parameter>,
  texts: Texts,
): TuneContract | undefined {
  const node = asMapping(given);
  if (node === undefined) return undefined;
  const objective = asMapping(node.get("objective"));
  if (objective !== undefined && ![...params.values()].some((param) => param.tune !== undefined)) {
    texts.report.add({
      from: node.entry("objective")!.from,
      to: node.entry("objective")!.to,
      code: "nothing-to-tune",
      severity: "warning",
      message: "no parameter has a `tune:`, so nothing can be changed for this objective",
    });
  }
  return {
    ...optional("objective", objective && compileObjective(objective, node, steps, texts)),
    guards: itemsOf(node.get("guards")).flatMap((guard) =>
      guard.kind === "mapping" ? [compileGuard(guard, steps, texts)] : []
    ),
    ...optional("cooldownMs", durationOf(node.get("cooldown"), texts)),
    blackout: itemsOf(node.get("blackout")).flatMap((window) =>
      window.kind === "mapping" ? [compileWindow(window, texts)] : []
    ),
    ...optional("maxChangesPerDay", numberOf(node.get("max_changes_per_day"))),
  };
}

function compileObjective(
  node: Mapping,
  parent: Mapping,
  steps: Graph,
  texts: Texts,
): TuneContract["objective"] {
  const directions = (["minimize", "maximize"] as const).filter((key) =>
    node.get(key) !== undefined
  );
  if (directions.length !== 1) {
    texts.fault(
      parent.entry("objective")!,
      "one-of",
      "an objective has exactly one of `minimize` and `maximize`",
    );
  }
  const of = stepOf(node, steps, texts);
  const direction = directions[0];
  if (direction === undefined) return undefined;
  const expression = texts.expression(node.get(direction), () => OBJECTIVE, "number");
  return expression === undefined ? undefined : { direction, expression, of };
}

function compileGuard(node: Mapping, steps: Graph, texts: Texts): TuneContract["guards"][number] {
  const metric = textOf(node.get("metric")) ?? "";
  const below = numberOf(node.get("below"));
  const above = numberOf(node.get("above"));
  if (metric === "error_rate" && node.get("above") !== undefined) {
    texts.fault(
      node.entry("above")!,
      "guard",
      "a guard on `error_rate` goes with `below`: `above` would ask for failures",
    );
  }
  if (node.get("below") === undefined && node.get("above") === undefined) {
    texts.fault(node.entries[0] ?? node, "one-of", "a guard needs `below` or `above`");
  }
  if (metric === "error_rate" && below !== undefined && (below < 0 || below > 1)) {
    texts.fault(
      node.entry("below")!,
      "guard",
      `an \`error_rate\` is a share from 0 to 1, not ${below}: write 0.02 for 2 %`,
    );
  }
  if (metric !== "error_rate" && below !== undefined && below <= 0) {
    texts.fault(
      node.entry("below")!,
      "guard",
      `nothing is below ${below}: a guard's \`below\` is above 0`,
    );
  }
  if (above !== undefined && above < 0) {
    texts.fault(
      node.entry("above")!,
      "guard",
      `everything is above ${above}: a guard's \`above\` is at least 0`,
    );
  }
  if (below !== undefined && above !== undefined && above >= below) {
    texts.fault(
      node.entry("above")!,
      "guard",
      `nothing is above ${above} and below ${below}: \`above\` is less than \`below\``,
    );
  }
  return {
    metric,
    of: stepOf(node, steps, texts),
    ...optional("below", below),
    ...optional("above", above),
  };
}

function compileWindow(node: Mapping, texts: Texts): TuneContract["blackout"][number] {
  const { cron, timezone } = compileCron(node, texts);
  const forMs = durationOf(node.get("for"), texts) ?? 0;
  const gap = cronProblem(cron) === undefined ? longestGapMs(cron) : undefined;
  if (gap !== undefined && forMs >= gap) {
    texts.fault(
      node.get("for")!,
      "blackout",
      `this window never closes: it opens again before ${textOf(node.get("for"))} are over`,
    );
  }
  return { cron, ...optional("timezone", timezone), forMs };
}

function stepOf(node: Mapping, steps: Graph, texts: Texts): string {
  const at = node.get("of");
  const id = textOf(at);
  if (at !== undefined && id !== undefined && !steps.has(id)) {
    texts.unknown(at, `no step has the id \`${id}\``, steps.ids());
  }
  return id ?? "";
}
