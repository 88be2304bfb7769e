import type { PluginContext, PluginSpan } from "../core/plugin.ts";
import type { Verdict } from "../core/proposal.ts";
import type { RunSummary } from "../core/store.ts";
import type { TuneContract, Workflow } from "../core/workflow.ts";
import {
  type Compared,
  mayBreach,
  verdictOf,
  withCount,
  withdrawnVerdict,
  withoutPart,
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
  wouldBe,
} from "../parameters/measure.ts";
import { LastCounts } from "./last_counts.ts";
import type { ExperimenterPorts, Made, Measured } from "./measured.ts";
import { attemptOf, workOf } from "./measured_span.ts";
import {
  isGiven,
  measurementSpan,
  metricOf,
  type Objective,
  objectiveOf,
  type Told,
} from "./measurement.ts";
import { OpenExperiment } from "./open_experiment.ts";
import { RulingWatch } from "./ruling_watch.ts";
import {
  isOfIts,
  type RunRecord,
  underWay,
  withArm,
  within,
  withShare,
  withSlice,
  withUntold,
} from "./run_record.ts";

const ARMS = ["incumbent", "candidate"] as const;

/** One span that the experimenter hears: what it makes of it, and what it keeps. */
export class Hearing {
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

  /** Of a span of a run that `record` is known of. */
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
    if (work !== undefined) this.record = within(this.#record, work.experiment);
    const { steps } = this.#record;
    const { tally, finished } = observe(steps[stepId] ?? NOTHING, attempt, tries[stepId]);
    this.#put({ steps: { ...steps, [stepId]: tally } });
    // A step that is not for_each is over when an attempt succeeds, or with the run.
    const isLast = attempt.range === undefined && stepId === of && attempt.outcome === "succeeded";
    const isBad = work?.arm === "candidate" && attempt.outcome !== "interrupted" &&
      (attempt.failed > 0 || attempt.outcome !== "succeeded");
    // An item counts once, by its last attempt (S5).
    const isCut = attempt.outcome === "interrupted" || attempt.outcome === "cancelled";
    const isFinal = attempt.outcome === "succeeded" || attempt.attempt >= tries[stepId];
    const hurts = work?.arm !== "candidate" && !isCut && isFinal &&
      this.#watch.note(stepId, attempt, this.#reference);
    if (finished === undefined && !isLast && !isBad && !hurts) return undefined;
    return this.#act(async (objective) => {
      if (finished !== undefined) await this.#over(stepId, finished, objective);
      if (hurts) this.#rollBack(stepId, objective);
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
    const { steps: { [step]: tally = NOTHING, ...others } } = this.#record;
    const { piece, sliced, covered } = tally;
    this.#put({ steps: { ...others, [step]: { ...NOTHING, sliced } } });
    const isWell = outcome === "succeeded";
    if (piece !== undefined) {
      if (step === this.#measured.of && isFailure(outcome)) {
        this.#put({ failedIn: piece.work?.arm });
        if (!piece.broken) this.record = withUntold(this.#record, piece);
      }
      await this.#over(step, isWell ? piece : { ...piece, broken: true }, objective);
    }
    if (isWell && step === this.#measured.of) await this.#share(covered, objective);
  }

  // The objective's step is over, with so many items: what its arms had a share of is held to the limits of its whole.
  async #share(items: number, objective: Objective): Promise<void> {
    const { experiment, shares } = this.#record;
    if (experiment === undefined || shares === undefined) return;
    this.#put({ shares: undefined });
    const before = await this.#find(experiment);
    if (before === undefined) return;
    let compared = before;
    for (const [index, { metric, of }] of this.#guards.entries()) {
      if (of !== this.#measured.of) continue;
      for (const arm of ARMS) {
        const share = shares[arm];
        const value = share === undefined ? undefined : wouldBe(metric, share, items);
        if (value !== undefined) compared = withValue(compared, index, arm, value);
      }
    }
    if (compared !== before) this.#judge(compared, objective);
  }

  // A slice, or the whole of a step, is over.
  async #over(step: string, piece: Piece, objective: Objective): Promise<void> {
    const { work } = piece;
    const isIts = isOfIts(this.#record, work);
    if (isIts) this.record = withArm(this.#record, work.arm);
    const isObjective = step === this.#measured.of;
    const isSlice = work?.slice !== undefined;
    if (isObjective && isWhole(piece)) {
      this.record = withUntold(this.#record, piece);
      if (isIts && isSlice) this.record = withShare(this.#record, work.arm, piece);
    }
    const before = isIts ? await this.#find(work.experiment) : undefined;
    const total = added(undefined, piece);
    const isRuling = !isSlice && work?.arm !== "candidate";
    if (isRuling && isWhole(piece)) this.#ran(step, total, objective);
    const count = countOf(piece);
    if (this.#guards.some(({ metric, of }) => metric === "error_rate" && of === step)) {
      // What is known of its experiment began without it.
      new LastCounts(this.#context.state).note(step, piece.values, count);
    }
    if (before === undefined || work === undefined) return;
    let compared = before;
    for (const [index, { metric, of }] of this.#guards.entries()) {
      if (of !== step) continue;
      if (metric === "error_rate") compared = withCount(compared, index, work.arm, count);
      // Of a slice the step's end tells.
      const value = isWhole(piece) && !isSlice ? metricOf(metric, total, this.#run) : undefined;
      if (value !== undefined) compared = withValue(compared, index, work.arm, value);
    }
    const value = isObjective && isWhole(piece) ? this.#valueOf(objective, total) : undefined;
    if (value !== undefined) {
      // Turned so that more is better.
      const log = objective.direction === "minimize" ? -Math.log(value) : Math.log(value);
      compared = this.#pair(compared, work, log);
    }
    if (compared !== before) this.#judge(compared, objective);
  }

  #pair(compared: Compared, work: NonNullable<Piece["work"]>, log: number): Compared {
    if (work.slice === undefined) {
      return withSpan(withWhole(compared, work.arm, work.pair, log), this.#reference);
    }
    const { record, ratio } = withSlice(this.#record, work, log);
    this.record = record;
    return ratio === undefined ? compared : withSpan(withPair(compared, ratio), this.#reference);
  }

  // The candidate's items fail: that may breach a guard before anything else is known.
  async #guard(objective: Objective): Promise<void> {
    const { experiment } = this.#record;
    const compared = experiment === undefined ? undefined : await this.#find(experiment);
    if (compared === undefined) return;
    if (mayBreach(compared, this.#guards, this.#underWay)) this.#judge(compared, objective);
  }

  async #end(objective: Objective): Promise<void> {
    const { outcome } = this.#span;
    // A whole run's arm is there even if it never came to a step that is measured.
    const whole = workOf(this.#span);
    if (whole !== undefined && this.#record.experiment === undefined) {
      this.record = within(this.#record, whole.experiment);
    }
    if (isOfIts(this.#record, whole)) this.record = withArm(this.#record, whole.arm);
    for (const step of Object.keys(this.#record.steps)) {
      // An objective's step that is not over yet did not succeed; how the others ended says nothing of the run.
      const unended = outcome === "cancelled" ? outcome : "failed";
      await this.#close(step, objective, step === this.#measured.of ? unended : "succeeded");
    }
    this.#tell(objective);
    const { experiment, arms, failedIn } = this.#record;
    let compared = experiment === undefined ? undefined : await this.#find(experiment);
    for (const arm of compared === undefined ? [] : arms) {
      const failed = isFailure(outcome) && (arms.length === 1 || failedIn === arm);
      compared = withRun(compared!, arm, failed);
    }
    this.record = undefined;
    if (compared !== undefined) this.#judge(compared, objective);
    if (this.#actions.some(({ type }) => type === "conclude")) return;
    switch (await this.#open.look()) {
      case "begin":
        return void this.#actions.push({ type: "begin" });
      case "withdraw":
        return this.#withdraw(this.#open.known!);
      case "go_on":
        if (compared === undefined) this.#judge(withoutPart(this.#open.known!), objective);
    }
  }

  // Saves what is known, or ends the experiment when that allows a verdict.
  #judge(compared: Compared, objective: Objective): void {
    const verdict = verdictOf(compared, this.#guards, this.#measured.of, this.#underWay);
    if (verdict === undefined) return this.#open.save(compared);
    if (verdict.ended === "guard") this.#breach();
    if (this.record !== undefined) this.#tell(objective);
    this.#conclude(compared, verdict);
  }

  #withdraw(compared: Compared): void {
    this.#conclude(compared, withdrawnVerdict(compared, this.#guards));
  }

  #conclude({ id, values, incumbent, spans }: Compared, verdict: Verdict): void {
    this.#open.end(id);
    const own = this.#reference;
    const evidence = [...spans.filter(({ spanId }) => spanId !== own.spanId), own];
    this.#actions.push(
      { type: "conclude", experiment: id, values, incumbent, verdict, evidence },
      { type: "begin" },
    );
  }

  // A run of a step under what rules is over: it may show that a guard is broken.
  #ran(step: string, total: ArmTotal, objective: Objective): void {
    const run = this.#run;
    if (run === undefined || isGiven(run, this.#measured.parameters)) return;
    const metric = (name: string) => metricOf(name, total, run);
    const breach = this.#watch.ran(step, this.#guards, total.values, metric, this.#reference);
    if (breach === undefined) return;
    this.#tell(objective);
    this.#actions.push({ type: "roll_back", ...breach });
  }

  // What rules has come to break a guard on an error rate.
  #rollBack(step: string, objective: Objective): void {
    const breach = this.#watch.breach(step, this.#guards);
    if (breach === undefined) return;
    this.#watch.forget(step);
    this.#breach();
    this.#tell(objective);
    this.#actions.push({ type: "roll_back", ...breach });
  }

  // What breaches a guard is told of, though it is cut short and compared with nothing.
  #breach(): void {
    if (this.record === undefined) return;
    const { of } = this.#measured;
    const { steps } = this.#record;
    const { [of]: tally = NOTHING } = steps;
    const { piece } = tally;
    if (piece === undefined || piece.broken) return;
    this.record = withUntold(this.#record, piece);
    this.#put({ steps: { ...steps, [of]: broken(tally) } });
  }

  #tell(objective: Objective): void {
    const { untold, experiment } = this.#record;
    this.#put({ untold: {} });
    const { of: step, parameters } = this.#measured;
    if (this.#run === undefined || isGiven(this.#run, parameters)) return;
    const arms = ARMS.flatMap((arm): Told[] => {
      const total = untold[arm];
      const value = total === undefined ? undefined : this.#valueOf(objective, total);
      return total === undefined || value === undefined ? [] : [{ arm, total, objective: value }];
    });
    const { workflow } = this.#ports;
    if (arms.length > 0) {
      this.#actions.push(measurementSpan({ workflow, step, experiment, objective }, arms));
    }
  }

  #valueOf(objective: Objective, total: ArmTotal): number | undefined {
    return objectiveOf(objective, total, this.#run, this.#context);
  }

  #find(experiment: string): Promise<Compared | undefined> {
    return this.#open.find(experiment, (other) => this.#withdraw(other));
  }

  // By guard.
  get #underWay(): ReturnType<typeof underWay>[] {
    const { record } = this;
    return record === undefined ? [] : this.#guards.map(({ of }) => underWay(record, of));
  }

  get #watch(): RulingWatch {
    return new RulingWatch(this.#context.state);
  }

  get #open(): OpenExperiment {
    return new OpenExperiment(this.#ports, this.#context, this.#guards);
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
