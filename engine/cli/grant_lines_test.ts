import assert from "node:assert/strict";
import type { Grant } from "../core/plugin_use.ts";
import { grantLines } from "./grant_lines.ts";

const NOTHING: Grant = {
  see: ["*"],
  workflows: [],
  external: false,
  propose: [],
  command: [],
  actions: ["emit"],
  permissions: {},
  rate: 6_000,
};

const OWN: Grant = {
  ...NOTHING,
  propose: ["*"],
  command: ["*"],
  actions: ["emit", "propose", "command"],
};

Deno.test("a grant reads as sentences", () => {
  assert.deepEqual(grantLines(NOTHING, "orders"), [
    "sees all spans of orders",
    "may emit spans",
    "at most 6,000 actions a minute",
  ]);
  assert.deepEqual(
    grantLines({
      see: ["orders.*", "x"],
      workflows: ["night-*"],
      external: true,
      propose: ["batch_size", "priority", "timeout"],
      command: ["lean.define"],
      actions: ["propose", "command"],
      permissions: { net: ["api.example.com", "b"], read: true, env: [], write: false },
      rate: 60,
    }, "orders"),
    [
      "sees the spans orders.* and x of orders, night-* and other programs",
      "may propose batch_size, priority and timeout",
      "may give the commands lean.define",
      "at most 60 actions a minute",
      "Deno permissions: net api.example.com and b; read (all)",
    ],
  );
  assert.deepEqual(grantLines({ ...OWN, external: true }), [
    "sees all spans of all workflows and other programs",
    "may emit spans",
    "may propose changes of all tunable parameters",
    "may give all commands",
    "at most 6,000 actions a minute",
  ]);
  assert.deepEqual(grantLines({ ...NOTHING, see: [], actions: [] }, "orders"), [
    "sees no spans",
    "may do nothing",
  ]);
});
