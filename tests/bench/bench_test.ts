import assert from "node:assert/strict";
import { rows } from "./rows.ts";
import { figure, ratios, shown, spread } from "./figures.ts";
import { table } from "./table.ts";

// Tiny sizes: the figures mean nothing, but each row checks what the engine left in its store.
for (const row of rows) {
  Deno.test(`the benchmark ${row.id} runs and finds its runs in the store`, async () => {
    const folder = Deno.makeTempDirSync({ prefix: "spanloop-bench-test-" });
    try {
      const measured = await row.measure({ folder, pairs: 1, quick: true });
      assert.match(measured.raw, /^[\d.,]+ \(/);
      assert.match(measured.engine, /^[\d.,]+ \(/);
      assert.match(
        table([{ ...row, measured }]),
        new RegExp(`^\\| .*\\|\\n\\n- \`${row.id}\``, "ms"),
      );
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  });
}

Deno.test("a spread has the median, the least and the largest", () => {
  assert.deepEqual(spread([5, 1, 3]), { median: 3, min: 1, max: 5 });
  assert.deepEqual(spread([4, 1, 3, 2]), { median: 2.5, min: 1, max: 4 });
  assert.equal(shown(spread([1000, 2000, 4000])), "2,000 (1,000-4,000)");
  assert.equal(figure(1.005, 1), "1.0");
});

Deno.test("a ratio is engine over raw, pair by pair", () => {
  assert.deepEqual(ratios([10, 20, 40], [5, 20, 60]), { median: 1, min: 0.5, max: 1.5 });
});
