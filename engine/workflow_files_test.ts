import assert from "node:assert/strict";
import { InvalidError } from "./core/errors.ts";
import { changedModules, checkFile, secretReader, WorkflowFiles } from "./workflow_files.ts";

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "spanloop-files-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const USES = (module: string) =>
  `name: w\nsteps:\n  - id: a\n    uses: script\n    with: { module: ${module} }\n`;

Deno.test("a file that cannot be read is told in words, with the path as it was given", () =>
  inFolder(async (folder) => {
    const said = (file: string) => {
      try {
        checkFile(file, "shown.yaml");
      } catch (thrown) {
        assert.ok(thrown instanceof InvalidError);
        return thrown.message;
      }
      assert.fail(`${file} was read`);
    };
    assert.equal(
      said(`${folder}/none.yaml`),
      "Cannot read shown.yaml: there is no such file",
    );
    assert.match(said(folder), /^Cannot read shown\.yaml: it is a folder/);
    await Deno.writeTextFile(`${folder}/w.yaml`, USES("./gone.ts"));
    const { workflow, diagnostics } = checkFile(`${folder}/w.yaml`, "w.yaml");
    assert.equal(workflow, undefined);
    assert.equal(diagnostics.length, 1);
    assert.match(diagnostics[0].message, /there is no file .*gone\.ts/);
    assert.deepEqual([diagnostics[0].line, diagnostics[0].column], [5, 21]);
  }));

Deno.test("a loaded workflow is read again when its text or a module of it has changed (R4)", () =>
  inFolder(async (folder) => {
    const files = new WorkflowFiles();
    const file = `${folder}/w.yaml`;
    const module = `${folder}/a.ts`;
    await Deno.writeTextFile(file, USES("./a.ts"));
    await Deno.writeTextFile(module, "export default () => {};\n");
    const first = files.load(file);
    assert.equal(files.load(file), first, "the same file is parsed once");
    await Deno.writeTextFile(module, "export default () => ({ a: 1 });\n");
    const second = files.load(file);
    assert.equal(second.definition, first.definition);
    assert.deepEqual(changedModules(first.modules, second.modules), [module]);
    await Deno.writeTextFile(file, USES("./a.ts") + "# more\n");
    assert.notEqual(files.load(file).definition, first.definition);
    await Deno.remove(module);
    assert.throws(() => files.load(file), InvalidError);
  }));

Deno.test("a plugin that is not there is told at its place, with the places that were looked at", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/deno.json`, "{}");
    await Deno.writeTextFile(`${folder}/here.ts`, "");
    const file = `${folder}/w.yaml`;
    await Deno.writeTextFile(
      file,
      "name: w\nplugins:\n  - use: here.ts\n  - use: none_such\n  - trust: true\n    use: ./gone\n" +
        "  - use: npm:not-looked-for@1.0.0\n" +
        "steps:\n  - { id: a, uses: script, with: { module: ./no.ts } }\n",
    );
    const { workflow, diagnostics } = checkFile(file, "w.yaml");
    assert.equal(workflow, undefined);
    const own = new URL("../plugins/none_such/plugin.ts", import.meta.url).pathname;
    assert.deepEqual(
      diagnostics.map(({ line, column, length, code, message }) =>
        [line, column, length, code, message].join(" ")
      ),
      [
        "4 10 9 missing-file there is no plugin `none_such`: looked for " +
        `${folder}/plugins/none_such/plugin.ts and ${own}; put it there, or name it by its path`,
        `6 10 6 missing-file there is no plugin ${folder}/gone; paths are relative to the file that names them`,
        `9 44 7 missing-file there is no file ${folder}/no.ts; paths are relative to the workflow`,
      ],
    );
  }));

Deno.test("the file of a plugin is among a run's modules if a step is of a type that it brings (R4)", () =>
  inFolder(async (folder) => {
    for (const name of ["brings", "listens"]) await Deno.writeTextFile(`${folder}/${name}.ts`, "1");
    await Deno.writeTextFile(
      `${folder}/w.yaml`,
      "name: w\nplugins: [{ use: ./brings.ts }, { use: ./listens.ts }]\n" +
        "steps: [{ id: a, run: 'true' }]\nfinally: [{ id: b, uses: brings/check }]\n",
    );
    const files = new WorkflowFiles();
    const first = files.load(`${folder}/w.yaml`);
    assert.deepEqual(Object.keys(first.modules), [`${folder}/brings.ts`]);
    await Deno.writeTextFile(`${folder}/listens.ts`, "22");
    assert.equal(files.load(`${folder}/w.yaml`), first);
    await Deno.writeTextFile(`${folder}/brings.ts`, "22");
    const second = files.load(`${folder}/w.yaml`);
    assert.deepEqual(changedModules(first.modules, second.modules), [`${folder}/brings.ts`]);
  }));

Deno.test("a secret comes from the environment or a file, whose one final newline is dropped (V4)", () =>
  inFolder(async (folder) => {
    const read = secretReader(folder, { TOKEN: "from-env" });
    assert.equal(read({ env: "TOKEN" }), "from-env");
    assert.equal(read({ env: "NONE" }), undefined);
    await Deno.writeTextFile(`${folder}/key`, "two\nlines\r\n");
    assert.equal(read({ file: "key" }), "two\nlines");
    await Deno.writeTextFile(`${folder}/key`, "two\n\n");
    assert.equal(read({ file: `${folder}/key` }), "two\n");
    assert.equal(read({ file: "none" }), undefined);
  }));
