import assert from "node:assert/strict";
import { meant } from "./meant.ts";

Deno.test("a name that is not there is answered with the nearest one, else with all of a few", () => {
  assert.equal(meant("lod", ["load", "report"]), "; did you mean `load`?");
  assert.equal(meant("nope", ["load", "report"]), "; it has `load`, `report`");
  assert.equal(meant("nope", []), "");
  assert.equal(meant("nope", Array.from({ length: 11 }, (_, i) => `step${i}`)), "");
});
