import assert from "node:assert/strict";
import { PLAN } from "./_fixture_test.ts";
import { dryRunLines } from "./dry_run.ts";
import { mermaid } from "./mermaid.ts";
import { planTree } from "./plan_tree.ts";
import { makeStyle } from "./style.ts";
import { width } from "./text.ts";

const plain = makeStyle(false);

Deno.test("the tree shows layers, and needs where they are not the one step above", () => {
  assert.deepEqual(planTree(PLAN, 80, plain), [
    "import-orders  import.yaml",
    "  batch_size  20                  default",
    "  input       data/orders.ndjson  command line",
    "",
    "steps",
    "  ┌─● count   shell",
    "  ├─● probe   http  is it up?",
    "  │",
    "  ●   load    script  needs count",
    "  │           for each file data/orders.ndjson",
    "  │           if params.batch_size > 0",
    "  │",
    "  ├─● stats   shell",
    "  ├─● top     shell  needs load, probe",
    "  │",
    "  ●   report  shell  needs stats, top",
    "",
    "on failure",
    "  ●   tell  http",
    "",
    "finally",
    "  ●   clean  shell",
  ]);
});

Deno.test("the tree of 300 steps stays narrow and abridges long lists of needs", () => {
  const layer = (n: number) => Array.from({ length: 99 }, (_, i) => `l${n}_${i}`);
  const steps = [0, 1, 2].flatMap((n) =>
    layer(n).map((id) => ({
      id,
      list: "steps" as const,
      uses: "shell",
      needs: n === 0 ? [] : n === 1 ? layer(0) : layer(1).slice(0, 9),
      layer: n,
    }))
  );
  const lines = planTree({ ...PLAN, steps }, 80, plain);
  assert.ok(lines.includes("  ├─● l1_0   shell  needs all 99 above"));
  assert.ok(lines.includes("  ├─● l2_0   shell  needs l1_0, l1_1, l1_2, l1_3 and 5 more"));
  assert.deepEqual(lines.filter((line) => width(line) >= 80), []);
});

Deno.test("Mermaid gets nodes, edges and a subgraph for each list; syntax in a name is defused", () => {
  const lines = mermaid({
    ...PLAN,
    steps: PLAN.steps.map((step) =>
      step.id === "load" ? { ...step, if: 'a["x"] == `b`; end' } : step
    ),
  });
  assert.deepEqual(lines, [
    "flowchart TD",
    '  s0["count"]',
    '  s1["probe"]',
    '  s2[["load<br>for each file data/orders.ndjson<br>if a[#34;x#34;] == #96;b#96;#59; end"]]',
    '  s3["stats"]',
    '  s4["top"]',
    '  s5["report"]',
    "  s0 --> s2",
    "  s2 --> s3",
    "  s2 --> s4",
    "  s1 --> s4",
    "  s3 --> s5",
    "  s4 --> s5",
    "  subgraph on_failure",
    '    s6["tell"]',
    "  end",
    "  subgraph finally",
    '    s7["clean"]',
    "  end",
  ]);
});

Deno.test("a dry run prints values, and inputs where they are known", () => {
  const text = dryRunLines(PLAN, plain).join("\n");
  assert.match(text, /^import-orders would run with\n {2}batch_size {2}20 +default\n/);
  assert.match(
    text,
    /load {2}script after count\n {2}if params.*\n {2}for each .*\n {2}module: \.\/load\.ts\n {2}options:\n {4}retries: 3\n/,
  );
  assert.match(text, /count {2}shell\n {2}its inputs depend on other steps\n/);
  assert.match(text, /Nothing was run\.$/);
});
