import assert from "node:assert/strict";
import type { StepServices } from "../core/step.ts";
import type { JsonObject } from "../core/json.ts";
import { attempt, testPorts } from "./_test_context.ts";
import { BUILTIN_STEP_TYPES, builtinStepTypes } from "./builtin.ts";

const types = builtinStepTypes(testPorts("/tmp"));

async function run(name: string, inputs: JsonObject, services: Partial<StepServices> = {}) {
  const { context } = attempt("/data/flows", inputs);
  const given = { ...context, services: { ...context.services, ...services } };
  return await (await types(name)).run(given);
}

Deno.test("every built-in step type is found by its name, and made once", async () => {
  for (const name of BUILTIN_STEP_TYPES) {
    const type = await types(name);
    assert.equal(type.name, name);
    assert.equal(await types(name), type);
    // R5: these go on where they were; the others are tried again.
    assert.equal(type.interruption, ["workflow", "wait"].includes(name) ? "continue" : "retry");
  }
  await assert.rejects(types("shel"), { code: "step.unknown" });
});

Deno.test("workflow runs a file relative to its own, with params, and gives its outputs (S6)", async () => {
  const asked: unknown[] = [];
  const runWorkflow = (request: unknown) => {
    asked.push(request);
    return Promise.resolve({ rows: 3 });
  };
  const inputs = { file: "../other/child.yaml", params: { n: 1 } };
  assert.deepEqual(await run("workflow", inputs, { runWorkflow }), { outputs: { rows: 3 } });
  await run("workflow", { file: "/abs/child.yaml" }, { runWorkflow });
  assert.deepEqual(asked, [
    { file: "/data/other/child.yaml", params: { n: 1 } },
    { file: "/abs/child.yaml", params: {} },
  ]);
  await assert.rejects(run("workflow", {}), /needs `file`/);
  await assert.rejects(run("workflow", { file: "a", params: [1] }), /must be a map/);
});

Deno.test("wait plans an absolute deadline from a duration or a time (R2)", async () => {
  const now = 1_700_000_000_000_000_000n;
  const planned = async (inputs: JsonObject) => {
    let until = 0n;
    const waitUntil = (plan: (now: bigint) => bigint) => {
      until = plan(now);
      return Promise.resolve();
    };
    assert.deepEqual(await run("wait", inputs, { waitUntil }), { outputs: {} });
    return until;
  };
  assert.equal(await planned({ for: "1m30s" }), now + 90_000_000_000n);
  assert.equal(await planned({ for: 0.5 }), now + 500_000n);
  assert.equal(await planned({ until: "1970-01-01T00:00:01.5Z" }), 1_500_000_000n);
  assert.equal(await planned({ until: "1970-01-01T01:00:00+01:00" }), 0n);
  for (
    const inputs of [
      {},
      { for: "1m", until: "2030-01-01T00:00:00Z" },
      { for: "soon" },
      { for: -1 },
      { until: "2030-01-01" },
      { until: "2030-13-01T00:00:00Z" },
      { until: "2030-01-01T00:00:00" },
    ] as JsonObject[]
  ) await assert.rejects(planned(inputs), { code: "step.input" });
});

Deno.test("emit gives a span with OpenTelemetry's attributes (T3)", async () => {
  const attributes = { text: "a", n: 1.5, yes: true, list: ["a", "b"], none: null, empty: [] };
  const { none: _, ...kept } = attributes;
  assert.deepEqual(await run("emit", { name: "orders.loaded", attributes }), {
    outputs: {},
    spans: [{ name: "orders.loaded", attributes: kept }],
  });
  assert.deepEqual((await run("emit", { name: "x" })).spans, [{ name: "x", attributes: {} }]);
  for (const value of [{ a: 1 }, [1, "a"], [[1]], [null]]) {
    await assert.rejects(
      run("emit", { name: "x", attributes: { bad: value } }),
      /`bad` must be text.*attribute of its own/,
    );
  }
  await assert.rejects(run("emit", { attributes }), /needs `name`/);
  await assert.rejects(run("emit", { name: "x", attributes: [1] }), /must be a map/);
});
