import assert from "node:assert/strict";
import { loadWorkflow } from "../spec/load.ts";
import type { Workflow } from "../core/workflow.ts";
import { planWorkflow } from "./plan.ts";

/** A workflow of this text. */
function workflow(text: string): Workflow {
  const loaded = loadWorkflow({
    bytes: new TextEncoder().encode(text),
    file: "/w/w.yaml",
    display: "w.yaml",
  });
  assert.deepEqual(loaded.diagnostics, []);
  return loaded.workflow as Workflow;
}

Deno.test("a plan has a graph for each list; layers are the longest way from a start (S1, S3)", () => {
  const plan = planWorkflow(workflow(`
name: w
steps:
  - { id: d, needs: [b, c], run: d }
  - { id: a, needs: [], run: a }
  - { id: b, run: b }
  - { id: c, needs: a, run: c }
  - { id: e, needs: [a, d], run: e }
finally:
  - { id: x, run: x }
  - { id: y, run: y }
`));
  const shape = plan.lists.steps.map(({ step, needs, dependents, layer }) => ({
    id: step.id,
    needs,
    dependents,
    layer,
  }));
  assert.deepEqual(shape, [
    { id: "d", needs: [2, 3], dependents: [4], layer: 2 },
    { id: "a", needs: [], dependents: [2, 3, 4], layer: 0 },
    { id: "b", needs: [1], dependents: [0], layer: 1 },
    { id: "c", needs: [1], dependents: [0], layer: 1 },
    { id: "e", needs: [1, 0], dependents: [], layer: 3 },
  ]);
  assert.deepEqual(plan.lists.finally.map(({ layer }) => layer), [0, 1]);
  assert.deepEqual(plan.lists.on_failure, []);
});
