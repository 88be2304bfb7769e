import { SPANLOOP_REACTION_DEPTH } from "../semconv/attributes.ts";
import { SpanloopError } from "./core/errors.ts";
import type { Scope } from "./core/scope.ts";
import type { Workflow } from "./core/workflow.ts";
import type { Binding } from "./plan/bind.ts";
import { toText } from "./run/template_values.ts";
import type { StartRequest } from "./run/runner.ts";
import type { W3cPropagation } from "./telemetry/propagation.ts";

/**
 * What a run that is about to start has of its caller's context, with what its workflow's `baggage:` sets. Throws
 * SpanloopError `baggage.secret` for a value that holds a secret, and ExpressionError.
 */
export async function traceOf(
  propagation: W3cPropagation,
  run: { readonly workflow: Workflow; readonly binding: Binding; readonly runId: string },
  caller: StartRequest["trace"],
): Promise<StartRequest["trace"]> {
  const { baggage: _, context: inherited, warnings = [], ...trace } = caller;
  const { fromCaller } = run.workflow.baggage;
  const merged = await propagation.merge(caller.baggage, {
    set: valuesOf(run),
    fromCaller,
    inherited,
  });
  const { baggage, context } = merged;
  const reactionDepth = reactionDepthOf(baggage);
  return {
    ...trace,
    ...(reactionDepth === undefined ? {} : { reactionDepth }),
    ...(baggage === undefined ? {} : { baggage }),
    ...(Object.keys(context).length === 0 ? {} : { context }),
    warnings: [...warnings, ...merged.warnings],
  };
}

// A caller may have put there anything.
const DEPTH = new RegExp(
  `(?:^|,)\\s*${SPANLOOP_REACTION_DEPTH.replaceAll(".", "\\.")}\\s*=\\s*(\\d{1,3})`,
);

/** How many reactions a baggage header says have led to what carries it; undefined: none (H2). */
export function reactionDepthOf(baggage: string | undefined): number | undefined {
  const depth = Number(baggage === undefined ? 0 : DEPTH.exec(baggage)?.[1] ?? 0);
  return depth > 0 ? depth : undefined;
}

/** The baggage of a run that so many reactions have led to. */
export function reactionBaggage(depth: number): string {
  return `${SPANLOOP_REACTION_DEPTH}=${depth}`;
}

function valuesOf(
  { workflow, binding, runId }: Parameters<typeof traceOf>[1],
): Record<string, string> {
  const scope: Scope = {
    params: binding.params,
    env: {},
    steps: {},
    run: { id: runId, name: workflow.name, status: "running", error: null },
  };
  const values: [string, string][] = [];
  for (const [name, template] of Object.entries(workflow.baggage.set)) {
    const text = toText(template.evaluate(scope));
    // An ordinary parameter may be given what a secret holds.
    if (binding.masker.text(text) !== text) {
      throw new SpanloopError(
        "baggage.secret",
        `Cannot start ${workflow.name}: \`baggage.${name}\` would hold a secret, and baggage goes in plain ` +
          "text to every process and service that the run calls; take it out",
        { exitCode: 2 },
      );
    }
    // W3C's libraries take a member without a value for none.
    if (text !== "") values.push([name, text]);
  }
  return Object.fromEntries(values);
}
