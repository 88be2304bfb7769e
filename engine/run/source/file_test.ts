import assert from "node:assert/strict";
import type { Json } from "../../core/json.ts";
import { type Seeded, seeded } from "../../core/seeded_test.ts";
import { csv } from "./csv.ts";
import { FileSource } from "./file.ts";
import { ListSource } from "./list.ts";
import { ndjson } from "./ndjson.ts";
import type { ItemSource, Slice } from "./source.ts";

const CHUNK = 1 << 20; // what FileSource reads at once

async function withFile<T>(
  name: string,
  bytes: Uint8Array | string,
  use: (open: () => Promise<FileSource>, path: string) => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-source-" });
  const path = `${folder}/${name}`;
  try {
    if (typeof bytes === "string") await Deno.writeTextFile(path, bytes);
    else await Deno.writeFile(path, bytes);
    const open = () =>
      name.endsWith(".csv")
        ? FileSource.open(path, (file) => csv(file, path))
        : FileSource.open(path, ndjson);
    return await use(open, path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const linesOf = (slice: Slice): Json[] => {
  const text = new TextDecoder().decode(slice.ndjson());
  if (text === "") return [];
  assert.ok(text.endsWith("\n"), "each line has its end");
  return text.slice(0, -1).split("\n").map((line) => JSON.parse(line));
};

// Hands everything out by random batch sizes; F2 for each slice on the way.
async function handOut(
  source: ItemSource,
  size: () => number,
  what: string,
): Promise<{ items: Json[]; slices: Slice[] }> {
  const items: Json[] = [];
  const slices: Slice[] = [];
  for (;;) {
    const wanted = size();
    const slice = await source.next(wanted);
    if (slice === undefined) break;
    const { from, to } = slice.range;
    assert.equal(from, items.length, `a gap or an overlap: ${what}`);
    assert.ok(to > from && to - from <= wanted, what);
    assert.equal(slice.items.length, to - from, what);
    assert.equal(slice.size, to - from, what);
    assert.deepEqual(linesOf(slice), slice.items, `stdin differs from items: ${what}`);
    items.push(...slice.items);
    slices.push(slice);
  }
  assert.equal(await source.next(1), undefined, what);
  return { items, slices };
}

function value(random: Seeded): Json {
  const text = () => Array.from({ length: random.below(9) }, () => random.pick([...'ab é€💥\\"/']));
  return random.pick<() => Json>([
    () => random.below(1e6) / 7,
    () => text().join(""),
    () => null,
    () => ({ id: random.below(99), text: text().join("") }),
    () => [true, [text().join("\n")]],
  ])();
}

Deno.test("NDJSON: random batches cover every item once, and a range is the same items again (F2)", async () => {
  const random = seeded("ndjson");
  for (let round = 0; round < 60; round++) {
    const what = `round ${round}, seed ${random.seed}`;
    const expected = Array.from({ length: random.below(40) }, () => value(random));
    let text = random.next() < 0.2 ? "\ufeff" : "";
    const end = random.pick(["\n", "\r\n"]);
    const blank = () => random.next() < 0.2 ? random.pick(["", "  ", "\t"]) + end : "";
    for (const item of expected) text += blank() + JSON.stringify(item) + end;
    text += blank();
    if (random.next() < 0.3 && expected.length > 0) text = text.trimEnd();
    await withFile("x.ndjson", text, async (open) => {
      const source = await open();
      const { items, slices } = await handOut(source, () => 1 + random.below(7), what);
      assert.deepEqual(items, expected, what);
      assert.equal(source.share(), 1);
      // After a crash: some ranges again, and on from behind the last one.
      const resumed = await open();
      const done = slices.slice(0, random.below(slices.length + 1));
      for (const slice of done) {
        resumed.skipTo(slice.range);
        const again = await resumed.again(slice.range);
        assert.deepEqual(again.items, slice.items, what);
        assert.deepEqual(again.ndjson(), slice.ndjson(), what);
      }
      const rest: Json[] = [];
      for (let slice; (slice = await resumed.next(3)) !== undefined;) {
        assert.equal(slice.range.from, (done.at(-1)?.range.to ?? 0) + rest.length, what);
        rest.push(...slice.items);
      }
      assert.deepEqual(rest, expected.slice(done.at(-1)?.range.to ?? 0), what);
      source.close();
      resumed.close();
    });
  }
});

Deno.test("CSV: random rows with quotes and line ends in them come out as they went in (F2, V1)", async () => {
  const random = seeded("csv");
  for (let round = 0; round < 60; round++) {
    const what = `round ${round}, seed ${random.seed}`;
    const end = random.pick(["\n", "\r\n"]);
    const field = () =>
      Array.from({ length: 1 + random.below(6) }, () => random.pick([...'ab,;"\n é💥'])).join("");
    const quote = (text: string) =>
      /[",\r\n]/.test(text) || random.next() < 0.3 ? `"${text.replaceAll('"', '""')}"` : text;
    const columns = ["id", 'the "name"', "note\nof two lines"].slice(0, 1 + random.below(3));
    const expected = Array.from(
      { length: random.below(30) },
      (_, id) =>
        Object.fromEntries(columns.map((name, i) => [name, i === 0 ? String(id) : field()])),
    );
    let text = (random.next() < 0.2 ? "\ufeff" : "") + columns.map(quote).join(",") + end;
    for (const row of expected) {
      if (random.next() < 0.15) text += end;
      text += columns.map((name) => quote(row[name])).join(",") + end;
    }
    if (random.next() < 0.3) text = text.replace(/\r?\n$/, "");
    await withFile("x.csv", text, async (open) => {
      const source = await open();
      const { items, slices } = await handOut(source, () => 1 + random.below(7), what);
      assert.deepEqual(items, expected, what);
      const again = await open();
      for (const slice of slices) {
        assert.deepEqual((await again.again(slice.range)).items, slice.items, what);
      }
      source.close();
      again.close();
    });
  }
});

Deno.test("a chunk's end may fall into any byte of a character, a line end or a quote (F2)", async () => {
  const random = seeded("chunks");
  for (const shift of [0, 1, 2, 3, 4, 5, 6]) {
    const first = JSON.stringify("x".repeat(CHUNK - 10 - shift));
    const expected: Json[] = [JSON.parse(first), "💥é€", "", "\r\n", 4, "last 💥"];
    const text = expected.map((item) => JSON.stringify(item)).join("\r\n");
    await withFile("x.ndjson", text, async (open) => {
      const source = await open();
      const what = `shift ${shift}, seed ${random.seed}`;
      const { items } = await handOut(source, () => 1 + random.below(3), what);
      assert.ok(JSON.stringify(items) === JSON.stringify(expected), what);
      source.close();
    });
    const head = "a,b\n";
    const long = "y".repeat(CHUNK - head.length - 8 - shift);
    await withFile("x.csv", `${head}"${long}","💥\n""é"\r\n1,2\r\n3,"4\r\n"`, async (open) => {
      const source = await open();
      const { items } = await handOut(source, () => 2, `shift ${shift}`);
      const rows = [{ a: long, b: '💥\n"é' }, { a: "1", b: "2" }, { a: "3", b: "4\r\n" }];
      assert.ok(JSON.stringify(items) === JSON.stringify(rows), `shift ${shift}`);
      source.close();
    });
  }
});

Deno.test("a file of several chunks: batches larger than a chunk, and one item at a time near its end (F2)", async () => {
  const random = seeded("large");
  const expected = Array.from({ length: 30_000 }, (_, id) => ({
    id,
    text: random.pick(["é", "💥💥", "plain", ""]).repeat(random.below(30)),
  }));
  const text = expected.map((item) => JSON.stringify(item) + "\n").join("");
  assert.ok(text.length > 1.2 * CHUNK);
  await withFile("x.ndjson", text, async (open) => {
    for (const sizes of [[100_000], [29_999, 1], [7_000, 1, 1, 3_000]]) {
      const source = await open();
      let turn = 0;
      const items: Json[] = [];
      for (let slice; (slice = await source.next(sizes[turn++ % sizes.length])) !== undefined;) {
        items.push(...slice.items);
      }
      assert.ok(
        JSON.stringify(items) === JSON.stringify(expected),
        `${sizes} (seed ${random.seed})`,
      );
      source.close();
    }
  });
});

Deno.test("calls of next() that overlap hand out each item once, in order (F2)", async () => {
  const text = Array.from({ length: 50 }, (_, i) => `${i}\n`).join("");
  await withFile("x.ndjson", text, async (open) => {
    const source = await open();
    const slices = await Promise.all(Array.from({ length: 12 }, () => source.next(5)));
    assert.deepEqual(
      slices.flatMap((slice) => slice?.items ?? []),
      Array.from({ length: 50 }, (_, i) => i),
    );
    source.close();
  });
});

Deno.test("what a source has left: exact where it is at hand, else estimated and rather low", async () => {
  const random = seeded("left");
  const list = new ListSource([1, 2, 3, 4, 5]);
  await list.next(2);
  assert.equal(await list.left(), 3);
  const what = `seed ${random.seed}`;
  for (const name of ["x.ndjson", "x.csv"]) {
    const csvs = name.endsWith(".csv");
    const lines = (count: number) =>
      (csvs ? "a,b\n" : "") +
      Array.from({ length: count }, (_, id) =>
        csvs
          ? `${id},"${"x".repeat(random.below(90))}\n"\n`
          : `{"id":${id},"x":"${"x".repeat(random.below(90))}"}\n`).join("");
    for (const count of [0, 1, 40]) {
      const whole = lines(count);
      for (const text of [whole, whole + (csvs ? "\n\n" : "  \n"), whole.slice(0, -1)]) {
        await withFile(name, text, async (open) => {
          const source = await open();
          assert.equal(await source.left(), count, `${JSON.stringify(text)} ${what}`);
          assert.equal(await source.left(), count, "asking changes nothing");
          const { items } = await handOut(source, () => 3, what);
          assert.equal(items.length, count);
          assert.equal(await source.left(), 0);
          source.close();
        });
      }
    }
    // Of several chunks: from any place in the file, and nothing is lost by asking.
    await withFile(name, lines(80_000), async (open) => {
      const source = await open();
      let next = 0;
      while (next < 80_000) {
        const left = await source.left();
        const rest = 80_000 - next;
        assert.ok(left <= rest && left >= 0.85 * rest, `${left} of ${rest}, ${name}, ${what}`);
        const slice = (await source.next(9_000))!;
        assert.equal(slice.range.from, next);
        next = slice.range.to;
      }
      assert.equal(await source.left(), 0);
      source.close();
    });
  }
});

Deno.test("a file's identity tells a change of its size or time (F3)", async () => {
  await withFile("x.ndjson", "1\n2\n", async (open, path) => {
    const before = await open();
    await Deno.writeTextFile(path, "1\n2\n3\n");
    const after = await open();
    assert.notDeepEqual(before.identity, after.identity);
    await Deno.utime(path, new Date(0), new Date(0));
    const touched = await open();
    assert.notEqual(touched.identity.changed, after.identity.changed);
    for (const source of [before, after, touched]) source.close();
  });
});

Deno.test("a list hands out each item once, by any batch sizes (F2)", async () => {
  const random = seeded("list");
  for (let round = 0; round < 100; round++) {
    const expected = Array.from({ length: random.below(20) }, (_, i) => i);
    const what = `round ${round}, seed ${random.seed}`;
    const { items, slices } = await handOut(
      new ListSource(expected),
      () => 1 + random.below(6),
      what,
    );
    assert.deepEqual(items, expected, what);
    const resumed = new ListSource(expected);
    for (const slice of slices) {
      assert.deepEqual((await resumed.again(slice.range)).items, slice.items);
      resumed.skipTo(slice.range);
    }
    assert.equal(await resumed.next(1), undefined, what);
  }
});
