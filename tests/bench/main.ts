/**
 * `deno task bench [--only ROW]... [--pairs N] [--quick] [--dir FOLDER]`: measures the engine beside the raw
 * limit of each kind of work. All rows at full size also write BENCHMARKS.md. Exits 0 whatever the figures are.
 */
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { machineLine } from "./machine.ts";
import { rows } from "./rows.ts";
import { type Result, table } from "./table.ts";
import { writePage } from "./page.ts";

const PAIRS = 5;

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string", multiple: true, default: [] },
      pairs: { type: "string", default: String(PAIRS) },
      quick: { type: "boolean", default: false },
      dir: { type: "string" },
    },
  });
  const pairs = Number(values.pairs);
  if (!Number.isInteger(pairs) || pairs < 1) throw new RangeError("--pairs takes a whole number");
  const ids = rows.map(({ id }) => id);
  const unknown = values.only.find((id) => !ids.includes(id));
  if (unknown !== undefined) {
    throw new RangeError(`There is no row ${unknown}; there are ${ids.join(", ")}`);
  }
  const chosen = rows.filter(({ id }) => values.only.length === 0 || values.only.includes(id));
  const base = Deno.makeTempDirSync({ dir: values.dir, prefix: "spanloop-bench-" });
  try {
    const machine = await machineLine(values.dir ?? dirname(base));
    console.error(machine);
    const results: Result[] = [];
    for (const row of chosen) {
      const folder = `${base}/${row.id}`;
      Deno.mkdirSync(folder);
      const measured = await row.measure({ folder, pairs, quick: values.quick });
      Deno.removeSync(folder, { recursive: true });
      results.push({ ...row, measured });
      console.error(`${row.id}: raw ${measured.raw}; engine ${measured.engine}`);
    }
    console.log(table(results));
    if (chosen.length === rows.length && !values.quick && pairs >= PAIRS) {
      await writePage(results, { machine, pairs });
    }
  } finally {
    Deno.removeSync(base, { recursive: true });
  }
}

if (import.meta.main) await main(Deno.args);
