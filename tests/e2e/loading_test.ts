import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

// The modules of the engine that a run loads: Deno's coverage names each that was evaluated.
async function loaded(workflow: string): Promise<readonly string[]> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      `${folder}/listener.ts`,
      `export default { name: "listener", role: "analyzer", subscribe: {}, onSpan() {} };\n`,
    );
    await Deno.writeTextFile(`${folder}/one.yaml`, workflow);
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        `--coverage=${folder}/coverage`,
        "engine/cli/main.ts",
        "run",
      ]
        .concat(`${folder}/one.yaml`, "--store", `sqlite:${folder}/store.db`),
      cwd: ROOT,
      stdin: "null",
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    const modules: string[] = [];
    for await (const { name } of Deno.readDir(`${folder}/coverage`)) {
      const { url } = JSON.parse(await Deno.readTextFile(`${folder}/coverage/${name}`));
      if (url.startsWith("file://")) modules.push(fileURLToPath(url).replace(ROOT, ""));
    }
    return modules;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const STEPS = 'name: one\nsteps:\n  - { id: one, run: "true" }\n';
const isHosting = (module: string) => /^engine\/(host\/|plugin_hosting)/.test(module);

Deno.test("a workflow without plugins loads nothing of what hosts them", async () => {
  const modules = await loaded(STEPS);
  assert(modules.includes("engine/local_plugins.ts"));
  assert.deepEqual(modules.filter(isHosting), []);
});

Deno.test("a workflow with a plugin does", async () => {
  const modules = await loaded(`${STEPS}plugins:\n  - { use: ./listener.ts, trust: true }\n`);
  assert(modules.filter(isHosting).length > 10);
  assert(!modules.includes("engine/host/sandbox.ts"), "a sandbox is loaded where one is needed");
});
