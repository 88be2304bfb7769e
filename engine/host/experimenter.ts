import {
  CICD_PIPELINE_NAME,
  SPANLOOP_EXPERIMENT_ID,
  SPANLOOP_MEASUREMENT_ARMS,
  SPANLOOP_MEASUREMENT_DURATIONS,
  SPANLOOP_MEASUREMENT_FAILED,
  SPANLOOP_MEASUREMENT_ITEMS,
  SPANLOOP_MEASUREMENT_OBJECTIVES,
  SPANLOOP_MEASUREMENT_VALUES,
  SPANLOOP_STEP_ID,
} from "../../semconv/attributes.ts";
import type { EmitAction } from "../core/action.ts";
import type { Json } from "../core/json.ts";
import type {
  PluginContext,
  PluginDefinition,
  PluginSpan,
  PluginState,
  SpanEvent,
} from "../core/plugin.ts";
import type { Arm, Verdict } from "../core/proposal.ts";
import type { Scope } from "../core/scope.ts";
import type { RunSummary, Store } from "../core/store.ts";
import type { TuneContract, Workflow } from "../core/workflow.ts";
import {
  type Compared,
  mayBreach,
  nothingCompared,
  type Now,
  underGuards,
  verdictOf,
  withCount,
  withdrawnVerdict,
  withPair,
  withRun,
  withSpan,
  withValue,
  withWhole,
} from "../parameters/evidence.ts";
import {
  added,
  type ArmTotal,
  broken,
  countOf,
  isWhole,
  NOTHING,
  observe,
  type Piece,
  settledCountOf,
  type StepTally,
} from "../parameters/measure.ts";
import { experimentOf, verdictOn } from "../parameters/ledger.ts";
import type { Count } from "../parameters/verdict.ts";
import type { EngineAction } from "./conclusion.ts";
import { attemptOf, workOf } from "./measured_span.ts";
import { seconds } from "./plugin_span.ts";

/** What is measured of a workflow; plain JSON, so that a file that says something else begins anew. */
export interface Measured {
  /** The objective's step. */
  readonly of: string;
  /** How often a batch of each step is tried at most: of the objective's and the guards' steps. */
  readonly tries: Readonly<Record<string, number>>;
  /** The names of the tunable parameters. */
  readonly parameters: readonly string[];
}

/** What the experimenter asks of the engine. */
export interface ExperimenterPorts {
  /** The workflow's name. */
  readonly workflow: string;
  /** It as its file says it now; undefined while there is none that holds. */
  readonly contract: () => Promise<Workflow | undefined>;
  /** What is tuned and decided of it, and its runs. */
  readonly store: Pick<Store, "snapshot" | "ledger" | "run">;
}

type Made = EmitAction | EngineAction;
type Objective = NonNullable<TuneContract["objective"]>;

// What is known of a run that goes on. Plain JSON.
interface RunRecord {
  readonly steps: Readonly<Record<string, StepTally>>;
  /** The experiment that `counts`, `untold` and `half` are of. */
  readonly experiment?: string;
  /** Items of pieces that are over, by step and arm. */
  readonly counts: Readonly<Record<string, Readonly<Partial<Record<Arm, Count>>>>>;
  /** What the arms did that no span has told yet. */
  readonly untold: Readonly<Partial<Record<Arm, ArmTotal>>>;
  /** The slice of a pair whose other slice is not over; `log` of its objective, more being better. */
  readonly half?: { readonly pair: number; readonly arm: Arm; readonly log: number };
  /** Whose part of the objective's step it failed in. */
  readonly failedIn?: Arm;
}

const NEW: RunRecord = { steps: {}, counts: {}, untold: {} };
// Runs that are remembered while they go on; those whose end never comes are the oldest at last.
const MOST_RUNS = 100;
// Experiments that are over, whose last attempts may still come.
const MOST_OVER = 20;
const KNOWN = "experiment";
const OVER = "over";
const ODD = "odd";

/**
 * The engine's own plugin for a workflow with an objective: it measures the workflow's runs, compares the arms of the
 * experiment that is open, and ends it with its verdict.
 *
 * Invariants: A6 (only what one arm did alone is compared), A7 (it hears the workflow's own spans alone), P4 (values are
 * those of the attempts' spans), T3 (its evidence is in its state, and what the ledger says of later than the span that it
 * hears counts for nothing: told the same spans again, after a crash, it does the same).
 */
export function experimenter(
  measured: Measured,
  ports: ExperimenterPorts,
): PluginDefinition {
  const steps = Object.keys(measured.tries);
  return {
    name: "experiments",
    description: "Measures what is tuned, and ends experiments with a verdict.",
    role: "analyzer",
    subscribe: [
      ...steps.map((id) => ({ role: "attempt" as const, attributes: { [SPANLOOP_STEP_ID]: id } })),
      { role: "step", attributes: { [SPANLOOP_STEP_ID]: measured.of } },
      { role: "run" },
      { role: "resume" },
    ],
    actions: ["emit"],
    onSpan: ({ span }: SpanEvent, context: PluginContext) => {
      const { state } = context;
      if (span.runId === undefined) return;
      const key = `run/${span.runId}`;
      const kept = state.get(key);
      const record: RunRecord = typeof kept === "string" ? JSON.parse(kept) : NEW;
      const hearing = new Hearing(measured, ports, context, span, record);
      const made = hearing.hear();
      // What most attempts come to costs no promise.
      if (!(made instanceof Promise)) return keep(state, key, record, hearing.record);
      return made.then((actions) => {
        keep(state, key, record, hearing.record);
        // The host knows of the actions that no other plugin may ask for.
        return actions as EmitAction[];
      });
    },
  };
}

function keep(
  state: PluginState,
  key: string,
  before: RunRecord,
  now: RunRecord | undefined,
): void {
  if (now === before) return;
  if (now === undefined) return state.delete(key);
  // As text it is copied once, which counts for each batch.
  state.set(key, JSON.stringify(now));
  if (before !== NEW) return;
  // Run ids sort by time.
  const runs = state.keys().filter((one) => one.startsWith("run/"));
  for (const oldest of runs.slice(0, -MOST_RUNS)) state.delete(oldest);
}

/** One span that is heard. */
class Hearing {
  /** What is known of its run after it; undefined: the run is over. */
  record: RunRecord | undefined;
  readonly #measured: Measured;
  readonly #ports: ExperimenterPorts;
  readonly #context: PluginContext;
  readonly #span: PluginSpan;
  readonly #before: RunRecord;
  readonly #actions: Made[] = [];
  #contract: Workflow | undefined;
  #run: RunSummary | undefined;

  constructor(
    measured: Measured,
    ports: ExperimenterPorts,
    context: PluginContext,
    span: PluginSpan,
    record: RunRecord,
  ) {
    this.#measured = measured;
    this.#ports = ports;
    this.#context = context;
    this.#span = span;
    this.#before = this.record = record;
  }

  /** Hears it; a promise of actions only where there is something to do about it. */
  hear(): undefined | Promise<readonly Made[]> {
    switch (this.#span.role) {
      case "attempt":
        return this.#attempt();
      case "step":
        return this.#act(async (objective) => {
          await this.#close(this.#measured.of, objective, this.#span.outcome);
          this.#tell(objective);
        });
      case "run":
        return this.#act((objective) => this.#end(objective));
      case "resume": {
        // What was under way when the process before was gone.
        const steps = Object.entries(this.#record.steps);
        this.#put({ steps: Object.fromEntries(steps.map(([id, tally]) => [id, broken(tally)])) });
      }
    }
  }

  get #record(): RunRecord {
    return this.record ?? this.#before;
  }

  #put(change: Partial<RunRecord>): void {
    this.record = { ...this.#record, ...change };
  }

  #attempt(): undefined | Promise<readonly Made[]> {
    const { stepId = "" } = this.#span;
    const { of, tries, parameters } = this.#measured;
    const attempt = attemptOf(this.#span, parameters);
    const { work } = attempt;
    if (work !== undefined && work.experiment !== this.#record.experiment) {
      this.#put({ experiment: work.experiment, counts: {}, untold: {}, half: undefined });
    }
    const { steps } = this.#record;
    const { tally, finished } = observe(steps[stepId] ?? NOTHING, attempt, tries[stepId]);
    this.#put({ steps: { ...steps, [stepId]: tally } });
    // A step that is not for_each is over when an attempt succeeds, or with the run.
    const isLast = attempt.range === undefined && stepId === of && attempt.outcome === "succeeded";
    const isBad = work?.arm === "candidate" && attempt.outcome !== "interrupted" &&
      (attempt.failed > 0 || attempt.outcome !== "succeeded");
    if (finished === undefined && !isLast && !isBad) return undefined;
    return this.#act(async (objective) => {
      if (finished !== undefined) await this.#over(stepId, finished, objective);
      if (isLast) {
        await this.#close(stepId, objective, "succeeded");
        this.#tell(objective);
      } else if (isBad) await this.#guard(objective);
    });
  }

  async #act(
    work: (objective: Objective) => Promise<void>,
  ): Promise<readonly Made[]> {
    this.#contract = await this.#ports.contract();
    const objective = this.#contract?.tune?.objective;
    // Without a file that holds nothing can be said now; the run's own spans will come to their end.
    if (objective === undefined) {
      if (this.#span.role === "run") this.record = undefined;
      return [];
    }
    this.#run = await this.#ports.store.run(this.#span.runId!);
    await work(objective);
    return this.#actions;
  }

  // A step is over, or its run is; one that failed is told of, and not compared.
  async #close(
    step: string,
    objective: Objective,
    outcome: PluginSpan["outcome"],
  ): Promise<void> {
    const { steps: { [step]: tally, ...others } } = this.#record;
    const { piece } = tally ?? NOTHING;
    if (piece === undefined) return;
    this.#put({ steps: { ...others, [step]: { sliced: tally.sliced } } });
    if (outcome === "succeeded") return await this.#over(step, piece, objective);
    if (step === this.#measured.of && isFailure(outcome)) {
      this.#put({ failedIn: piece.work?.arm });
      if (!piece.broken) this.#add(piece);
    }
    await this.#over(step, { ...piece, broken: true }, objective);
  }

  // A slice, or the whole of a step, is over.
  async #over(step: string, piece: Piece, objective: Objective): Promise<void> {
    const { work } = piece;
    const isIts = work !== undefined && work.experiment === this.#record.experiment;
    if (isIts) this.#count(step, work.arm, countOf(piece));
    if (!isWhole(piece)) return;
    const isObjective = step === this.#measured.of;
    if (isObjective) this.#add(piece);
    const before = isIts ? await this.#compared(work.experiment) : undefined;
    if (before === undefined || work === undefined) return;
    const total = added(undefined, piece);
    let compared = before;
    for (const [index, { metric, of }] of this.#guards.entries()) {
      const value = of === step ? this.#metric(metric, total) : undefined;
      if (value !== undefined) compared = withValue(compared, index, work.arm, value);
    }
    const log = isObjective ? this.#logOf(objective, total) : undefined;
    if (log !== undefined) compared = this.#pair(compared, work, log);
    if (compared !== before) this.#judge(compared, objective);
  }

  // What a step without an arm did is the incumbent's.
  #add(piece: Piece): void {
    const { work } = piece;
    const { untold, experiment } = this.#record;
    if (work !== undefined && work.experiment !== experiment) return;
    const arm = work?.arm ?? "incumbent";
    this.#put({ untold: { ...untold, [arm]: added(untold[arm], piece) } });
  }

  #pair(
    compared: Compared,
    { slice, pair, arm }: NonNullable<Piece["work"]>,
    log: number,
  ): Compared {
    if (slice === undefined) return withSpan(withWhole(compared, arm, pair, log), this.#reference);
    const { half } = this.#record;
    if (half?.pair !== pair || half.arm === arm) {
      this.#put({ half: { pair, arm, log } });
      return compared;
    }
    this.#put({ half: undefined });
    const ratio = arm === "candidate" ? log - half.log : half.log - log;
    return withSpan(withPair(compared, ratio), this.#reference);
  }

  // The candidate's items fail: that may breach a guard before anything else is known.
  async #guard(objective: Objective): Promise<void> {
    const { experiment } = this.#record;
    const compared = experiment === undefined ? undefined : await this.#compared(experiment);
    if (compared === undefined) return;
    if (mayBreach(compared, this.#guards, this.#now())) this.#judge(compared, objective);
  }

  async #end(objective: Objective): Promise<void> {
    const { outcome } = this.#span;
    // A whole run's arm is there even if it never came to a step that is measured.
    const whole = workOf(this.#span);
    if (whole !== undefined && this.#record.experiment === undefined) {
      this.#put({ experiment: whole.experiment });
    }
    for (const step of Object.keys(this.#record.steps)) {
      // An objective's step that is not over yet did not succeed; how the others ended says nothing of the run.
      const unended = outcome === "cancelled" ? outcome : "failed";
      await this.#close(step, objective, step === this.#measured.of ? unended : "succeeded");
    }
    this.#tell(objective);
    const { experiment, counts } = this.#record;
    let compared = experiment === undefined ? undefined : await this.#compared(experiment);
    const arms = new Set(Object.values(counts).flatMap((by) => Object.keys(by) as Arm[]));
    if (whole?.experiment === experiment && whole !== undefined) arms.add(whole.arm);
    for (const arm of compared === undefined ? [] : arms) {
      for (const [index, { of }] of this.#guards.entries()) {
        const count = counts[of]?.[arm];
        if (count !== undefined) compared = withCount(compared!, index, arm, count);
      }
      const failed = isFailure(outcome) && (arms.size === 1 || this.#record.failedIn === arm);
      compared = withRun(compared!, arm, failed);
    }
    this.record = undefined;
    if (compared !== undefined) this.#judge(compared, objective);
    if (!this.#actions.some(({ type }) => type === "conclude")) await this.#look();
  }

  // Whether the experiment that is known is still the one that is open, and what comes next.
  async #look(): Promise<void> {
    const { experiment } = await this.#ports.store.snapshot(this.#ports.workflow);
    const known = this.#known;
    if (known !== undefined && known.id !== experiment?.id) {
      // A verdict of later is that of a process that has gone on from here, and is gone.
      const verdict = await verdictOn(this.#ports.store, known.id);
      if (verdict !== undefined && this.#isLater(verdict.proposal.at)) return;
      return this.#withdraw(known);
    }
    if (experiment === undefined) return void this.#actions.push({ type: "begin" });
    if (known !== undefined || this.#isLater(experiment.since)) return;
    // One that was to be concluded, while the file did not hold, is gone on with.
    this.#context.state.set(OVER, this.#overIds.filter((id) => id !== experiment.id));
    this.#save(nothingCompared(experiment, this.#guards));
  }

  #isLater(at: bigint): boolean {
    return seconds(at) > this.#context.now;
  }

  // Saves what is known, or ends the experiment when that allows a verdict.
  #judge(compared: Compared, objective: Objective): void {
    const now = this.record === undefined ? [] : this.#now();
    const verdict = verdictOf(compared, this.#guards, now);
    if (verdict === undefined) return this.#save(compared);
    if (this.record !== undefined) this.#tellAll(objective);
    this.#conclude(compared, verdict);
  }

  #withdraw(compared: Compared): void {
    this.#conclude(compared, withdrawnVerdict(compared, this.#guards));
  }

  #conclude({ id, values, incumbent, spans }: Compared, verdict: Verdict): void {
    this.#context.state.delete(KNOWN);
    this.#forget(id);
    const own = this.#reference;
    const evidence = [...spans.filter(({ spanId }) => spanId !== own.spanId), own];
    this.#actions.push(
      { type: "conclude", experiment: id, values, incumbent, verdict, evidence },
      { type: "begin" },
    );
  }

  // What is known of an experiment, if it is not over.
  async #compared(id: string): Promise<Compared | undefined> {
    const known = this.#known;
    if (known?.id === id) return underGuards(known, this.#guards);
    if (this.#overIds.includes(id)) return undefined;
    const { store, workflow } = this.#ports;
    const experiment = (await experimentOf(store, workflow, id))?.experiment;
    const verdict = experiment === undefined ? undefined : await verdictOn(store, id);
    const isOver = experiment === undefined ||
      known !== undefined && experiment.since < BigInt(known.since) ||
      verdict !== undefined && seconds(verdict.proposal.at) < this.#context.now;
    if (isOver) {
      this.#forget(id);
      return undefined;
    }
    if (known !== undefined) this.#withdraw(known);
    const begun = nothingCompared(experiment, this.#guards);
    this.#save(begun);
    return begun;
  }

  // What its last attempts say counts no more.
  #forget(id: string): void {
    const over = [...this.#overIds.filter((one) => one !== id), id];
    this.#context.state.set(OVER, over.slice(-MOST_OVER));
  }

  get #known(): Compared | undefined {
    return this.#context.state.get(KNOWN) as unknown as Compared | undefined;
  }

  get #overIds(): readonly string[] {
    return (this.#context.state.get(OVER) ?? []) as readonly string[];
  }

  #save(compared: Compared): void {
    this.#context.state.set(KNOWN, compared as unknown as Json);
  }

  // Tells what was measured, and what a slice came to that the verdict cuts short.
  #tellAll(objective: Objective): void {
    const { of } = this.#measured;
    const { steps, experiment } = this.#record;
    const { [of]: tally = NOTHING } = steps;
    const { piece } = tally;
    if (piece?.work?.experiment === experiment && piece?.work !== undefined && !piece.broken) {
      this.#add(piece);
      this.#put({ steps: { ...steps, [of]: broken(tally) } });
    }
    this.#tell(objective);
  }

  #tell(objective: Objective): void {
    const { untold, experiment } = this.#record;
    this.#put({ untold: {} });
    // What was given for the run is no part of the search (V3).
    const isGiven = this.#measured.parameters.some((name) => {
      const source = this.#run?.sources[name] ?? "default";
      return source !== "tuned" && source !== "default";
    });
    if (isGiven || this.#run === undefined) return;
    const arms = (["incumbent", "candidate"] as const).flatMap((arm) => {
      const total = untold[arm];
      const objectives = total === undefined ? undefined : this.#valueOf(objective, total);
      return total === undefined || objectives === undefined ? [] : [{ arm, total, objectives }];
    });
    if (arms.length === 0) return;
    this.#actions.push({
      type: "emit",
      name: "experiment.measurement",
      attributes: {
        [CICD_PIPELINE_NAME]: this.#ports.workflow,
        [SPANLOOP_STEP_ID]: this.#measured.of,
        ...experiment === undefined ? {} : { [SPANLOOP_EXPERIMENT_ID]: experiment },
        [SPANLOOP_MEASUREMENT_ARMS]: arms.map(({ arm }) => arm),
        [SPANLOOP_MEASUREMENT_VALUES]: arms.map(({ total }) => JSON.stringify(total.values)),
        [SPANLOOP_MEASUREMENT_OBJECTIVES]: arms.map(({ objectives }) => objectives),
        [SPANLOOP_MEASUREMENT_DURATIONS]: arms.map(({ total }) => total.duration),
        [SPANLOOP_MEASUREMENT_ITEMS]: arms.map(({ total }) => total.items),
        [SPANLOOP_MEASUREMENT_FAILED]: arms.map(({ total }) => total.failed),
      },
    });
  }

  #count(step: string, arm: Arm, count: Count): void {
    const { counts } = this.#record;
    const sum = sumOf(counts[step]?.[arm], count);
    this.#put({ counts: { ...counts, [step]: { ...counts[step], [arm]: sum } } });
  }

  // The arms' items in this run so far, by guard.
  #now(): readonly Now[] {
    const { counts, steps, experiment } = this.#record;
    return this.#guards.map(({ of }) => {
      const before = counts[of] ?? {};
      const { piece } = steps[of] ?? NOTHING;
      if (piece?.work === undefined || piece.work.experiment !== experiment) return before;
      const { arm } = piece.work;
      return { ...before, [arm]: sumOf(before[arm], settledCountOf(piece)) };
    });
  }

  // Of an objective, turned so that more is better; undefined where it has no value.
  #logOf(objective: Objective, total: ArmTotal): number | undefined {
    const value = this.#valueOf(objective, total);
    if (value === undefined) return undefined;
    return objective.direction === "minimize" ? -Math.log(value) : Math.log(value);
  }

  #valueOf({ expression }: Objective, total: ArmTotal): number | undefined {
    const variables = {
      duration: total.duration,
      items: total.items,
      failed: total.failed,
      attempts: total.attempts,
      queue_time: this.#queueTime,
    };
    let value: Json | undefined;
    try {
      value = expression.evaluate(variables as unknown as Scope);
    } catch {
      // Such as a division by no items.
    }
    if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
    const { state, log } = this.#context;
    if (state.get(ODD) !== expression.source) {
      state.set(ODD, expression.source);
      log(
        `\`${expression.source}\` came to ${value ?? "no number"} with ${total.items} items in ` +
          `${total.duration} s: only values above 0 are compared, others are left out`,
      );
    }
    return undefined;
  }

  #metric(metric: string, total: ArmTotal): number | undefined {
    switch (metric) {
      case "duration":
      case "items":
      case "failed":
      case "attempts":
        return total[metric];
      case "queue_time":
        return this.#queueTime;
    }
  }

  // Seconds that the run waited before it began.
  get #queueTime(): number {
    const { createdAt, startedAt = createdAt } = this.#run ?? {};
    return createdAt === undefined ? 0 : Number(startedAt! - createdAt) / 1e9;
  }

  get #guards(): TuneContract["guards"] {
    return this.#contract?.tune?.guards ?? [];
  }

  get #reference(): { readonly traceId: string; readonly spanId: string } {
    const { traceId, spanId } = this.#span;
    return { traceId, spanId };
  }
}

function isFailure(outcome: PluginSpan["outcome"]): boolean {
  return outcome === "failed" || outcome === "timed_out";
}

function sumOf(one: Count = { items: 0, failed: 0 }, { items, failed }: Count): Count {
  return { items: one.items + items, failed: one.failed + failed };
}
