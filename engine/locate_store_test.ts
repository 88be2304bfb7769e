import assert from "node:assert/strict";
import { InvalidError } from "./core/errors.ts";
import { locateStore } from "./locate_store.ts";

async function inTree(
  files: Readonly<Record<string, string>>,
  test: (root: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "spanloop-locate-" });
  try {
    for (const [path, text] of Object.entries(files)) {
      await Deno.mkdir(`${root}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(`${root}/${path}`, text);
    }
    await test(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("the store is beside the nearest spanloop.yaml, else deno.json, else .spanloop, else the workflow (R3)", () =>
  inTree({
    "a/spanloop.yaml": "",
    "a/b/deno.json": "{}",
    "a/b/c/w.yaml": "",
    "d/deno.json": "{}",
    "d/e/w.yaml": "",
    "f/.spanloop/store.db": "",
    "f/g/w.yaml": "",
    "h/w.yaml": "",
  }, async (root) => {
    const found = async (near: string) => (await locateStore(`${root}/${near}`, {})).location;
    const store = (folder: string) => `sqlite:${root}/${folder}/.spanloop/store.db`;
    assert.equal(
      await found("a/b/c/w.yaml"),
      store("a"),
      "spanloop.yaml wins, though it is farther",
    );
    assert.equal(await found("a/b/c"), store("a"), "a folder is looked in itself");
    assert.equal(await found("d/e/w.yaml"), store("d"));
    assert.equal(await found("f/g/w.yaml"), store("f"));
    assert.equal(await found("h/w.yaml"), store("h"));
    assert.equal(await found("h/not_there.yaml"), store("h"));
  }));

Deno.test("what is asked for wins over spanloop.yaml, that over the default (R3)", () =>
  inTree({
    "spanloop.yaml": "store: sqlite:data/runs.db\ndurability: normal\n",
    "w.yaml": "",
  }, async (root) => {
    assert.deepEqual(await locateStore(`${root}/w.yaml`, {}), {
      location: `sqlite:${root}/data/runs.db`,
      durability: "normal",
    });
    assert.deepEqual(
      await locateStore(`${root}/w.yaml`, { store: "memory:", durability: "full" }),
      { location: "memory:", durability: "full" },
    );
  }));

Deno.test("a spanloop.yaml that does not hold is refused with what is wrong (R3)", async () => {
  const wrong: readonly [string, RegExp][] = [
    ["- a\n", /must be a mapping/],
    ["stores: x\n", /unknown key stores; known are store and durability/],
    ["durability: maybe\n", /durability must be full or normal/],
    ["store: 3\n", /store must be sqlite:FILE or memory:/],
    ["a: [\n", /Cannot read .*spanloop\.yaml/],
  ];
  for (const [text, message] of wrong) {
    await inTree({ "spanloop.yaml": text }, async (root) => {
      await assert.rejects(locateStore(root, {}), (thrown) => {
        assert.ok(thrown instanceof InvalidError && thrown.exitCode === 2);
        assert.match(thrown.message, message);
        return true;
      });
    });
  }
});
