import assert from "node:assert/strict";
import type { Grant } from "../core/plugin_use.ts";
import { DEFAULT_RATE, effectiveGrant } from "./grant.ts";

const DECLARES = { actions: ["emit", "propose", "command"] };

const NOTHING: Grant = {
  see: ["*"],
  workflows: [],
  external: false,
  propose: [],
  command: [],
  actions: ["emit"],
  permissions: {},
  rate: DEFAULT_RATE,
};

const outside = (grant?: Partial<Grant>) => effectiveGrant({ grant }, false, DECLARES);
const own = (grant?: Partial<Grant>, actions = DECLARES.actions) =>
  effectiveGrant({ grant }, true, { actions });

Deno.test("without a grant a plugin sees its own workflow's spans, may emit, and nothing else", () => {
  assert.deepEqual(outside(), NOTHING);
  assert.deepEqual(outside({}), NOTHING);
});

Deno.test("without a grant one of Spanloop's own may do what it declares, and no more", () => {
  assert.deepEqual(own(), {
    ...NOTHING,
    propose: ["*"],
    command: ["*"],
    actions: ["emit", "propose", "command"],
  });
  assert.deepEqual(own(undefined, ["propose"]), {
    ...NOTHING,
    propose: ["*"],
    actions: ["propose"],
  });
  assert.deepEqual(own(undefined, []).actions, []);
});

Deno.test("what a grant lists is granted, and what it leaves open has its default", () => {
  const granted = outside({ propose: ["batch_size"], permissions: { net: ["x"] }, rate: 60 });
  assert.deepEqual(granted, {
    ...NOTHING,
    propose: ["batch_size"],
    actions: ["emit", "propose"],
    permissions: { net: ["x"] },
    rate: 60,
  });
  assert.deepEqual(outside({ command: ["lean.*"], actions: [] }).actions, ["command"]);
  assert.deepEqual(outside({ actions: ["propose"] }), { ...NOTHING, actions: [] });
  const { see, workflows, external } = outside({ see: ["a"], workflows: ["b"], external: true });
  assert.deepEqual([see, workflows, external], [["a"], ["b"], true]);
});

Deno.test("a grant narrows one of Spanloop's own", () => {
  assert.deepEqual(own({ propose: ["batch_size"] }).propose, ["batch_size"]);
  assert.deepEqual(own({ propose: ["batch_size"] }).command, ["*"]);
  const quiet = own({ propose: [] });
  assert.deepEqual([quiet.propose, quiet.actions], [[], ["emit", "command"]]);
  const emitting = own({ actions: ["emit"] });
  assert.deepEqual([emitting.propose, emitting.command, emitting.actions], [[], [], ["emit"]]);
});
