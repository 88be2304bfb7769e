// How well it settles is measured by `deno task test:saturation`; here is what holds on a machine of any speed.
import assert from "node:assert/strict";
import { drive, Loop, MOST } from "./_test_loop.ts";
import { checkChanges } from "./_test_rule.ts";
import { withServer } from "./_test_saturated.ts";

const LESS_TWICE = 2;

Deno.test("it asks a server that saturates for one more until it refuses or slows down, then for less", async () => {
  await withServer(async (url) => {
    const loop = new Loop();
    const less = () => loop.proposals.filter(({ reason }) => reason.includes(": less, ")).length;
    // There is no end of items until it has gone back to less twice: with ever more under way it must.
    const left = () => less() < LESS_TWICE ? MOST + 1 : 0;
    await drive(url, left, () => loop.value, (attempt) => loop.hear(attempt));
    await loop.close();
    const values = loop.proposals.map(({ changes }) => Number(changes.concurrency));
    console.log(`concurrency: ${values.join(" ")}`);
    assert.equal(values[0], 2);
    const changes = loop.proposals.map(({ reason }, i) => ({ reason, value: values[i] }));
    assert.ok(checkChanges(changes, MOST) >= LESS_TWICE);
    for (const { evidence } of loop.proposals) {
      assert.ok(evidence!.length >= 20);
      assert.equal(new Set(evidence!.map(({ spanId }) => spanId)).size, evidence!.length);
    }
  });
});
