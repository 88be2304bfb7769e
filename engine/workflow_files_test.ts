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
