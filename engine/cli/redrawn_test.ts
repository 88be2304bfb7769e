import assert from "node:assert/strict";
import type { Caller } from "./caller.ts";
import { Redrawn } from "./redrawn.ts";

function drawn(frame: ConstructorParameters<typeof Redrawn>[1]) {
  let written = "";
  const caller = {
    err: (text: string) => void (written += text),
    size: () => ({ columns: 40, rows: 10 }),
  } as unknown as Caller;
  return {
    redrawn: new Redrawn(caller, frame),
    /** What was written since it was asked last, without what moves the cursor. */
    said: () => {
      // deno-lint-ignore no-control-regex
      const text = written.replace(/\u001b\[\??\d*[A-Za-z]/g, "").replaceAll("\r", "");
      written = "";
      return text;
    },
  };
}

Deno.test("a notice is drawn at once and in each frame after it, and lines stay above", () => {
  const { redrawn, said } = drawn(({ rows, tick, notice }) => [`${rows} ${tick} ${notice}`]);
  redrawn.leave("one", "two");
  assert.equal(said(), "", "not before its frame");
  redrawn.notice("stopping");
  assert.equal(said(), "one\ntwo\n9 0 stopping");
  redrawn.notice("at once");
  assert.equal(said(), "9 1 at once");
  redrawn.leave("three");
  redrawn.close(["last"]);
  assert.equal(said(), "three\nlast\n");
});

Deno.test("nothing is written while there is nothing to draw; very many lines are not held back", () => {
  const { redrawn, said } = drawn(() => []);
  redrawn.notice("cancelling");
  assert.equal(said(), "");
  redrawn.leave(...Array(2_000).fill("x"));
  assert.equal(said(), "x\n".repeat(2_000));
  redrawn.close([]);
  assert.equal(said(), "");
});
