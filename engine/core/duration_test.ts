import assert from "node:assert/strict";
import { formatDuration, LONGEST_DURATION_MS, parseDuration } from "./duration.ts";
import { seeded } from "./seeded_test.ts";

Deno.test("parseDuration reads what the language allows", () => {
  const valid: readonly [string, number][] = [
    ["0s", 0],
    ["500ms", 500],
    ["1.5s", 1_500],
    ["2m", 120_000],
    ["1h30m", 5_400_000],
    ["1d", 86_400_000],
    ["1m1m", 120_000],
    ["3650d", LONGEST_DURATION_MS],
  ];
  for (const [text, ms] of valid) assert.equal(parseDuration(text), ms, text);
});

Deno.test("parseDuration refuses anything else", () => {
  const invalid = [
    "",
    " 1s",
    "1s ",
    "1",
    "s",
    "-1s",
    "+1s",
    "1 s",
    "1.s",
    ".5s",
    "1e3s",
    "1S",
    "1w",
  ];
  for (const text of [...invalid, "1s\n", "3651d", "９s", "1ms2", "NaNs", "9".repeat(400) + "s"]) {
    assert.equal(parseDuration(text), undefined, JSON.stringify(text));
  }
});

Deno.test("parseDuration takes time in proportion to the text", () => {
  assert.equal(parseDuration("1".repeat(100_000) + "x"), undefined);
  assert.equal(parseDuration("1s".repeat(50_000)), 50_000_000);
});

Deno.test("a sum of units is the sum of what each says", () => {
  const random = seeded("durations");
  const units = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };
  for (let i = 0; i < 500; i++) {
    const parts = Object.entries(units).filter(() => random.next() < 0.5)
      .map(([unit, ms]) => ({ text: unit, ms, amount: random.below(99) }));
    if (parts.length === 0) continue;
    const text = parts.map((part) => `${part.amount}${part.text}`).join("");
    const total = parts.reduce((sum, part) => sum + part.amount * part.ms, 0);
    assert.equal(parseDuration(text), total, `${text} (seed ${random.seed})`);
  }
});

Deno.test("formatDuration never carries a unit over: no 60 s, no 60 m, no 24 h", () => {
  const edges = [0.94, 0.95, 9.94, 9.95, 999.4, 999.5, 9_994, 9_995, 59_949, 59_950, 59_999];
  const shown = edges.map(formatDuration);
  assert.deepEqual(shown.slice(0, 5), ["940 µs", "0.9 ms", "9.9 ms", "10 ms", "999 ms"]);
  const random = seeded("formats");
  for (let i = 0; i < 3_000; i++) {
    const ms = random.next() ** 8 * 40 * 86_400_000;
    const text = formatDuration(ms);
    assert.match(
      text,
      /^(\d{1,3} µs|\d\.\d ms|\d{2,3} ms|\d\.\d\d s|[1-5]?\d\.\d s|[1-5]?\d m [0-5]\d s|(1?\d|2[0-3]) h [0-5]\d m|\d+ d (1?\d|2[0-3]) h)$/,
      `${ms} ms is shown as ${text} (seed ${random.seed})`,
    );
  }
});
