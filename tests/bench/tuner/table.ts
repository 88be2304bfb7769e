import { type Campaign, CHECKPOINTS } from "./campaign.ts";

/** A surface's campaigns, one of each seed. */
export interface Result {
  /** The surface. */
  readonly name: string;
  /** The campaigns. */
  readonly campaigns: readonly Campaign[];
}

// Measured on the same surfaces; medians after 10/25/50 runs, and items over the guard, in %.
const BASELINES: Readonly<Record<string, readonly string[]>> = {
  S1: ["25/15/23 v23", "12/15/15 v37", "15/8/5 v11", "17/6/7 v33", "44/17/17 v26", "38/10/5 v1.0"],
  S2: ["68/24/23 v19", "21/9/6 v14", "22/11/8 v6", "97/25/8 v24", "73/18/6 v10", "26/5/4 v1.9"],
  S3: ["92/86/42 v16", "110/56/38 v8", "119/8/3 v22", "117/28/15 v21", "–", "274/20/13 v1.5"],
  S4: ["20/10/6 v29", "12/9/10 v5", "10/4/3 v8", "–", "–", "16/3/3 v0.9"],
  S5: ["7/4/2 v36", "28/26/24 v0.1", "10/7/3 v20", "7/7/7 v22", "–", "9/6/3 v1.6"],
  S8: ["97/78/57 v42", "204/99/83 v5", "106/61/36 v23", "–", "–", "245/55/47 v2.7"],
};

interface Goal {
  /** Median regret after 25 and 50 runs, %. */
  readonly regrets: readonly [number, number];
  /** Items over the guard, %. */
  readonly harmed: number;
}

const USUAL: Goal = { regrets: [5, 3], harmed: 1 };
const GOALS: Readonly<Record<string, Goal>> = {
  S3: { ...USUAL, regrets: [12, 6] },
  S7: { ...USUAL, harmed: 2 },
  S8: { ...USUAL, regrets: [30, 18] },
};
const INFEASIBLE = 2;
const SLOW = 1;
const RETURNED = 6;

/** Median regrets, %, after each checkpoint; one that breaks the guard counts as infinite. */
export function regrets(campaigns: readonly Campaign[]): number[] {
  return CHECKPOINTS.map((_, i) => 100 * median(campaigns.map((one) => one.regrets[i])));
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2;
}

/** The table beside the baselines. */
export function table(results: readonly Result[]): string {
  return [
    "| | random | hill climb | plain GP with constrained EI | Optuna TPE 3.1 | Optuna GP 5.0-dev | prototype | this tuner | infeasible | slow |",
    "|---|---|---|---|---|---|---|---|---|---|",
    ...results.map(({ name, campaigns }) => {
      const cells = BASELINES[name] ?? new Array(6).fill("–");
      const own = `${regrets(campaigns).map(short).join("/")} v${harmed(campaigns).toFixed(1)}`;
      return `| ${
        [name, ...cells, own, short(infeasible(campaigns)), slow(campaigns).toFixed(1)].join(" | ")
      } |`;
    }),
  ].join("\n");
}

/** "Where it must get", each with its figure and whether it was met. */
export function goals(results: readonly Result[]): string {
  return [
    "| surface | goal | got | met |",
    "|---|---|---|---|",
    ...results.flatMap(({ name, campaigns }) => {
      const goal = GOALS[name] ?? USUAL;
      const [, middle, late] = regrets(campaigns);
      const line = (what: string, most: number, got: number) =>
        `| ${name} | ${what} ≤ ${most} % | ${got.toFixed(1)} | ${got <= most ? "yes" : "no"} |`;
      return [
        line("median regret at 25 runs", goal.regrets[0], middle),
        line("median regret at 50 runs", goal.regrets[1], late),
        line("items over the guard", goal.harmed, harmed(campaigns)),
        line(
          name === "S6" ? "recommendation infeasible at some hour" : "recommendation infeasible",
          INFEASIBLE,
          infeasible(campaigns),
        ),
        line("runs slower than 1.25 times the defaults", SLOW, slow(campaigns)),
        ...name === "S7"
          ? [line(
            "median regret forty runs after the step",
            RETURNED,
            100 * median(campaigns.map(({ last }) => last)),
          )]
          : [],
      ];
    }),
  ].join("\n");
}

function harmed(campaigns: readonly Campaign[]): number {
  return 100 * sum(campaigns.map((one) => one.harmed)) / sum(campaigns.map((one) => one.items));
}

function slow(campaigns: readonly Campaign[]): number {
  return 100 * sum(campaigns.map((one) => one.slow)) / sum(campaigns.map((one) => one.runs));
}

function infeasible(campaigns: readonly Campaign[]): number {
  return 100 * sum(campaigns.map((one) => one.infeasible ? 1 : 0)) / campaigns.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}

function short(value: number): string {
  return value === Infinity ? "∞" : value.toFixed(0);
}
