import assert from "node:assert/strict";
import type { Diagnostic } from "../core/diagnostic.ts";
import { InvalidError, SpanloopError, StoreError } from "../core/errors.ts";
import { tell } from "./failure.ts";
import { makeStyle } from "./style.ts";

const plain = makeStyle(false);
const diagnostic: Diagnostic = {
  file: "flow.yaml",
  line: 2,
  column: 1,
  length: 6,
  severity: "error",
  code: "unknown-key",
  message: "`stepps` is not a key",
  suggestion: "steps",
  source: "stepps:",
};

Deno.test("what a person can act on is one sentence with its exit code", () => {
  assert.deepEqual(tell(new StoreError("store.full", "The disk is full"), plain, false), {
    lines: ["error: The disk is full"],
    exitCode: 1,
  });
  const hostile = new SpanloopError("x", "a\u001b[2Jb\nc", { exitCode: 2 });
  assert.deepEqual(tell(hostile, plain, false), { lines: ["error: ab", "c"], exitCode: 2 });
});

Deno.test("a sentence is broken between words where its terminal ends", () => {
  const behind = new SpanloopError("x", "Process 7 has not read all of it yet; try again later");
  assert.deepEqual(tell(behind, plain, false, 40).lines, [
    "error: Process 7 has not read all of it",
    "yet; try again later",
  ]);
});

Deno.test("a bad file's mistakes are shown each with its place, then counted", () => {
  const warning: Diagnostic = {
    ...diagnostic,
    severity: "warning",
    line: 3,
    message: "it\u001b]0;t\u0007 is odd",
  };
  const told = tell(
    new InvalidError("flow.yaml is not valid", [diagnostic, diagnostic, warning]),
    plain,
    false,
  );
  assert.equal(told.exitCode, 2);
  assert.deepEqual(told.lines.slice(0, 5), [
    "flow.yaml:2:1: error: `stepps` is not a key; did you mean `steps`?",
    "  |",
    "2 | stepps:",
    "  | ^^^^^^",
    "",
  ]);
  assert.equal(told.lines.at(-1), "2 errors, 1 warning");
  assert.ok(!told.lines.join("").includes("\u001b"));
  const coloured = tell(new InvalidError("x", [diagnostic]), makeStyle(true), false).lines;
  assert.equal(coloured[3], "\u001b[31m  | ^^^^^^\u001b[39m");
  assert.ok(
    coloured[0].startsWith("\u001b[1mflow.yaml:2:1:\u001b[22m\u001b[31m error:\u001b[39m `stepps`"),
  );
});

Deno.test("anything else is called a bug; its stack is for SPANLOOP_DEBUG=1", () => {
  const told = tell(new TypeError("x is undefined"), plain, false);
  assert.equal(told.exitCode, 1);
  assert.equal(told.lines[0], "error: x is undefined");
  assert.match(told.lines[1], /This is a bug in Spanloop.*SPANLOOP_DEBUG=1/);
  assert.equal(told.lines.length, 2);
  assert.ok(tell(new TypeError("x"), plain, true).lines.some((line) => /^\s+at /.test(line)));
  assert.equal(tell("just text", plain, true).lines[0], "error: just text");
});
