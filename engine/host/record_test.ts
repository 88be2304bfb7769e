import assert from "node:assert/strict";
import { HERE, nobody, T0 } from "../../tests/contract/store_entries.ts";
import { openStore } from "../store/open.ts";
import { bucketText, instanceId, keys, readRecord, readReports } from "./record.ts";

Deno.test("what is kept of an instance comes back, whatever its keys are called", async () => {
  const store = await openStore("memory:", { durability: "normal" });
  const taken = await store.acquire("plugins", {
    holder: HERE,
    now: T0,
    expiresAt: T0 * 2n,
    isDead: nobody,
  });
  assert("acquired" in taken);
  const id = instanceId("slow", "a.b-c");
  const report = { name: "slow", workflow: "a.b-c", why: null };
  const strange = ["__proto__", "report", "x/report", "", "cursor", "state/x"];
  const items = {
    [keys.cursor(id)]: "12",
    [keys.stateVersion(id)]: "3",
    [keys.ticks(id)]: JSON.stringify({ "* * * * *": String(T0) }),
    [keys.bucket(id)]: bucketText({ tokens: 1.5, filled: T0 }),
    [keys.report(id)]: JSON.stringify(report),
    ...Object.fromEntries(strange.map((key) => [keys.state(id, key), JSON.stringify({ key })])),
    // Others, whose names begin alike.
    [keys.cursor("slow")]: "1",
    [keys.cursor("slow@a.b-cd")]: "2",
    [keys.state("slow@a.b-cd", "other")]: "1",
    [keys.report("slow")]: JSON.stringify({ ...report, why: "no such module" }),
  };
  await store.react(taken.acquired, { spans: [], items, at: T0 });
  const record = await readRecord(store, id);
  assert.deepEqual([record.cursor, record.stateVersion], [12, 3]);
  assert.deepEqual(record.ticks, { "* * * * *": T0 });
  assert.deepEqual(record.bucket, { tokens: 1.5, filled: T0 });
  assert.deepEqual(Object.keys(record.state).sort(), [...strange].sort());
  assert(Object.hasOwn(record.state, "__proto__"));
  assert.deepEqual(await readRecord(store, "nobody"), { state: {}, stateVersion: 1, ticks: {} });

  const reports = await readReports(store);
  assert.deepEqual([...reports.keys()].sort(), ["slow", id].sort());
  assert.deepEqual([reports.get(id)!.cursor, reports.get(id)!.aside], [12, false]);
  assert.equal(reports.get("slow")!.aside, true, "what cannot be loaded hears nothing");
  await store.close();
});
