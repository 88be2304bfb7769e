import assert from "node:assert/strict";
import { differs, probes } from "./probes.ts";

const CHOICES = [0, 0, 3];

Deno.test("what was never tried by itself is to be: both ways, and each other choice", () => {
  const places = probes(CHOICES, [1, 1, 0], [[1, 1, 0]]);
  assert.equal(places.length, 6 + 6 + 2);
  for (const place of places) {
    assert.equal(place.filter((x, i) => x !== [1, 1, 0][i]).length, 1);
    assert.ok(differs(CHOICES, [1, 1, 0], place));
  }
});

Deno.test("what was tried nearby is not tried again, and far away it is", () => {
  const tried = [[1, 1, 0], [2, 1, 0], [1, 0.2, 0], [1, 1, 1], [1, 1, 2]];
  assert.deepEqual(probes(CHOICES, [1, 1, 0], tried), []);
  assert.ok(probes(CHOICES, [5, 1, 0], tried).some((place) => place[2] === 2));
});

Deno.test("a numeric step that a bound has cut short is no probe", () => {
  assert.equal(differs(CHOICES, [1, 1, 0], [1.1, 1, 0]), false);
});
