import assert from "node:assert/strict";
import { Screen } from "./screen.ts";

// A terminal as far as Screen uses one: it scrolls, wraps and obeys the few sequences that Screen writes.
class Terminal {
  rows: string[] = [""];
  row = 0;
  column = 0;
  cursor = true;
  wrap = true;
  constructor(readonly columns: number) {}

  write(text: string): void {
    // deno-lint-ignore no-control-regex
    for (const [part] of text.matchAll(/\u001b\[\??\d*[A-Za-z]|\r|\n|[^\u001b\r\n]/g)) {
      this.#obey(part);
    }
  }

  #obey(part: string): void {
    // deno-lint-ignore no-control-regex
    const up = /^\u001b\[(\d+)A$/.exec(part);
    if (part === "\r") this.column = 0;
    else if (part === "\n") this.#down();
    else if (up !== null) this.row = Math.max(0, this.row - Number(up[1]));
    else if (part === "\u001b[K") this.rows[this.row] = this.rows[this.row].slice(0, this.column);
    else if (part === "\u001b[J") {
      this.rows[this.row] = this.rows[this.row].slice(0, this.column);
      this.rows.length = this.row + 1;
    } else if (part === "\u001b[?25l") this.cursor = false;
    else if (part === "\u001b[?25h") this.cursor = true;
    else if (part === "\u001b[?7l") this.wrap = false;
    else if (part === "\u001b[?7h") this.wrap = true;
    else if (!part.startsWith("\u001b")) this.#put(part);
  }

  #put(character: string): void {
    if (this.column >= this.columns) {
      if (!this.wrap) return;
      this.column = 0;
      this.#down();
    }
    const line = this.rows[this.row].padEnd(this.column);
    this.rows[this.row] = line.slice(0, this.column) + character + line.slice(this.column + 1);
    this.column++;
  }

  #down(): void {
    this.row++;
    if (this.row === this.rows.length) this.rows.push("");
  }

  get text(): string[] {
    return this.rows.map((row) => row.trimEnd());
  }
}

Deno.test("a screen redraws its lines in place and scrolls others off above", () => {
  const terminal = new Terminal(20);
  terminal.write("$ run\r\n");
  const screen = new Screen((text) => terminal.write(text), () => 20);
  screen.draw([], ["head 1", "a longer line", "c"]);
  assert.deepEqual(terminal.text, ["$ run", "head 1", "a longer line", "c"]);
  assert.equal(terminal.cursor, false);
  screen.draw(["out one", "this one is longer than the terminal"], ["head 2", "short"]);
  assert.deepEqual(terminal.text, [
    "$ run",
    "out one",
    "this one is longer t",
    "han the terminal",
    "head 2",
    "short",
  ]);
  screen.draw([], ["head 3", "short", "new", "newer"]);
  assert.deepEqual(terminal.text.slice(4), ["head 3", "short", "new", "newer"]);
  screen.close(["the end"]);
  assert.deepEqual(terminal.text.slice(3), ["han the terminal", "the end", ""]);
  assert.ok(terminal.cursor && terminal.wrap);
});

Deno.test("a screen whose terminal was made narrower finds its beginning again", () => {
  const terminal = new Terminal(10);
  // What the terminal made of two lines of 15 columns when it was narrowed to 10.
  terminal.write("$ run\r\n123456789012345\r\nabcdefghijklmno");
  const written: string[] = [];
  const screen = new Screen((text) => written.push(text), () => 10);
  screen.draw([], ["123456789012345", "abcdefghijklmno"]);
  screen.draw([], ["x"]);
  terminal.write(written[1]);
  assert.deepEqual(terminal.text, ["$ run", "x"]);
});

Deno.test("a screen that never drew writes nothing but its last lines", () => {
  const written: string[] = [];
  const screen = new Screen((text) => written.push(text), () => 80);
  screen.close();
  assert.deepEqual(written, []);
  screen.close(["done"]);
  assert.deepEqual(written, ["done\r\n"]);
});
