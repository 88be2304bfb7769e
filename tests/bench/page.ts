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
that what else the machine does meets both. The ratio is engine over raw, pair by pair. Rows about runs run YAML
through \`createEngine\` and \`engine.run\`, with the journal, spans, leases and \`durability: full\` unless the
row says otherwise; afterwards \`history\` must give every step and attempt, and \`resume\` must say that the
run has ended.

## What bounds the rows that miss

The host's speed drifts by a factor of two within an hour, the raw rows with it: compare ratios.

- Chains: raw is four native calls in a loop. Beside them a step takes about 20 us of JavaScript when
  durability is normal (its row's JSON, garbage, promises, the scheduler) and twice that when it is
  full, where each wait for the disk leaves the processor's caches cold. A loop of the same raw
  transactions that burns 30 us between them makes about 0.75. Tried without gain: other page sizes, one
  statement instead of BEGIN to COMMIT, rows encoded by hand, committing at the tick's end where
  nothing else is under way.
- Short runs: a commit already holds 25 steps. A run is 12 rows of the journal and 6 of its own
  (itself, its lease, its definition, its end), where raw has 10. Waiting longer for more to share a
  commit gained nothing.
- DAG: both loops are bound by the two cores, which the shells themselves keep busy. \`posix_spawn\`
  returns when the child has begun its program; that takes 0.5 ms in a process of 90 MB and 0.7 ms
  in one of 190 MB, whatever fills it, the same raw loop included. Without syncs (durability normal)
  the row takes as long. Spawning in a worker thread gained nothing.
- Plugins in a sandbox: of an event the engine's process takes about 5 us of processor time and the sandbox's
  2.5. Half of the engine's is JSON.stringify of objects that are new, which takes twice as long as of
  those that raw writes again and again; a fifth is the way into a pipe of 64 KiB. Batches of 128 or
  1,024 instead of 256 gained nothing.
- A hundred plugins: about 20 us for each event that one of them wants, a sixth of it so that its console
  is its own log. Who wants it is found by an attribute's value; by conditions in CEL, a hundred of them take
  7 to 34 us for each span that any might want, and 50 where other work has emptied the processor's caches.

## What this does not measure

- Steps that do something: beside a step of 10 ms none of these figures matters.
- Stores that many processes write at once, or that hold millions of runs.
- A disk that lies about syncing, or a machine that loses its power.
- Span exporters and plugins, but for the rows that are about them.
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
