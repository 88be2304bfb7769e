import assert from "node:assert/strict";
import { InvalidError } from "./core/errors.ts";
import { locateStore, projectFolder } from "./locate_store.ts";

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
      plugins: [],
    });
    assert.deepEqual(
      await locateStore(`${root}/w.yaml`, { store: "memory:", durability: "full" }),
      { location: "memory:", durability: "full", plugins: [] },
    );
  }));

Deno.test("a spanloop.yaml that does not hold is refused with what is wrong (R3)", async () => {
  const wrong: readonly [string, RegExp][] = [
    ["- a\n", /^1:1 spanloop\.yaml is a mapping/],
    ["\nstores: x\n", /^2:1 spanloop\.yaml has no key `stores`/],
    ["durability: maybe\n", /^1:13 `durability` must be one of full, normal/],
    ["store: 3\n", /^1:8 `store` must be sqlite:FILE or memory:/],
    ["plugins: [{ use: http://a }]\n", /^1:18 plugins come from a path/],
    ["a: [\n", /^2:1 /],
  ];
  for (const [text, message] of wrong) {
    await inTree({ "spanloop.yaml": text }, async (root) => {
      await assert.rejects(locateStore(root, {}), (thrown) => {
        assert.ok(thrown instanceof InvalidError && thrown.exitCode === 2);
        assert.equal(thrown.message, `${root}/spanloop.yaml does not hold`);
        const [{ file, line, column, message: told }] = thrown.diagnostics;
        assert.equal(file, `${root}/spanloop.yaml`);
        assert.match(`${line}:${column} ${told}`, message);
        return true;
      });
    });
  }
});

Deno.test("a project's plugins are those of the nearest spanloop.yaml, its folder that or deno.json's (R3)", () =>
  inTree({
    "a/spanloop.yaml": "plugins: [{ use: slow_step }, { use: ./mine.ts, trust: true }]\n",
    "a/b/w.yaml": "",
    "a/b/deno.json": "{}",
    "c/deno.json": "{}",
    "c/w.yaml": "",
    "d/w.yaml": "",
  }, async (root) => {
    const { plugins } = await locateStore(`${root}/a/b/w.yaml`, {});
    assert.equal(projectFolder(`${root}/a/b`), `${root}/a`);
    assert.deepEqual(
      plugins.map((
        { name, workflow, folder, file, line, trust },
      ) => [name, workflow, folder, file, line, trust]),
      [
        ["slow_step", undefined, `${root}/a`, `${root}/a/spanloop.yaml`, 1, false],
        ["mine", undefined, `${root}/a`, `${root}/a/spanloop.yaml`, 1, true],
      ],
    );
    assert.deepEqual((await locateStore(`${root}/c/w.yaml`, {})).plugins, []);
    assert.equal(projectFolder(`${root}/c`), `${root}/c`);
    assert.deepEqual((await locateStore(`${root}/d`, {})).plugins, []);
    assert.equal(projectFolder(`${root}/d`), undefined);
  }));

Deno.test("the parser of YAML is loaded only where there is a spanloop.yaml", () =>
  inTree({ "a/spanloop.yaml": "", "b/w.yaml": "" }, async (root) => {
    const { imports } = JSON.parse(
      await Deno.readTextFile(new URL("../deno.json", import.meta.url)),
    );
    const parser = "data:text/javascript,";
    await Deno.writeTextFile(
      `${root}/imports.json`,
      JSON.stringify({ imports: { ...imports, yaml: parser } }),
    );
    const module = import.meta.resolve("./locate_store.ts");
    await Deno.writeTextFile(
      `${root}/main.js`,
      `import { locateStore } from ${JSON.stringify(module)}; await locateStore(Deno.args[0], {});`,
    );
    const run = async (folder: string) => {
      const { success, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "-A", "--no-check", "--no-config", `--import-map=${root}/imports.json`],
          ...[`${root}/main.js`, `${root}/${folder}`],
        ],
      }).output();
      return { success, told: new TextDecoder().decode(stderr) };
    };
    assert.match((await run("a")).told, /The requested module 'yaml'/);
    assert.deepEqual(await run("b"), { success: true, told: "" });
  }));
