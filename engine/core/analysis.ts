/** A share with the interval in which the true one lies with 95 %. */
export interface AnalysedRate {
  /** The share, in [0, 1]. */
  readonly rate: number;
  /** The interval's lower end. */
  readonly low: number;
  /** Its upper end. */
  readonly high: number;
  /** Of how many. */
  readonly of: number;
}

/** Durations in seconds; the quantiles are within 2 % of the true ones. */
export interface AnalysedDurations {
  /** The mean. */
  readonly mean: number;
  /** The median. */
  readonly p50: number;
  /** The 95th percentile. */
  readonly p95: number;
  /** The 99th percentile. */
  readonly p99: number;
}

/** How a cost has moved over the last runs. */
export interface AnalysedTrend {
  /** How many times as much it costs at the end of them as at their beginning. */
  readonly factor: number;
  /** The chance of as clear a trend in costs without one. */
  readonly chance: number;
}

/** A part of a workflow's health. */
export interface AnalysedHealthPart {
  /** What it is. */
  readonly part: "success" | "errors" | "speed" | "waiting";
  /** How well it is, 0 to 100. */
  readonly score: number;
  /** How much it counts; all parts together 1. */
  readonly weight: number;
  /** The number behind it, a sentence. */
  readonly message: string;
}

/** How well a workflow is. */
export interface AnalysedHealth {
  /** 0 to 100. */
  readonly score: number;
  /** What it is made of. */
  readonly parts: readonly AnalysedHealthPart[];
}

/** What is known of a step. */
export interface StepAnalysis {
  /** Its id. */
  readonly step: string;
  /** Runs in which it worked. */
  readonly runs: number;
  /** Attempts that succeeded, failed or timed out. */
  readonly attempts: number;
  /** What throughput, cost and errors are of: items where the step counts them, else attempts. */
  readonly unit: "item" | "attempt";
  /** Units a second while it was under way. */
  readonly throughput: number;
  /** Seconds of work for one unit. */
  readonly cost: number;
  /** Of its attempts. */
  readonly durations: AnalysedDurations;
  /** The share of units that failed. */
  readonly errors: AnalysedRate;
  /** The share of attempts that were retries. */
  readonly retries: number;
  /** Seconds that it waited on average for others to end, and then to begin. */
  readonly wait: number;
  /** Its share of what its runs took, on the way that nothing else hides, in [0, 1]. */
  readonly path: number;
  /** Over the last runs; absent for too few. */
  readonly trend?: AnalysedTrend;
  /** The cost in each of the last runs, oldest first; null where nothing tells. */
  readonly recent: readonly (number | null)[];
}

/** What was told of a workflow or a step. */
export interface AnalysedFinding {
  /** The finding's name: that of its span. */
  readonly name: string;
  /** The step; absent for the workflow. */
  readonly step?: string;
  /** When, seconds since the Unix epoch. */
  readonly at: number;
  /** The run with which it was told. */
  readonly run: string;
  /** Whether it holds from then on, or no longer does; absent for what only happens. */
  readonly state?: "begun" | "over";
  /** A sentence. */
  readonly message: string;
}

/** What is known of a workflow. */
export interface WorkflowAnalysis {
  /** Its name. */
  readonly workflow: string;
  /** Runs that have ended, those aside that were skipped or cancelled. */
  readonly runs: number;
  /** When the first one began, seconds since the Unix epoch. */
  readonly since: number;
  /** When the last one ended. */
  readonly until: number;
  /** The share of runs that succeeded. */
  readonly success: AnalysedRate;
  /** Of its runs. */
  readonly durations: AnalysedDurations;
  /** Seconds that runs waited on average before they began. */
  readonly queue: number;
  /** How well it is, of the last runs. */
  readonly health: AnalysedHealth;
  /** How long each of the last runs took, oldest first, seconds. */
  readonly recent: readonly number[];
  /** Its steps, the one that takes most of the time first. */
  readonly steps: readonly StepAnalysis[];
  /** What holds now. */
  readonly standing: readonly AnalysedFinding[];
  /** What was told last, oldest first. */
  readonly findings: readonly AnalysedFinding[];
}

/** What the analyzer knows. */
export interface Analysis {
  /** The health of the workflow that is least well, 0 to 100; null without runs. */
  readonly health: number | null;
  /** By workflow, in the order of their names. */
  readonly workflows: readonly WorkflowAnalysis[];
}

/** What is to be analysed, and who follows it. */
export interface AnalyzeOptions {
  /** Of this workflow alone: its name. */
  readonly workflow?: string;
  /** Or that of this file; absolute. */
  readonly file?: string;
  /** The file's path as the person wrote it. */
  readonly display?: string;
  /** Stops; what was read until then is kept. */
  readonly signal?: AbortSignal;
  /** Hears now and then which share of what is new has been read, in [0, 1]. */
  readonly onProgress?: (share: number) => void;
}

/** What the analyzer knows, and how far it has heard. */
export interface AnalysisReport extends Analysis {
  /** Events of the store that it has not heard of yet. */
  readonly behind: number;
  /** The process that hosts the store's plugins, if it is another one: only what that one has heard is known. */
  readonly host?: number;
}
