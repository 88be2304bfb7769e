import type { JsonObject } from "../core/json.ts";
import type { Parameter } from "../core/parameter.ts";
import type { LedgerEntry, Verdict } from "../core/proposal.ts";
import type { ParameterState, TunedWorkflow } from "../core/tuning.ts";
import { ago, value } from "./figures.ts";
import { iso } from "./runs_table.ts";
import type { Style } from "./style.ts";
import { clean, fit, hanging, indented, pad, width, wrap } from "./text.ts";

/** How a terminal is drawn on: the time now (nanoseconds since the epoch) and the columns. */
export interface View {
  /** For ages. */
  readonly now: bigint;
  /** What lines are broken at. */
  readonly columns: number;
}

// A sentence beside a table's other columns is broken too often in less than this, and stands below them.
const LEAST_BESIDE = 40;

/** A workflow's tunable parameters as a table, and what waits for a person. */
export function listLines(
  tuned: TunedWorkflow,
  file: string,
  { columns }: View,
  style: Style,
): string[] {
  const { workflow, version, parameters, held, tested } = tuned;
  const title = `${style.bold(clean(workflow))} ${
    style.dim(version === 0 ? "nothing has been changed yet" : `version ${version}`)
  }`;
  if (parameters.length === 0) {
    return [title, "No parameter has a `tune:`, so nothing may change."];
  }
  const table = columned([
    ["parameter", "value", "source", "default", "bounds", "mode", "apply", ""],
    ...parameters.map((state) => [
      clean(state.parameter.name),
      fit(value(state.value), 24),
      state.source,
      fit(value(state.parameter.default ?? null), 24),
      fit(boundsText(state.parameter), 40),
      state.parameter.tune!.mode,
      state.parameter.tune!.apply.replace("_", " "),
      marksText(state),
    ]),
  ]);
  const told = Math.max(...table.map(width)) <= columns
    ? table.map((line, index) => index === 0 ? style.dim(line) : line)
    : parameters.flatMap((state) => parameterLines(state, columns, style));
  const trial = tested === undefined ? [] : [
    "",
    ...hanging(
      `${style.cyan("~")} ${style.bold(`change ${tested.number}`)} by ${
        author(tested)
      } is under measurement: ${clean(tested.decision.message)}`,
      columns,
    ),
    ...indented(`why: ${clean(tested.proposal.reason)}`, 2, columns),
    ...orderLines(`spanloop params revert ${file} ${tested.number}`, "(ends it)", columns, style),
  ];
  const waiting = held.flatMap((entry) => [
    "",
    ...hanging(
      `${style.yellow("!")} ${style.bold(`change ${entry.number}`)} by ${
        author(entry)
      } is held for you: ${clean(entry.decision.message)}`,
      columns,
    ),
    ...indented(`why: ${clean(entry.proposal.reason)}`, 2, columns),
    ...orderLines(`spanloop params accept ${file} ${entry.number}`, "(or reject)", columns, style),
  ]);
  return [title, "", ...told, ...trial, ...waiting];
}

// A command is one line, to be copied; what is said of it goes below where there is no room beside it.
function orderLines(order: string, note: string, columns: number, style: Style): string[] {
  const line = `  ${order}   ${note}`;
  const told = width(line) <= columns ? [line] : [`  ${order}`, `  ${note}`];
  return told.map((one) => style.dim(one));
}

// A row of the table where the table is too wide.
function parameterLines(state: ParameterState, columns: number, style: Style): string[] {
  const { parameter, source } = state;
  const marks = marksText(state);
  const head = `${style.bold(clean(parameter.name))} is ${style.bold(value(state.value))}, ${
    source === "default" ? "the default" : `${source}, default ${value(parameter.default ?? null)}`
  }${marks === "" ? "" : `, ${marks}`}`;
  return [...hanging(head, columns), ...indented(tuneText(parameter), 2, columns)];
}

function marksText({ frozen, change }: ParameterState): string {
  return [
    ...frozen ? ["frozen"] : [],
    ...change === undefined ? [] : [`change ${change.number}`],
  ].join(", ");
}

function tuneText(parameter: Parameter): string {
  const { mode, apply } = parameter.tune!;
  return `${boundsText(parameter)}, mode ${mode}, apply ${apply.replace("_", " ")}`;
}

/** Where a parameter's value comes from, and what happened to it before. */
export function explainLines(
  state: ParameterState,
  history: readonly LedgerEntry[],
  view: View,
  style: Style,
): string[] {
  const { parameter, source, change, frozen } = state;
  const facts: string[] = [];
  if (source === "environment") {
    facts.push("from the environment, over what is tuned and the file's default");
  } else if (change === undefined) {
    facts.push(`the file's default${state.value === null ? ": none, a run must be given it" : ""}`);
  }
  if (change !== undefined) {
    const { proposal, decision, number } = change;
    facts.push(
      `tuned by change ${number} of ${author(change)}, ${ago(proposal.at, view.now)}`,
      `why: ${clean(proposal.reason)}`,
      `${clean(decision.message)} (${decision.rule})`,
      ...proposal.evidence.map(({ traceId, spanId }) =>
        style.dim(`evidence: span ${clean(spanId)} of trace ${clean(traceId)}`)
      ),
    );
    if (change.answers !== undefined) facts.push(`which answers change ${change.answers}`);
  }
  facts.push(`the file: default ${value(parameter.default ?? null)}, ${tuneText(parameter)}`);
  if (frozen) facts.push(`${style.yellow("frozen")}: no plugin changes it`);
  return [
    `${style.bold(clean(parameter.name))} is ${style.bold(value(state.value))}`,
    ...facts.flatMap((fact) => indented(fact, 2, view.columns)),
    ...history.length === 0 ? [] : ["", ...historyLines(history, view, style)],
  ];
}

/** Entries of the ledger, newest first as they come: a table, or where that is too wide a paragraph each. */
export function historyLines(
  entries: readonly LedgerEntry[],
  view: View,
  style: Style,
): string[] {
  if (entries.length === 0) return ["Nothing has been proposed yet."];
  const table = columned([
    ["change", "when", "by", "outcome", "rule", ""],
    ...entries.map((entry) => [
      String(entry.number),
      ago(entry.proposal.at, view.now),
      author(entry),
      entry.decision.outcome,
      entry.decision.rule,
      "",
    ]),
  ]);
  const left = Math.max(...table.map(width)) + 2;
  if (view.columns - left < LEAST_BESIDE) {
    return entries.flatMap((entry) => entryLines(entry, view, style));
  }
  const [title, ...rows] = table;
  return [
    style.dim(`${pad(title, left)}what`),
    ...rows.flatMap((row, index) =>
      wrap(clean(entries[index].decision.message), view.columns - left)
        .map((line, part) => pad(part === 0 ? row : "", left) + line)
    ),
  ];
}

function entryLines(entry: LedgerEntry, { now, columns }: View, style: Style): string[] {
  const { number, proposal, decision } = entry;
  const head = `${style.bold(`change ${number}`)} of ${author(entry)}, ${
    ago(proposal.at, now)
  }: ${decision.outcome} (${decision.rule})`;
  return [...hanging(head, columns), ...indented(clean(decision.message), 2, columns)];
}

/** What came of an order, on one line. */
export function entryLine({ number, decision, version }: LedgerEntry): string {
  const made = version === undefined ? "" : ` (version ${version})`;
  return `Change ${number}: ${clean(decision.message)}${made}`;
}

/** A table's entry as `--json` prints it. */
export function stateJson(
  { parameter, value, source, frozen, change }: ParameterState,
): JsonObject {
  const { min, max, step, maxStep, scale, mode, apply, choices } = parameter.tune!;
  return {
    name: parameter.name,
    type: parameter.type,
    value,
    source,
    default: parameter.default ?? null,
    min: min ?? null,
    max: max ?? null,
    step: step ?? null,
    scale,
    max_step: maxStep === undefined ? null : { ...maxStep },
    choices: choices ?? parameter.values ?? null,
    mode,
    apply,
    frozen,
    change: change?.number ?? null,
  };
}

/** A ledger entry as `--json` prints it. */
export function entryJson(entry: LedgerEntry): JsonObject {
  const { number, proposal, decision, before, version, answers, verdict } = entry;
  return {
    change: number,
    proposal: proposal.id,
    workflow: proposal.workflow,
    at: iso(proposal.at),
    author: { ...proposal.author },
    changes: proposal.changes,
    reason: proposal.reason,
    evidence: proposal.evidence.map(({ traceId, spanId }) => ({
      trace_id: traceId,
      span_id: spanId,
    })),
    frozen: proposal.frozen ?? null,
    exposure: proposal.exposure ?? null,
    immediate: proposal.immediate ?? false,
    outcome: decision.outcome,
    rule: decision.rule,
    message: decision.message,
    values: decision.values,
    clamped: decision.clamped,
    before,
    version: version ?? null,
    answers: answers ?? null,
    verdict: verdict === undefined ? null : verdictJson(verdict),
  };
}

function verdictJson({ effect, guards, ...verdict }: Verdict): JsonObject {
  return {
    ...verdict,
    effect: effect === undefined ? null : { ...effect },
    guards: guards.map(({ value, ...guard }) => ({ ...guard, value: value ?? null })),
  };
}

/** Who asked, in words. */
export function author({ proposal }: LedgerEntry): string {
  const { kind } = proposal.author;
  if (kind === "plugin") return `the plugin ${clean(proposal.author.name)}`;
  return { person: "a person", file: "the file", engine: "the engine" }[kind];
}

/** What binds a parameter, in words. */
export function boundsText({ values, tune }: Parameter): string {
  const { min, max, step, maxStep, choices = values } = tune!;
  if (choices !== undefined) return clean(choices.join(", "));
  const parts = [`${min ?? ""} to ${max ?? ""}`.trim()];
  if (step !== undefined) parts.push(`step ${step}`);
  if (maxStep !== undefined) {
    parts.push(`at most ${"factor" in maxStep ? `${maxStep.factor}x` : maxStep.amount} at once`);
  }
  return parts.join(", ");
}

function columned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => width(row[column]))));
  return rows.map((row) =>
    row.map((cell, column) => column === row.length - 1 ? cell : pad(cell, widths[column]))
      .join("  ").trimEnd()
  );
}
