import assert from "node:assert/strict";
import type { Json } from "../core/json.ts";
import { InvalidError } from "../core/errors.ts";
import { seeded } from "../core/seeded_test.ts";
import { loadWorkflow } from "./load.ts";
import { pinDefaults } from "./pin_defaults.ts";

const FILE = `# orders\r
name: orders   # keep   me
params:
    batch_size:   { type: integer,   default:   20  ,tune: { min: 1, max: 5000 } } # twenty
    ratio:
      default: 5e-1    # half
      type: number
      tune: { min: 0, max: 1 }
    "mode":
      type: enum
      values: [fast, 'it''s', "on", "a b", 'x"y']
      default: 'fast'\t
      tune: {}


steps: [ { id: a, run: "true" } ]
# the end`;

function defaults(text: string): Record<string, Json | undefined> {
  const { workflow, diagnostics } = loadWorkflow({
    bytes: new TextEncoder().encode(text),
    file: "/orders.yaml",
    display: "orders.yaml",
  });
  assert.ok(workflow, JSON.stringify(diagnostics));
  return Object.fromEntries([...workflow.params].map(([name, one]) => [name, one.default]));
}

Deno.test("only the value's characters change", () => {
  assert.equal(
    pinDefaults(FILE, { batch_size: 80, ratio: 0.25, mode: "it's" }),
    FILE.replace("default:   20  ,", "default:   80  ,").replace("5e-1", "0.25")
      .replace("default: 'fast'", "default: 'it''s'"),
  );
});

Deno.test("text is quoted so that it stays text", () => {
  const before = FILE.replace("default: 'fast'", "default: fast");
  for (const [value, written] of [["on", '"on"'], ["a b", '"a b"'], ['x"y', '"x\\"y"']]) {
    const after = pinDefaults(before, { mode: value });
    assert.equal(after, before.replace("default: fast", `default: ${written}`));
    assert.equal(defaults(after).mode, value);
  }
});

Deno.test("whatever the values, the file says them and is otherwise the same", () => {
  const random = seeded("pin");
  for (let round = 0; round < 200; round++) {
    const values = {
      batch_size: 1 + random.below(5_000),
      ratio: random.next() * 10 ** -random.below(12),
      mode: random.pick(["fast", "it's", "on", "a b", 'x"y']),
    };
    const after = pinDefaults(FILE, values);
    assert.deepEqual(defaults(after), values, `SEED=${random.seed}`);
    assert.equal(
      pinDefaults(after, { batch_size: 20, mode: "fast" }).replace(
        String(values.ratio),
        "5e-1",
      ),
      FILE,
      `SEED=${random.seed}`,
    );
  }
});

Deno.test("a file of many steps, which is read in pieces, keeps its places", () => {
  const steps = Array.from({ length: 9_000 }, (_, i) => `  - { id: s${i}, run: "true" } # ${i}\n`);
  const text = `name: big\nsteps:\n${
    steps.join("")
  }params:\n  x: { type: integer, default: 7, tune: { min: 1, max: 9 } }\n`;
  assert.equal(pinDefaults(text, { x: 8 }), text.replace("default: 7", "default: 8"));
});

Deno.test("a default that an anchor shares is refused", () => {
  const anchored = `name: a
params:
  x: { type: integer, default: &size 20, tune: { min: 1, max: 50 } }
  y: { type: integer, default: *size, tune: { min: 1, max: 50 } }
steps: [{ id: a, run: "true" }]
`;
  assert.throws(() => pinDefaults(anchored, { x: 30 }), InvalidError);
  assert.throws(() => pinDefaults(anchored, { y: 30 }), InvalidError);
  const merged = `name: a
params:
  x: &x { type: integer, default: 20, tune: { min: 1, max: 50 } }
  y: { <<: *x }
steps: [{ id: a, run: "true" }]
`;
  assert.throws(() => pinDefaults(merged, { y: 30 }), /by hand/);
});

Deno.test("without a default there is nothing to write over", () => {
  const none = FILE.replace("default: 'fast'", "");
  assert.throws(() => pinDefaults(none, { mode: "on" }), /write `default: "on"` in it/);
});
