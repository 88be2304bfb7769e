/** How the rows are measured. */
export interface Setting {
  /** A folder for workflows and stores; its disk is the one that is measured. */
  readonly folder: string;
  /** How many pairs of raw and engine. */
  readonly pairs: number;
  /** Tiny sizes, to see that the harness works; the figures mean nothing. */
  readonly quick: boolean;
}

/** A row as measured. */
export interface Measured {
  /** The raw limit, with its unit. */
  readonly raw: string;
  /** The engine's figure, with its unit. */
  readonly engine: string;
  /** Engine over raw, by pairs. */
  readonly ratio: string;
  /** Whether it reached what it must; absent when the row has no target. */
  readonly met?: boolean;
  /** What else there is to know, a sentence each. */
  readonly notes?: readonly string[];
}

/** One row of the table. */
export interface Row {
  /** Chooses it: `--only ID`. */
  readonly id: string;
  /** The work. */
  readonly work: string;
  /** What it must reach. */
  readonly goal: string;
  /** Measures it. Throws when what the engine left in its store is not what it must be. */
  measure(setting: Setting): Promise<Measured>;
}
