import assert from "node:assert/strict";
import { clean, fit, lines, pad, width, wrap } from "./text.ts";

Deno.test("clean() leaves nothing that a terminal obeys", () => {
  assert.equal(clean("a\u001b[31mred\u001b[0m b"), "ared b");
  assert.equal(clean("\u001b]0;title\u0007x"), "x");
  assert.equal(clean("\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\"), "link");
  assert.equal(clean("\u009b31mx\u0085\u0000\u0008\u007f"), "x");
  assert.equal(clean("\u001bPq#0\u001b\\ok\u001bc"), "ok");
  assert.equal(clean("file\u202egpj.exe"), "filegpj.exe");
  assert.equal(clean("half \u001b["), "half ");
  assert.equal(clean("two\nlines"), "two ↵ lines");
  assert.equal(clean("日本 é"), "日本 é");
});

Deno.test("lines() shows a redrawn line as it last stood, and tabs as columns", () => {
  assert.deepEqual(lines("10%\r50%\r100%\r\nnext\n"), ["100%", "next"]);
  assert.deepEqual(lines("a\tb\n日\tc"), ["a       b", "日      c"]);
  assert.deepEqual(lines(""), [""]);
});

Deno.test("width() counts columns as a terminal does", () => {
  assert.equal(width("plain"), 5);
  assert.equal(width("日本語"), 6);
  assert.equal(width("e\u0301"), 1);
  assert.equal(width("👩‍👩‍👧"), 2);
  assert.equal(width("🇫🇷"), 2);
  assert.equal(width("❤️"), 2);
  assert.equal(width("\u001b[31mred\u001b[39m"), 3);
  assert.equal(width("━╸│✓█"), 5);
  assert.equal(width("\u200b"), 0);
});

Deno.test("fit() cuts between characters and closes colours", () => {
  assert.equal(fit("abcdef", 6), "abcdef");
  assert.equal(fit("abcdef", 5), "abcd…");
  assert.equal(fit("日本語", 5), "日本…");
  assert.equal(fit("日本語", 4), "日…");
  assert.equal(fit("\u001b[31mabcdef\u001b[39m", 3), "\u001b[31mab…\u001b[0m");
  assert.equal(fit("abc", 0), "");
});

Deno.test("pad() and wrap() work in columns", () => {
  assert.equal(pad("日", 4), "日  ");
  assert.equal(pad("1", 3, "start"), "  1");
  assert.deepEqual(wrap("one two three", 7), ["one two", "three"]);
  assert.deepEqual(wrap("unbreakable", 4), ["unbreakable"]);
  assert.deepEqual(wrap("errors 0 %, kept", 9), ["errors", "0 %, kept"]);
  assert.deepEqual(wrap("good by (duration / items) of load", 20), [
    "good by",
    "(duration / items)",
    "of load",
  ]);
});
