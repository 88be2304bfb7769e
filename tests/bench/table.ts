import type { Measured, Row } from "./row.ts";

/** A row with what it came to. */
export type Result = Row & { readonly measured: Measured };

/** The table in Markdown, and below it the rows' notes. */
export function table(results: readonly Result[]): string {
  const lines = results.map(({ work, goal, measured }) =>
    [work, goal, measured.raw, measured.engine, measured.ratio, verdict(measured)].join(" | ")
  );
  const notes = results.flatMap(({ id, measured }) =>
    (measured.notes ?? []).map((note) => `- \`${id}\`: ${note}`)
  );
  return [
    "| work | must reach | raw | engine | ratio | met |",
    "| --- | --- | --- | --- | --- | --- |",
    ...lines.map((line) => `| ${line} |`),
    "",
    ...notes,
    "",
  ].join("\n");
}

function verdict({ met }: Measured): string {
  return met === undefined ? "" : met ? "yes" : "no";
}
