/** A workflow as the plugin sees it: what it measures and decides reaches the plugin as the engine's spans. */
import type { Json, JsonObject, ProposeAction, TunableParameters } from "spanloop";
import {
  type GivenParameters,
  type GivenSpan,
  type OpenedPlugin,
  openPlugin,
} from "spanloop/testing";
import plugin from "./plugin.ts";
import { random } from "./random.ts";

/** What there is to know of the workflow, and of the world that it runs in. */
export interface Given {
  /** Its tunable parameters. */
  readonly parameters: GivenParameters;
  /** The objective's true value. */
  readonly objective: (values: Values) => number;
  /** The true share of items that fail at first; none when absent. */
  readonly errors?: (values: Values) => number;
  /** What is better; minimize when absent. */
  readonly direction?: "minimize" | "maximize";
  /** The error rate's guard; none when absent. */
  readonly below?: number;
  /** Its configuration. */
  readonly config?: JsonObject;
  /** What it has kept before. */
  readonly state?: Readonly<Record<string, Json>>;
  /** Where chance begins. */
  readonly seed: number;
}

/** Values by parameter. */
export type Values = Readonly<Record<string, Json>>;

type Contract = Omit<TunableParameters, "parameters">;

const ITEMS = 500;
const NOISE = 0.05;

/** See the top of this file. Close it in the end. */
export class World {
  /** What was proposed, in order. */
  readonly proposals: ProposeAction[] = [];
  /** What was tried, with what was done about it. */
  readonly verdicts: { readonly values: Values; readonly action: string }[] = [];
  /** The parameters now; may be changed. */
  parameters: Record<string, GivenParameters[string]>;
  /** What is tuned for now; may be changed. */
  contract: Contract;
  /** The plugin. */
  plugin!: OpenedPlugin;
  /** The true share of items that fail now; may be changed. */
  errors: (values: Values) => number;
  /** Whether a proposal is tried; otherwise nothing comes of it. */
  accepts = true;
  readonly #given: Given;
  readonly #dice;
  #time = 1_800_000_000;

  private constructor(given: Given) {
    this.#given = given;
    this.errors = given.errors ?? (() => 0);
    this.#dice = random(given.seed, 1);
    this.parameters = { ...given.parameters };
    this.contract = {
      version: 0,
      objective: {
        direction: given.direction ?? "minimize",
        expression: "duration / items",
        of: "load",
      },
      guards: given.below === undefined
        ? []
        : [{ metric: "error_rate", of: "load", below: given.below }],
    };
  }

  /** Opens the plugin beside a workflow. */
  static async open(given: Given): Promise<World> {
    const world = new World(given);
    world.plugin = await openPlugin(plugin, {
      config: given.config,
      state: given.state,
      workflow: "orders",
      parameters: () => world.parameters,
      contract: () => world.contract,
    });
    return world;
  }

  /** The values that rule. */
  get ruling(): Values {
    return Object.fromEntries(
      Object.entries(this.parameters).map(([name, { value = null }]) => [name, value]),
    );
  }

  /** The experiment that is open. */
  get experiment(): Contract["experiment"] {
    return this.contract.experiment;
  }

  /** A run, and after it what it decides: an experiment ends with the run that it began before. */
  async run(): Promise<void> {
    const open = this.experiment;
    const { exposure = 0 } = open ?? {};
    const arms = [
      { values: this.ruling, share: 1 - exposure },
      ...open === undefined
        ? []
        : [{ values: { ...this.ruling, ...open.values }, share: exposure }],
    ].map(({ values, share }) => this.#arm(values, Math.max(1, Math.round(ITEMS * share))));
    if (open !== undefined) this.#conclude(open);
    await this.tell("experiment.measurement", {
      ...open !== undefined && { "spanloop.experiment.id": open.id },
      "spanloop.measurement.arms": open === undefined ? ["incumbent"] : ["incumbent", "candidate"],
      "spanloop.measurement.values": arms.map(({ values }) => JSON.stringify(values)),
      "spanloop.measurement.objectives": arms.map(({ objective }) => objective),
      "spanloop.measurement.items": arms.map(({ items }) => items),
      "spanloop.measurement.failed": arms.map(({ failed }) => failed),
    });
    if (open === undefined) return;
    const { values, action } = this.verdicts.at(-1)!;
    await this.tell("experiment.verdict", {
      "spanloop.experiment.id": open.id,
      "spanloop.experiment.values": JSON.stringify(values),
      "spanloop.experiment.incumbent": JSON.stringify(open.incumbent),
      "spanloop.verdict.outcome": action === "kept" ? "improved" : "inconclusive",
      "spanloop.verdict.action": action,
      "spanloop.verdict.ended": "interval",
      "spanloop.verdict.message": `${JSON.stringify(values)}: ${action}`,
    });
  }

  /** Lets the plugin hear a span of the engine's, and begins what it proposes. */
  async tell(name: string, attributes: JsonObject, more: GivenSpan = {}): Promise<void> {
    this.#time += 600;
    const actions = await this.plugin.span({
      name,
      plugin: "experiments",
      workflow: "orders",
      runId: `run-${this.#time}`,
      stepId: "load",
      startTime: this.#time,
      attributes,
      ...more,
    });
    for (const action of actions) if (action.type === "propose") this.#begin(action);
  }

  // By the true values: what a verdict says when it is right.
  #conclude({ values }: NonNullable<Contract["experiment"]>): void {
    const { objective, below = 1, direction } = this.#given;
    const tried = { ...this.ruling, ...values };
    const ratio = objective(this.ruling) / objective(tried);
    const better = direction === "maximize" ? 1 / ratio : ratio;
    const action = better > 1.05 && this.errors(tried) < below ? "kept" : "rolled_back";
    this.verdicts.push({ values, action });
    const { experiment: _, ...contract } = this.contract;
    this.contract = { ...contract, version: contract.version + 1 };
    if (action === "rolled_back") return;
    for (const [name, value] of Object.entries(values)) {
      this.parameters[name] = { ...this.parameters[name], value };
    }
  }

  #begin(action: ProposeAction): void {
    this.proposals.push(action);
    if (!this.accepts) return;
    if (action.immediate) {
      const { experiment: _, ...contract } = this.contract;
      this.contract = { ...contract, version: contract.version + 1 };
      for (const [name, value] of Object.entries(action.changes)) {
        this.parameters[name] = { ...this.parameters[name], value };
      }
      return;
    }
    const { changes: values, exposure = 0.1 } = action;
    const version = this.contract.version + 1;
    const id = `optimizer@orders/${version}/0`;
    const experiment = { id, values, incumbent: this.ruling, exposure, since: this.#time };
    this.contract = { ...this.contract, version, experiment };
  }

  #arm(values: Values, items: number) {
    const rate = this.errors(values);
    let failed = 0;
    for (let i = 0; i < items; i++) if (this.#dice.next() < rate) failed++;
    const objective = this.#given.objective(values) * Math.exp(NOISE * this.#dice.normal());
    return { values, items, failed, objective };
  }
}
