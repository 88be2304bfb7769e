import { type Result, table } from "./table.ts";

/** Writes BENCHMARKS.md beside this file, formatted as the check wants it. */
export async function writePage(
  results: readonly Result[],
  about: { readonly machine: string; readonly pairs: number },
): Promise<void> {
  const { machine, pairs } = about;
  const text = `# Benchmarks

Measured ${new Date().toISOString().slice(0, 10)} by \`deno task bench\` (which writes this page) on
${machine}.

${table(results)}
Each figure is the median of ${pairs} pairs, with the least and the largest; raw and engine take turns, so
that what else the machine does meets both. The ratio is engine over raw, pair by pair. All rows run YAML
through \`createEngine\` and \`engine.run\`, with the journal, spans, leases and \`durability: full\` unless the
row says otherwise; afterwards \`history\` must give every step and attempt, and \`resume\` must say that the
run has ended.

## What this does not measure

- Steps that do something: beside a step of 10 ms none of these figures matters.
- Stores that many processes write at once, or that hold millions of runs.
- A disk that lies about syncing, or a machine that loses its power.
- Span exporters: none is attached. Plugins likewise.
- The time to install Deno or to fill its caches: every row is warm.
- Other systems than Linux.

\`deno task bench --only ROW --pairs N\` measures one row (${
    results.map(({ id }) => `\`${id}\``).join(", ")
  }); it and \`--quick\`
leave this page alone. \`--dir FOLDER\` chooses the disk. The file for \`for-each\` is kept in the system's
temporary folder as \`spanloop-bench\`.
`;
  const path = new URL("BENCHMARKS.md", import.meta.url).pathname;
  Deno.writeTextFileSync(path, text);
  const { success } = await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", path] })
    .output();
  if (!success) throw new Error(`${path} was written, but deno fmt refuses it`);
}
