import type { Json } from "../core/json.ts";
import type { Arm, LedgerEntry } from "../core/proposal.ts";
import type { AttemptHistory, RunTrial, TrialArm } from "../core/report.ts";
import type { RunSummary } from "../core/store.ts";
import { armWorkOf, ruledValue } from "../telemetry/attributes.ts";

type Attempt = AttemptHistory & { readonly stepId: string };

const ARMS: readonly Arm[] = ["incumbent", "candidate"];

/** The experiments that a run has a part in, in the order in which they came, by its header and its spans. */
export function experimentsOf(
  { trial }: Pick<RunSummary, "trial">,
  attempts: readonly Attempt[],
): readonly string[] {
  const told = attempts.flatMap(({ span }) => armWorkOf(span.attributes)?.experiment ?? []);
  return [...new Set([...trial === undefined ? [] : [trial.experiment], ...told])];
}

/** Which arm of these experiments ruled how much of a run; `changes` has what each of them tests. */
export function trialsOf(
  summary: Pick<RunSummary, "trial" | "params">,
  attempts: readonly Attempt[],
  changes: ReadonlyMap<string, LedgerEntry | undefined>,
): readonly RunTrial[] {
  return [...changes].map(([experiment, change]) => {
    const own = attempts.filter(({ span }) =>
      armWorkOf(span.attributes)?.experiment === experiment
    );
    const names = Object.keys(change?.decision.values ?? {});
    const { trial } = summary;
    const arms = trial?.experiment === experiment && trial.arm !== undefined
      ? [runArm(trial.arm, names, summary.params, own.length < attempts.length)]
      : [...Map.groupBy(own, ({ stepId }) => stepId).keys()].flatMap((step) =>
        ARMS.flatMap((arm) => stepArm(step, arm, names, attempts, experiment) ?? [])
      );
    return { experiment, ...change === undefined ? {} : { change }, arms };
  });
}

function runArm(
  arm: Arm,
  names: readonly string[],
  params: RunSummary["params"],
  partly: boolean,
): TrialArm {
  const values = valuesOf(names, (name) => params[name]);
  return { arm, values, ...partly ? { partly } : {} };
}

function stepArm(
  step: string,
  arm: Arm,
  names: readonly string[],
  attempts: readonly Attempt[],
  experiment: string,
): TrialArm | undefined {
  const all = attempts.filter(({ stepId, range }) => stepId === step && range !== undefined);
  const own = all.filter(({ span }) => {
    const work = armWorkOf(span.attributes);
    return work?.experiment === experiment && work.arm === arm;
  });
  if (own.length === 0) return undefined;
  const { attributes } = own[0].span;
  const slices = new Set(own.flatMap(({ span }) => armWorkOf(span.attributes)?.slice?.from ?? []));
  return {
    arm,
    step,
    values: valuesOf(names, (name) => ruledValue(attributes, name)),
    items: itemsOf(own),
    of: itemsOf(all),
    ...slices.size === 0 ? {} : { slices: slices.size },
  };
}

function valuesOf(
  names: readonly string[],
  value: (name: string) => Json | undefined,
): Readonly<Record<string, Json>> {
  return Object.fromEntries(names.flatMap((name) => {
    const found = value(name);
    return found === undefined ? [] : [[name, found]];
  }));
}

// A batch's items count once, however often it was tried (S5).
function itemsOf(attempts: readonly Attempt[]): number {
  const ranges = new Map(attempts.map(({ key, range }) => [key, range]));
  return [...ranges.values()].reduce(
    (sum, range) => sum + (range === undefined ? 0 : range.to - range.from),
    0,
  );
}
