/** Where a run is in its life; the values of cicd.pipeline.run.state. */
export type RunState = "pending" | "executing" | "finalizing";

/** What one runner has in hand at a moment. */
export interface Activity {
  /** Its runs, those that wait for their concurrency group included. */
  readonly runs: readonly {
    /** The workflow's name. */
    readonly workflow: string;
    /** Where it is. */
    readonly state: RunState;
  }[];
  /** Steps and batches of its runs that wait for a slot of their run's max_concurrency. */
  readonly waitingAttempts: number;
}
