import type { Clock, Random } from "../core/clock.ts";
import type { RunEvent } from "../core/report.ts";
import type { StepTypes } from "../core/step.ts";
import type { RunHeader } from "../core/store.ts";
import type { Binding } from "../plan/bind.ts";
import type { Plan } from "../plan/plan.ts";
import type { AttemptPorts } from "./attempt.ts";
import type { Journal } from "./journal.ts";
import type { Limiter } from "./limiter.ts";
import type { Ruling, RunValues } from "./ruling.ts";

/** What the parts of one run share. */
export interface RunContext {
  /** Its plan. */
  readonly plan: Plan;
  /** What it was created with. */
  readonly header: RunHeader;
  /** Its values. */
  readonly binding: Binding;
  /** Its journal. */
  readonly journal: Journal;
  /** Attempts at once. */
  readonly limiter: Limiter;
  /** Step types by name. */
  readonly types: StepTypes;
  /** Time. */
  readonly clock: Clock;
  /** For jitter. */
  readonly random: Random;
  /** What the run as a whole has for expressions, with the values that it pinned (P3). */
  readonly scope: Ruling["scope"];
  /** Its values, for what is handed out. */
  readonly values: RunValues;
  /** What attempts use, but for what stops them. */
  readonly attempts: Omit<AttemptPorts, "cancellation">;
  /** Hears what goes on. */
  readonly onEvent: (event: RunEvent) => void;
}
