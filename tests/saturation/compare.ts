/** Rates at fixed settings beside that under the plugin. */

/** One way to do the work. */
export interface Turn {
  /** Its column. */
  readonly name: string;
  /** Does the work; items a second. */
  rate(): Promise<number>;
}

/** What a comparison came to. */
export interface Compared {
  /** The median of each turn, items a second, by its name. */
  readonly rates: ReadonlyMap<string, number>;
  /** The last turn's share of the best of the others. */
  readonly share: number;
}

/**
 * Measures all turns in each of the rounds, so that whatever else the machine does slows all of them alike; each begins
 * a round in its turn.
 */
export async function compare(turns: readonly Turn[], rounds: number): Promise<Compared> {
  const all = turns.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < turns.length; i++) {
      const turn = (i + round) % turns.length;
      all[turn].push(await turns[turn].rate());
    }
  }
  const medians = all.map((rates) => rates.sort((a, b) => a - b)[rounds >> 1]);
  return {
    rates: new Map(turns.map(({ name }, i) => [name, medians[i]])),
    share: medians.at(-1)! / Math.max(...medians.slice(0, -1)),
  };
}

/** The comparison as a table of Markdown. */
export function tableOf({ rates }: Compared): string {
  const cells = [...rates].map(([name, rate]) => [name, rate.toFixed(0)] as const);
  const width = ([name, rate]: readonly [string, string]) => Math.max(name.length, rate.length, 3);
  const row = (part: (cell: readonly [string, string]) => string) =>
    `| ${cells.map((cell) => part(cell).padEnd(width(cell))).join(" | ")} |`;
  return [
    row(([name]) => name),
    row((cell) => "-".repeat(width(cell))),
    row(([, rate]) => rate),
  ].join("\n");
}
