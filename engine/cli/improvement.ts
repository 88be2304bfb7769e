import type { ImproveEvent, MeasuredArm, Measurement } from "../core/improve.ts";
import type { Arm, LedgerEntry } from "../core/proposal.ts";
import type { RunReport } from "../core/report.ts";
import type { Workflow } from "../core/workflow.ts";
import { objectiveOf, type ObjectiveText } from "./objective_text.ts";
import { Progress } from "./progress.ts";

/** What one arm came to in a run. */
export interface Point {
  /** The run, from 1. */
  readonly run: number;
  /** Whose values. */
  readonly arm: Arm;
  /** The objective. */
  readonly objective: number;
  /** The guard's metric; absent where nothing is measured of it. */
  readonly guard?: number;
}

/** A guard whose metric the measurements tell. */
export interface DrawnGuard {
  /** Its metric. */
  readonly metric: string;
  /** What it must stay below. */
  readonly below?: number;
  /** What it must stay above. */
  readonly above?: number;
}

/** How often a workflow is run for its improvement, and how far that has come. */
export class Improvement {
  /** The workflow's name. */
  readonly workflow: string;
  /** So many runs at most. */
  readonly most: number;
  /** What it is tuned for. */
  readonly objective: ObjectiveText;
  /** Parameters that a person has to have a say in: what is tried of them is tried by `improve` alone (A4). */
  readonly recommended: ReadonlySet<string>;
  /** The guard that is drawn; absent when the measurements tell of none. */
  readonly guard: DrawnGuard | undefined;
  /** What was measured, in order. */
  readonly points: Point[] = [];
  /** What was decided, by the run that it was decided after. */
  readonly decisions: { readonly run: number; readonly entry: LedgerEntry }[] = [];
  /** When the first run began, nanoseconds since the epoch. */
  startedAt: bigint | undefined;
  /** The run under way, or the last one. */
  run = 0;
  /** Runs that ended. */
  ended = 0;
  /** The run under way. */
  progress = new Progress();
  /** The report of the run that ended last. */
  last: RunReport | undefined;
  /** The change that is being tried. */
  trying: LedgerEntry | undefined;

  /** Nothing has happened yet. */
  constructor(
    workflow: Pick<Workflow, "name" | "tune"> & Partial<Pick<Workflow, "params">>,
    most: number,
  ) {
    this.workflow = workflow.name;
    const params = [...workflow.params?.values() ?? []];
    this.recommended = new Set(
      params.filter(({ tune }) => tune?.mode === "recommend").map(({ name }) => name),
    );
    this.most = most;
    // Without one the engine refuses it before anything is drawn.
    this.objective = objectiveOf(workflow) ?? { direction: "minimize", expression: "", of: "" };
    this.guard = drawnGuard(workflow, this.objective.of);
  }

  /** Takes in an event that was seen at `now`, nanoseconds since the epoch. */
  apply(event: ImproveEvent, now: bigint): void {
    switch (event.type) {
      case "started":
        this.startedAt ??= now;
        this.run = event.index;
        this.progress = new Progress();
        break;
      case "run":
        this.progress.apply(event.event, now);
        break;
      case "ended":
        this.ended++;
        this.last = event.report;
        break;
      case "measured":
        for (const arm of event.measurement.arms) {
          const guard = this.guard && guardValue(event.measurement, arm, this.guard.metric);
          const { objective } = arm;
          this.points.push({ run: event.index, arm: arm.arm, objective, guard });
        }
        break;
      case "decided":
        this.#decide(event.index, event.entry);
    }
  }

  #decide(run: number, entry: LedgerEntry): void {
    this.decisions.push({ run, entry });
    const { verdict, answers, decision: { outcome } } = entry;
    // A verdict on what was ended before may come when something else is being tried.
    const other = verdict !== undefined && answers !== undefined &&
      answers !== this.trying?.number;
    if (outcome === "testing") this.trying = entry;
    // Values that are applied meanwhile, whoever does that, end it as well.
    else if (!other && (verdict !== undefined || outcome === "applied" || outcome === "ended")) {
      this.trying = undefined;
    }
  }
}

/** The metric of a guard, as far as a measurement has it: a limit on a whole step is not for what one arm had a share of. */
export function guardValue(
  { arms }: Pick<Measurement, "arms">,
  arm: MeasuredArm,
  metric: string,
): number | undefined {
  if (metric === "error_rate") return arm.items === 0 ? undefined : arm.failed / arm.items;
  if (arms.length > 1) return undefined;
  if (metric === "duration" || metric === "items" || metric === "failed") return arm[metric];
  return undefined;
}

/** Whether a guard's metric breaks it. */
export function breaks(amount: number, { below, above }: DrawnGuard): boolean {
  return below !== undefined && amount >= below || above !== undefined && amount <= above;
}

/** The guard of a step that a measurement tells most of. */
export function drawnGuard({ tune }: Pick<Workflow, "tune">, of: string): DrawnGuard | undefined {
  const told = (tune?.guards ?? []).filter((guard) =>
    guard.of === of && ["error_rate", "duration", "items", "failed"].includes(guard.metric)
  );
  return told.find(({ metric }) => metric === "error_rate") ?? told[0];
}
