import assert from "node:assert/strict";
import type { Parameter } from "../core/parameter.ts";
import { checkValue, parseValue } from "./values.ts";

const integer: Parameter = { name: "batch_size", type: "integer", min: 1, max: 5000 };

Deno.test("checkValue says which, why and what was given", () => {
  assert.equal(checkValue(integer, 5000), undefined);
  assert.equal(checkValue(integer, 0), "batch_size must be an integer from 1 to 5000, not 0");
  assert.equal(checkValue(integer, 1.5), "batch_size must be an integer, not 1.5");
  assert.equal(checkValue(integer, "7"), 'batch_size must be an integer, not "7"');
  const open: Parameter = { name: "x", type: "number", min: 0.5 };
  assert.equal(checkValue(open, 0), "x must be a number of at least 0.5, not 0");
  const color: Parameter = { name: "c", type: "enum", values: ["red", "green"] };
  assert.equal(checkValue(color, "red"), undefined);
  assert.equal(checkValue(color, "blue"), 'c must be one of red, green, not "blue"');
  const word: Parameter = { name: "w", type: "string", pattern: "a|b" };
  assert.equal(checkValue(word, "b"), undefined);
  assert.equal(checkValue(word, "ab"), 'w must be text that matches a|b, not "ab"');
});

Deno.test("checkValue never shows what was given for a secret (V4)", () => {
  const problem = checkValue({ name: "token", type: "secret" }, 123456789);
  assert.equal(problem, "token must be text, not what was given");
});

Deno.test("parseValue reads each type strictly", () => {
  const read = (type: Parameter["type"], text: string) => parseValue({ name: "p", type }, text);
  assert.deepEqual(read("string", "5"), { value: "5" });
  assert.deepEqual(read("integer", "-5"), { value: -5 });
  assert.deepEqual(read("number", "1e3"), { value: 1000 });
  assert.deepEqual(read("boolean", "true"), { value: true });
  assert.deepEqual(read("duration", "1h30m"), { value: "1h30m" });
  assert.deepEqual(read("list", "[1, 2]"), { value: [1, 2] });
  assert.deepEqual(read("object", '{"a": 1}'), { value: { a: 1 } });
  const wrong: [Parameter["type"], string][] = [
    ["integer", "5.0"],
    ["integer", ""],
    ["integer", "0x10"],
    ["integer", "99999999999999999999"],
    ["number", "Infinity"],
    ["number", " 5"],
    ["boolean", "yes"],
    ["duration", "5"],
    ["list", "{}"],
    ["list", "1,2"],
    ["object", "null"],
  ];
  for (const [type, text] of wrong) assert.ok("problem" in read(type, text), `${type} ${text}`);
  assert.deepEqual(parseValue(integer, "0"), {
    problem: "batch_size must be an integer from 1 to 5000, not 0",
  });
});
