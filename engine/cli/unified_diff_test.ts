import assert from "node:assert/strict";
import { seeded } from "../core/seeded_test.ts";
import { unifiedDiff } from "./unified_diff.ts";

const LINES = Array.from({ length: 30 }, (_, i) => `line ${i}`);

Deno.test("equal texts differ in nothing", () => {
  assert.deepEqual(unifiedDiff("a\nb", "a\nb", "f"), []);
});

Deno.test("changes that are near share a hunk, others have their own", () => {
  const now = LINES.with(2, "two").with(5, "five").with(20, "twenty");
  assert.deepEqual(
    unifiedDiff(LINES.join("\n"), now.join("\n"), "f").filter((line) => line.startsWith("@@")),
    ["@@ -1,9 +1,9 @@", "@@ -18,7 +18,7 @@"],
  );
});

Deno.test("`patch` makes the second text of the first", async () => {
  const random = seeded("diff");
  const folder = await Deno.makeTempDir();
  try {
    for (let round = 0; round < 20; round++) {
      const now = LINES.map((line) => random.below(8) === 0 ? `${line} changed` : line);
      if (random.below(2) === 0) now.splice(random.below(30), random.below(4), "new", "newer");
      const end = random.pick(["\n", ""]);
      const [before, after] = [LINES, now].map((lines) => lines.join("\n") + end);
      await Deno.writeTextFile(`${folder}/f`, before);
      const diff = unifiedDiff(before, after, "f");
      await Deno.writeTextFile(`${folder}/f.diff`, diff.join("\n") + "\n");
      if (diff.length > 0) {
        const { code, stdout } = await new Deno.Command("patch", {
          args: ["-s", "f", "f.diff"],
          cwd: folder,
        }).output();
        assert.equal(code, 0, `SEED=${random.seed} ${new TextDecoder().decode(stdout)}`);
      }
      assert.equal(await Deno.readTextFile(`${folder}/f`), after, `SEED=${random.seed}`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
