import assert from "node:assert/strict";
import { MASK, Masker } from "./mask.ts";
import { seeded } from "./seeded_test.ts";

const base64 = (text: string) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

Deno.test("a masker without secrets gives back what it is given", () => {
  const value = { a: ["x"] };
  assert.equal(new Masker([]).value(value), value);
  assert.equal(new Masker(["short"]).idle, true, "under 6 characters would garble text (V4)");
});

Deno.test("each line of a secret of several is masked by itself (V4)", () => {
  const masker = new Masker(["-----BEGIN-----\r\nline one!\nab\n"]);
  assert.equal(masker.text("x line one! y"), `x ${MASK} y`);
  assert.equal(masker.text("ab"), "ab", "a line under 6 characters stays");
});

Deno.test("keys, nested values and other types are told apart (V4)", () => {
  const masker = new Masker(["s3cret-value"]);
  assert.deepEqual(
    masker.value({
      "s3cret-value": 1,
      b: [null, true, 2, "a s3cret-value", { c: "s3cret-value" }],
    }),
    { [MASK]: 1, b: [null, true, 2, `a ${MASK}`, { c: MASK }] },
  );
});

Deno.test("characters of regular expressions in a secret mean themselves (V4)", () => {
  const masker = new Masker(["a.b*c+(d|e)[f]{2}\\$^-/"]);
  assert.equal(masker.text("<a.b*c+(d|e)[f]{2}\\$^-/>"), `<${MASK}>`);
  assert.equal(masker.text("axbbcc"), "axbbcc");
});

Deno.test("of two secrets, one in the other, the longer is masked whole (V4)", () => {
  assert.equal(new Masker(["abcdef", "abcdefghij"]).text("abcdefghij"), MASK);
});

Deno.test("no secret leaks, in any encoding, at any place (V4)", () => {
  const random = seeded("masks");
  const alphabet = [..."abcXYZ0189 \"\\/+=&%$#'<>\t-_.~éü€💥"];
  const word = (length: number) => Array.from({ length }, () => random.pick(alphabet)).join("");
  const encodings: Readonly<Record<string, (text: string) => string>> = {
    plain: (text) => text,
    json: (text) => JSON.stringify({ text }),
    url: encodeURIComponent,
    form: (text) => new URLSearchParams({ text }).toString(),
    base64,
    base64url: (text) => base64(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, ""),
  };
  for (let i = 0; i < 1_500; i++) {
    const secret = word(6 + random.below(20));
    const [name, encode] = random.pick(Object.entries(encodings));
    // In base64 what stands around a secret shifts its bits: it is masked but for its first and last bits.
    const around = name.startsWith("base64")
      ? [word(random.below(9)), word(random.below(9))]
      : ["", ""];
    const before = word(random.below(9)).replaceAll("%", "");
    const text = `${before}\n${encode(around[0] + secret + around[1])}\n${word(random.below(9))}`;
    const masked = new Masker([secret]).text(text);
    const what = `${name} of ${JSON.stringify(secret)} in ${
      JSON.stringify(text)
    }: ${masked} (seed ${random.seed})`;
    assert.ok(masked.includes(MASK), what);
    assert.ok(!masked.includes(secret), what);
    assert.ok(!masked.includes(encodings.json(secret).slice(9, -2)), what);
  }
});

Deno.test("a long secret's base64 is masked although it is broken into lines (V4)", () => {
  const secret = Array.from({ length: 90 }, (_, i) => "abcdefghijklmnopqrstuvwxyz"[(i * 7) % 26])
    .join("");
  const masker = new Masker([secret]);
  for (const width of [64, 76]) {
    for (const before of ["", "x", "xy", "a longer text before it "]) {
      const lines =
        (btoa(`${before}${secret} and after`).match(new RegExp(`.{1,${width}}`, "g")) ?? [])
          .map((line) => masker.text(line));
      const rest = lines.join("").replaceAll("***", "\n");
      const whole = btoa(`${before}${secret}`).slice(Math.ceil(before.length / 3) * 4 + 4, -8);
      for (const part of rest.split("\n")) {
        for (let at = 0; at + 8 <= part.length; at++) {
          assert.ok(!whole.includes(part.slice(at, at + 8)), `${width} ${before}: ${part}`);
        }
      }
    }
  }
  assert.equal(
    masker.text("an ordinary line of words/and/paths"),
    "an ordinary line of words/and/paths",
  );
});
