import assert from "node:assert/strict";
import { parse } from "./parse.ts";
import { sourceOffset } from "./offsets.ts";
import { Report } from "./report.ts";
import { Mapping, Scalar } from "./tree.ts";

function at(text: string, needle: string): string | undefined {
  const root = parse(text, new Report(text, "x"));
  assert.ok(root instanceof Mapping);
  const scalar = root.get("a");
  assert.ok(scalar instanceof Scalar);
  const offset = sourceOffset(text, scalar, String(scalar.value).indexOf(needle));
  return offset === undefined ? undefined : text.slice(offset, offset + needle.length);
}

Deno.test("every style of scalar maps its characters to the source", () => {
  const cases: [string, string][] = [
    ["plain", "a: one two HIT three"],
    ["plain over lines", "a: one\n  two\n\n  three HIT four"],
    ["single", "a: 'it''s ''a'' HIT'"],
    ["single over lines", "a: 'one\n\n\n  ''two HIT'"],
    ["double", 'a: "\\" \\u00e9 \\x41 \\n \\U0001F600 HIT"'],
    ["double over lines", 'a: "one \\\n   two\n  three HIT"'],
    ["literal", "a: |\n  one\n\n    two HIT\n"],
    ["literal with header", "a: |- # why\n\n     one\n     HIT\n"],
    ["literal with CRLF", "a: |\r\n  one\r\n  two HIT\r\n"],
  ];
  for (const [name, text] of cases) assert.equal(at(text, "HIT"), "HIT", name);
});

Deno.test("a folded block has no place for a single character", () => {
  assert.equal(at("a: >\n  one\n  HIT\n", "HIT"), undefined);
});
