import type { Json } from "../core/json.ts";
import type { PluginContext } from "../core/plugin.ts";
import type { Store } from "../core/store.ts";
import type { TuneContract } from "../core/workflow.ts";
import { experimentOf, verdictOn } from "../parameters/conclusion.ts";
import {
  type Before,
  type Compared,
  nothingCompared,
  underGuards,
} from "../parameters/evidence.ts";
import { LastCounts } from "./last_counts.ts";
import { seconds } from "./plugin_span.ts";

// Experiments that are over, whose last attempts may still come.
const MOST_OVER = 20;
const KNOWN = "experiment";
const OVER = "over";

/**
 * What is to be done once a run is over: the next experiment may `begin`; the one that is known was ended by somebody, and
 * its verdict is to be withdrawn; it goes on; or nothing.
 */
export type Next = "begin" | "withdraw" | "go_on" | undefined;

/**
 * What is known of the experiment that is open, in a plugin's state.
 *
 * Invariant: T3 (what the ledger says of later than `now` is of a process that has gone on from here, and is gone: it
 * counts for nothing, so that the same spans lead to the same verdicts).
 */
export class OpenExperiment {
  readonly #workflow: string;
  readonly #store: Pick<Store, "snapshot" | "ledger">;
  readonly #context: Pick<PluginContext, "state" | "now">;
  readonly #guards: TuneContract["guards"];
  readonly #before: Before;

  /** Of a workflow with these guards, as of the event that is handled. */
  constructor(
    of: { readonly workflow: string; readonly store: Pick<Store, "snapshot" | "ledger"> },
    context: Pick<PluginContext, "state" | "now">,
    guards: TuneContract["guards"],
  ) {
    this.#workflow = of.workflow;
    this.#store = of.store;
    this.#context = context;
    this.#guards = guards;
    const last = new LastCounts(context.state);
    this.#before = (step, values) => last.under(step, values);
  }

  /** What is known; undefined: none is known to be open. */
  get known(): Compared | undefined {
    return this.#context.state.get(KNOWN) as unknown as Compared | undefined;
  }

  /** Keeps it. */
  save(compared: Compared): void {
    this.#context.state.set(KNOWN, compared as unknown as Json);
  }

  /** It is over: what its last attempts say counts no more. */
  end(id: string): void {
    const { state } = this.#context;
    if (this.known?.id === id) state.delete(KNOWN);
    const over = [...this.#over.filter((one) => one !== id), id];
    state.set(OVER, over.slice(-MOST_OVER));
  }

  /**
   * What is known of an experiment, if it is not over. `replaced` is called for one whose place it takes, which is known
   * to be over by that. Throws StoreError.
   */
  async find(id: string, replaced: (other: Compared) => void): Promise<Compared | undefined> {
    const { known } = this;
    if (known?.id === id) return underGuards(known, this.#guards, this.#before);
    if (this.#over.includes(id)) return undefined;
    const experiment = (await experimentOf(this.#store, this.#workflow, id))?.experiment;
    const verdict = experiment === undefined ? undefined : await verdictOn(this.#store, id);
    const isOver = experiment === undefined ||
      known !== undefined && experiment.since < BigInt(known.since) ||
      verdict !== undefined && seconds(verdict.proposal.at) < this.#context.now;
    if (isOver) {
      this.end(id);
      return undefined;
    }
    if (known !== undefined) replaced(known);
    const begun = nothingCompared(experiment, this.#guards, this.#before);
    this.save(begun);
    return begun;
  }

  /** Looks which one is open now. One that nobody has heard of yet is known from here on. Throws StoreError. */
  async look(): Promise<Next> {
    const { experiment } = await this.#store.snapshot(this.#workflow);
    const { known } = this;
    if (known !== undefined && known.id !== experiment?.id) {
      const verdict = await verdictOn(this.#store, known.id);
      return verdict !== undefined && this.#isLater(verdict.proposal.at) ? undefined : "withdraw";
    }
    if (experiment === undefined) return "begin";
    if (known !== undefined) return "go_on";
    if (this.#isLater(experiment.since)) return undefined;
    // One that was to be concluded, while the file did not hold, is gone on with.
    this.#context.state.set(OVER, this.#over.filter((id) => id !== experiment.id));
    this.save(nothingCompared(experiment, this.#guards, this.#before));
  }

  get #over(): readonly string[] {
    return (this.#context.state.get(OVER) ?? []) as readonly string[];
  }

  #isLater(at: bigint): boolean {
    return seconds(at) > this.#context.now;
  }
}
