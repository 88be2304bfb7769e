import type { Parts } from "./assembly.ts";
import type { Clock } from "./core/clock.ts";
import { InvalidError, messageOf, SpanloopError } from "./core/errors.ts";
import type { Ids } from "./core/ids.ts";
import type { Json } from "./core/json.ts";
import type { Parameter } from "./core/parameter.ts";
import type { LedgerEntry } from "./core/proposal.ts";
import type { OrderOptions, ParameterState, Pinned, TunedWorkflow, Tuning } from "./core/tuning.ts";
import type { TuningReport } from "./core/tuning_report.ts";
import type { Workflow } from "./core/workflow.ts";
import type { Entered } from "./parameters/entries.ts";
import type { Order, ParameterLedger } from "./parameters/ledger.ts";
import { parameterVariable } from "./plan/bind.ts";
import { parseValue } from "./spec/values.ts";
import { openLedger, type StandingValues, standingValues } from "./standing_values.ts";
import type { WorkflowFiles } from "./workflow_files.ts";

/** What people's orders need of the engine. */
export interface TuningPorts {
  /** Time. */
  readonly clock: Clock;
  /** Ids for orders. */
  readonly ids: Ids;
  /** The process's environment, which rules over tuned values (V3). */
  readonly environment: Readonly<Record<string, string>>;
  /** Workflow files. */
  readonly files: WorkflowFiles;
  /** The layers on the store, if there is one. */
  readonly existing: () => Promise<Parts | undefined>;
  /** The layers on the store, which is made if need be and has the workflow's name tied to its file (R1). */
  readonly registered: (workflow: Workflow) => Promise<Parts>;
}

// More entries than this about one parameter are read by nobody.
const MOST_ENTRIES = 1_000;

/** See Tuning: on the store of this engine. */
export class LocalTuning implements Tuning {
  readonly #ports: TuningPorts;

  /** Uses the engine's ports. */
  constructor(ports: TuningPorts) {
    this.#ports = ports;
  }

  /** See Tuning. */
  list(file: string, display?: string): Promise<TunedWorkflow> {
    return Promise.try(() => this.#list(this.#load(file, display)));
  }

  /** See Engine. */
  async report(file?: string, display?: string): Promise<readonly TuningReport[]> {
    const { reportTuning, tunedWorkflows } = await import("./tuning_report.ts");
    const { clock, files, existing } = this.#ports;
    const store = (await existing())?.store;
    const ports = { clock, files, store, tuned: (workflow: Workflow) => this.#list(workflow) };
    const workflows = file === undefined
      ? await tunedWorkflows(ports)
      : [this.#load(file, display)];
    const reports: TuningReport[] = [];
    for (const workflow of workflows) reports.push(await reportTuning(ports, workflow));
    return reports;
  }

  async #list(workflow: Workflow): Promise<TunedWorkflow> {
    const parts = await this.#ports.existing();
    const standing = parts === undefined ? undefined : await standingValues(parts, workflow);
    const parameters: ParameterState[] = [];
    for (const parameter of workflow.params.values()) {
      if (parameter.tune === undefined) continue;
      parameters.push(await this.#state(workflow, parameter, parts, standing));
    }
    const experiment = standing?.edited ? undefined : standing?.snapshot.experiment;
    const [tested] = experiment === undefined
      ? []
      : await parts!.store.ledger({ proposal: experiment.id, limit: 1 });
    return {
      workflow: workflow.name,
      version: standing?.snapshot.version ?? 0,
      parameters,
      ...tested === undefined ? {} : { tested },
      held: parts === undefined
        ? []
        : (await (await openLedger(parts)).unanswered(workflow)).toReversed(),
    };
  }

  /** See Tuning. */
  async history(
    file: string,
    { parameter, limit, display }: {
      readonly parameter?: string;
      readonly limit?: number;
      readonly display?: string;
    } = {},
  ): Promise<readonly LedgerEntry[]> {
    const workflow = this.#load(file, display);
    const parts = await this.#ports.existing();
    return await parts?.store.ledger({ workflow: workflow.name, parameter, limit }) ?? [];
  }

  /** See Tuning. */
  set(
    file: string,
    given: Readonly<Record<string, string>>,
    options: OrderOptions = {},
  ): Promise<LedgerEntry> {
    return this.#order(file, options, (ledger, workflow, order) => {
      const changes: [string, Json][] = [];
      const problems: string[] = [];
      for (const [name, text] of Object.entries(given)) {
        const parameter = workflow.params.get(name);
        // What is no parameter is left to the ledger, which says so.
        const read = parameter?.tune === undefined ? { value: text } : parseValue(parameter, text);
        if ("problem" in read) problems.push(read.problem);
        else changes.push([name, read.value]);
      }
      if (problems.length > 0) {
        throw new SpanloopError("params.invalid", problems.join("\n"), { exitCode: 2 });
      }
      return ledger.set(workflow, Object.fromEntries(changes), order);
    });
  }

  /** See Tuning. */
  freeze(
    file: string,
    names: readonly string[],
    frozen: boolean,
    options: OrderOptions = {},
  ): Promise<LedgerEntry> {
    return this.#order(
      file,
      options,
      (ledger, workflow, order) => ledger.freeze(workflow, names, frozen, order),
    );
  }

  /** See Tuning. */
  revert(file: string, number: number, options: OrderOptions = {}): Promise<LedgerEntry> {
    return this.#order(
      file,
      options,
      (ledger, workflow, order) => ledger.revert(workflow, number, order),
    );
  }

  /** See Tuning. */
  answer(
    file: string,
    number: number,
    accept: boolean,
    options: OrderOptions = {},
  ): Promise<LedgerEntry> {
    return this.#order(
      file,
      options,
      (ledger, workflow, order) =>
        accept ? ledger.accept(workflow, number, order) : ledger.reject(workflow, number, order),
    );
  }

  /** See Tuning. */
  async pin(
    file: string,
    names: readonly string[],
    confirm: (pinned: Pinned) => boolean | Promise<boolean>,
    display = file,
  ): Promise<Pinned> {
    const workflow = this.#load(file, display);
    const parts = await this.#ports.existing();
    const tuned = parts === undefined ? {} : (await standingValues(parts, workflow)).values;
    const before = workflow.text;
    const values = wantedOf(workflow, tuned, names);
    if (Object.keys(values).length === 0) return { values, before, after: before, written: false };
    const { pinDefaults } = await import("./spec/pin_defaults.ts");
    const pinned = { values, before, after: pinDefaults(before, values), written: false };
    if (!await confirm(pinned)) return pinned;
    await overwrite(file, pinned, display, `${this.#ports.ids.runId()}.tmp`);
    const now = this.#load(file, display);
    const ledger = await openLedger(await this.#ports.registered(now));
    await ledger.reconcile(now, this.#ports.clock.now());
    return { ...pinned, written: true };
  }

  async #order(
    file: string,
    { display, reason }: OrderOptions,
    give: (ledger: ParameterLedger, workflow: Workflow, order: Order) => Promise<Entered>,
  ): Promise<LedgerEntry> {
    const workflow = this.#load(file, display);
    const at = this.#ports.clock.now();
    const order = { id: `person/${this.#ports.ids.runId()}`, at, reason };
    // What does not hold makes no store.
    if (await this.#ports.existing() === undefined) {
      await onNoStore((ledger) => give(ledger, workflow, order));
    }
    const parts = await this.#ports.registered(workflow);
    const ledger = await openLedger(parts);
    // An order stands on the file as it is now.
    if ((await standingValues(parts, workflow)).edited) await ledger.reconcile(workflow, at);
    return (await give(ledger, workflow, order)).entry;
  }

  async #state(
    workflow: Workflow,
    parameter: Parameter,
    parts: Parts | undefined,
    standing: StandingValues | undefined,
  ): Promise<ParameterState> {
    const { name } = parameter;
    const frozen = standing?.snapshot.frozen.includes(name) ?? false;
    const values = standing?.values ?? {};
    const tuned = Object.hasOwn(values, name) ? values[name] : undefined;
    const change = tuned === undefined ? undefined : await changeOf(parts, workflow, name);
    const state = { parameter, frozen, ...change === undefined ? {} : { change } };
    const variable = this.#ports.environment[parameterVariable(name)];
    const given = variable === undefined ? undefined : parseValue(parameter, variable);
    if (given !== undefined && "value" in given) {
      return { ...state, value: given.value, source: "environment" };
    }
    if (tuned !== undefined) return { ...state, value: tuned, source: "tuned" };
    return { ...state, value: parameter.default ?? null, source: "default" };
  }

  #load(file: string, display?: string): Workflow {
    return this.#ports.files.load(file, display).plan.workflow;
  }
}

// Tries an order where nothing has been changed yet; throws what it throws.
async function onNoStore(give: (ledger: ParameterLedger) => Promise<Entered>): Promise<void> {
  const { openStore } = await import("./store/open.ts");
  const store = await openStore("memory:", { durability: "normal" });
  try {
    await give(await openLedger({ store }));
  } finally {
    await store.close();
  }
}

async function changeOf(
  parts: Parts | undefined,
  { name: workflow }: Workflow,
  parameter: string,
): Promise<LedgerEntry | undefined> {
  const entries = await parts?.store.ledger({
    workflow,
    parameter,
    outcome: "applied",
    limit: MOST_ENTRIES,
  });
  return entries?.find(({ decision }) => Object.hasOwn(decision.values, parameter));
}

function wantedOf(
  workflow: Workflow,
  tuned: StandingValues["values"],
  names: readonly string[],
): Pinned["values"] {
  for (const name of names) {
    if (workflow.params.has(name) && Object.hasOwn(tuned, name)) continue;
    const problem = workflow.params.has(name)
      ? "it has no tuned value, the file's default rules"
      : `it is not a parameter of ${workflow.name}`;
    throw new InvalidError(`Cannot pin ${name}: ${problem}`);
  }
  return Object.fromEntries(
    (names.length === 0 ? Object.keys(tuned) : names)
      .filter((name) => tuned[name] !== workflow.params.get(name)?.default)
      .map((name) => [name, tuned[name]]),
  );
}

// Whole or not at all, and only over what was read: a person may have the file open in an editor.
async function overwrite(
  file: string,
  { before, after }: Pinned,
  display: string,
  ending: string,
): Promise<void> {
  const fail = (why: string, cause?: unknown) =>
    new SpanloopError("file.unwritable", `Cannot write ${display}: ${why}`, { cause, exitCode: 2 });
  let beside: string | undefined;
  try {
    // What a link leads to is replaced, not the link.
    const path = await Deno.realPath(file);
    const bytes = await Deno.readFile(path);
    if (new TextDecoder().decode(bytes) !== before) {
      throw fail("it has changed meanwhile; do it again");
    }
    const mark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? "\ufeff" : "";
    const { mode } = await Deno.stat(path);
    const name = `${path}.${ending}`;
    await Deno.writeTextFile(name, mark + after, { createNew: true });
    beside = name;
    if (mode !== null) await Deno.chmod(name, mode & 0o7777);
    await Deno.rename(name, path);
    beside = undefined;
  } catch (thrown) {
    if (thrown instanceof SpanloopError) throw thrown;
    throw fail(messageOf(thrown), thrown);
  } finally {
    // A file that cannot be removed either is the lesser fault.
    if (beside !== undefined) await Deno.remove(beside).catch(() => undefined);
  }
}
