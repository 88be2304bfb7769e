import assert from "node:assert/strict";
import { InvalidError } from "../core/errors.ts";
import type { Parameter } from "../core/parameter.ts";
import type { Workflow } from "../core/workflow.ts";
import { bind, type Given, rebind } from "./bind.ts";

function workflow(...params: Parameter[]): Workflow {
  return {
    name: "w",
    file: "/w/w.yaml",
    folder: "/w",
    text: "",
    schedules: [],
    commands: [],
    plugins: [],
    params: new Map(params.map((param) => [param.name, param])),
    env: {},
    baggage: { set: {}, fromCaller: [] },
    trace: { mode: "single", detail: "steps" },
    steps: [],
    onFailure: [],
    finally: [],
    outputs: {},
    raw: [],
  };
}

const NOTHING: Given = { environment: {}, readSecret: () => undefined };
const SIZE: Parameter = { name: "size", type: "integer", default: 1 };
const TOKEN: Parameter = { name: "token", type: "secret", from: { env: "TOKEN" } };

Deno.test("each source wins over all that come after it (V3)", () => {
  const given: Given = {
    ...NOTHING,
    text: { size: "6" },
    file: { size: 5 },
    environment: { SPANLOOP_PARAM_SIZE: "4" },
    tuned: { size: 2 },
  };
  const falling: readonly [Partial<Given>, number, string][] = [
    [{}, 6, "command line"],
    [{ text: {} }, 5, "params file"],
    [{ file: {} }, 4, "environment"],
    [{ environment: {} }, 2, "tuned"],
    [{ tuned: {} }, 1, "default"],
  ];
  let now = given;
  for (const [without, value, source] of falling) {
    now = { ...now, ...without };
    const binding = bind(workflow(SIZE), now);
    assert.equal(binding.params.size, value);
    assert.equal(binding.sources.size, source);
  }
  const called = bind(workflow(SIZE), {
    ...NOTHING,
    caller: { size: 3 },
    environment: given.environment,
  });
  assert.equal(called.params.size, 3, "a caller's value is the sub-workflow's command line (S6)");
});

Deno.test("names of Object's prototype are names like others (V3)", () => {
  const binding = bind(workflow({ ...SIZE, name: "constructor" }), NOTHING);
  assert.equal(binding.params.constructor, 1);
  assert.throws(() => bind(workflow(SIZE), { ...NOTHING, text: { toString: "1" } }), InvalidError);
});

Deno.test("a secret is journalled by its source, and read again on resume (V4, J6)", () => {
  const binding = bind(workflow(TOKEN, SIZE), { ...NOTHING, readSecret: () => "s3cret-one" });
  assert.equal(binding.params.token, "s3cret-one");
  assert.deepEqual(binding.journalled, { token: { secret: "env TOKEN" }, size: 1 });
  assert.equal(binding.masker.text("<s3cret-one>"), "<***>");

  const recorded = { params: binding.journalled, sources: binding.sources };
  const again = rebind(workflow(TOKEN, SIZE), recorded, () => "s3cret-two");
  assert.equal(again.params.token, "s3cret-two");
  assert.equal(again.params.size, 1);
  assert.deepEqual(again.journalled, binding.journalled);
  assert.throws(
    () => rebind(workflow(TOKEN), recorded, () => undefined),
    /Cannot resume w: token is a secret and env TOKEN does not hold it/,
  );
});

Deno.test("a secret is given nowhere, and its value is in no message (V4)", () => {
  for (const from of ["text", "file", "caller"] as const) {
    assert.throws(
      () =>
        bind(workflow(TOKEN), {
          ...NOTHING,
          [from]: { token: "gIven-secret" },
          readSecret: () => "short",
        }),
      (thrown) => {
        assert.ok(thrown instanceof InvalidError);
        assert.match(thrown.message, /token is a secret and is not taken from/);
        assert.match(thrown.message, /fewer than 6 characters/);
        assert.ok(!thrown.message.includes("gIven-secret"));
        return true;
      },
    );
  }
});
