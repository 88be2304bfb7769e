import assert from "node:assert/strict";
import { testPlugin } from "spanloop/testing";
import plugin from "./plugin.ts";

Deno.test("my_plugin says which attempts take longer than they may", async () => {
  const { state } = await testPlugin(plugin, {
    config: { seconds: 2 },
    // What is left out is that of a successful attempt; a file of spans, as production exports them, will do as well.
    spans: [
      { name: "load", duration: 1.5 },
      { name: "load", duration: 3 },
      { name: "load", duration: 4, outcome: "failed" },
      { name: "load", role: "step", duration: 9 },
    ],
    expect: [
      {
        type: "emit",
        name: "finding.long_attempt",
        attributes: { step: "load", seconds: 3, count: 1 },
      },
      {
        type: "emit",
        name: "finding.long_attempt",
        attributes: { step: "load", seconds: 4, count: 2 },
      },
    ],
  });
  assert.deepEqual(state, { load: 2 });
});

Deno.test("my_plugin allows a minute", async () => {
  await testPlugin(plugin, { spans: [{ name: "load", duration: 60 }], expect: [] });
});
