/** What asking costs when much is known: 100 runs of two arms, and 50 of them, in six dimensions. */
import { createTuner } from "../../../plugins/optimizer/tuner.ts";
import { GUARD } from "./surface.ts";
import { median } from "./table.ts";
import { VISIBLE } from "./visible.ts";

const ASKED = 15;

/** A sentence for each number of observations. */
export function speed(): string {
  const surface = VISIBLE.find(({ name }) => name === "S8")!;
  const tuner = createTuner({ tunables: surface.tunables, guard: { below: GUARD }, seed: 1 });
  const lines: string[] = [];
  let observations = 0;
  for (let run = 0; run < 100; run++) {
    const asked = tuner.ask({ hours: run });
    const arms = [{ values: asked.values, share: asked.exposure }, {
      values: asked.incumbent,
      share: 1 - asked.exposure,
    }].filter(({ share }) => share > 0).map(({ values, share }) => ({
      values,
      objective: surface.objective(values, run) * (1 + 0.1 * Math.sin(run)),
      items: Math.max(1, Math.round(share * surface.items)),
      failed: Math.round(share * surface.items * Math.min(0.5, surface.errors(values, run))),
    }));
    const started = performance.now();
    tuner.tell({ suggestion: asked.id, hours: run, arms });
    const told = performance.now() - started;
    observations += arms.length;
    if (run === 50 || run === 99) {
      const times = Array.from({ length: ASKED }, (_, i) => {
        const begun = performance.now();
        tuner.ask({ hours: run + i });
        return performance.now() - begun;
      });
      lines.push(
        `${observations} observations of ${run + 1} runs, 6 dimensions: ask ${
          median(times).toFixed(0)
        } ms (goal 50), the tell before it ${told.toFixed(0)} ms.`,
      );
    }
  }
  return lines.join("\n");
}
