// The page for authors of plugins is done as it is written, in an empty folder, without a network.
import assert from "node:assert/strict";
import { join } from "node:path";

const ROOT = decodeURI(new URL("..", import.meta.url).pathname);
const README = await Deno.readTextFile(join(ROOT, "plugins/README.md"));
const decoder = new TextDecoder();

function blocks(language: string): readonly string[] {
  return [...README.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, "gm"))]
    .map(([, text]) => text);
}

/** An empty folder and a shell in it that has the command `spanloop`. */
async function inFolder(
  body: (
    sh: (lines: string, env?: Record<string, string>) => Promise<string>,
    folder: string,
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  const bin = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      join(bin, "spanloop"),
      // On a machine that does much else a plugin may take longer to start than a run waits for it.
      `#!/bin/sh\nif [ "$1" = run ]; then set -- "$@" --drain 2m; fi\n` +
        `exec "${Deno.execPath()}" run -A --no-prompt --config "${ROOT}deno.json" ` +
        `"${ROOT}engine/cli/main.ts" "$@"\n`,
      { mode: 0o755 },
    );
    await body(async (lines, env = {}) => {
      const { code, stdout, stderr } = await new Deno.Command("bash", {
        args: ["-e", "-c", lines],
        cwd: folder,
        // What a task has put into it (R3) would be taken for the caller's folder.
        clearEnv: true,
        env: {
          ...Object.fromEntries(
            Object.entries(Deno.env.toObject()).filter(([name]) => name !== "INIT_CWD"),
          ),
          PATH: `${bin}:${Deno.env.get("PATH")}`,
          // Nobody listens there.
          HTTPS_PROXY: "http://127.0.0.1:9",
          HTTP_PROXY: "http://127.0.0.1:9",
          NO_COLOR: "1",
          // What the page's plugin emits is in no registry.
          OTEL_SDK_DISABLED: "true",
          ...env,
        },
      }).output();
      const out = decoder.decode(stdout);
      assert.equal(code, 0, `${lines}\n${out}\n${decoder.decode(stderr)}`);
      return out;
    }, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
    await Deno.remove(bin, { recursive: true });
  }
}

Deno.test("plugins/README.md leads from an empty folder to a plugin that was loaded", async () => {
  const [make, run, replay, exported] = blocks("sh");
  const [yaml] = blocks("yaml");
  const [listed] = blocks("text");
  const [shown] = blocks("ts");
  await inFolder(async (sh, folder) => {
    const made = await sh(make);
    assert.match(made, /Made plugins\/my_plugin/);
    assert.match(made, /ok \| 2 passed \| 0 failed/);
    assert.equal(await Deno.readTextFile(join(folder, "plugins/my_plugin/plugin.ts")), shown);
    await Deno.writeTextFile(join(folder, "nap.yaml"), yaml);
    const ran = await sh(run);
    assert.ok(ran.includes(listed), `${ran}\n---\n${listed}`);
    assert.match(ran, /finding\.long_attempt .*step=sleep seconds=[\d.]+ count=1/);
    assert.match(await sh(replay), /emit +finding\.long_attempt +\{"step":"sleep"/);
    await sh(exported, { OTEL_SDK_DISABLED: "false" });
    const again = await sh("spanloop plugins replay my_plugin nap.yaml --from spans.jsonl");
    assert.match(again, /emit +finding\.long_attempt +\{"step":"sleep"/);
    // The same file is a test's.
    await Deno.copyFile(join(folder, "spans.jsonl"), join(folder, "plugins/my_plugin/spans.jsonl"));
    await Deno.writeTextFile(join(folder, "plugins/my_plugin/export_test.ts"), EXPORT_TEST);
    assert.match(await sh("spanloop plugins test"), /ok \| 3 passed \| 0 failed/);
  });
});

const EXPORT_TEST = `import assert from "node:assert/strict";
import { testPlugin } from "spanloop/testing";
import plugin from "./plugin.ts";

Deno.test("it hears what production wrote", async () => {
  await testPlugin(plugin, {
    spans: "spans.jsonl",
    config: { seconds: 0.2 },
    expect: (actions) => assert.equal(actions.length, 1),
  });
});
`;

Deno.test("plugins test fails with the tests, and hands flags on", async () => {
  await inFolder(async (sh, folder) => {
    await sh("spanloop plugins new one && spanloop plugins new two-b");
    assert.equal((await sh("spanloop plugins test")).match(/2 passed \| 0 failed/g)?.length, 2);
    const file = join(folder, "plugins/two-b/plugin_test.ts");
    await Deno.writeTextFile(
      file,
      (await Deno.readTextFile(file)).replace("duration: 60 }", "duration: 61 }"),
    );
    const code = (line: string) => sh(`${line} >out.txt 2>&1; echo "$?"`.replace(/^/, "set +e; "));
    assert.equal(await code("spanloop plugins test"), "1\n");
    assert.equal(await code("spanloop plugins test one"), "0\n");
    assert.equal(await code("spanloop plugins test ./plugins/two-b"), "1\n");
    assert.equal(await code("spanloop plugins test two-b -- --filter=may"), "0\n");
    // It may read its own folder alone, unless more is allowed.
    await Deno.writeTextFile(join(folder, "outside.txt"), "");
    await Deno.writeTextFile(
      join(folder, "plugins/one/read_test.ts"),
      'Deno.test("r", () => void Deno.readTextFileSync("../../outside.txt"));\n',
    );
    assert.equal(await code("spanloop plugins test one"), "1\n");
    assert.match(await Deno.readTextFile(join(folder, "out.txt")), /Requires read access/);
    assert.equal(await code("spanloop plugins test one -- --allow-read"), "0\n");
    for (
      const [line, says] of [
        ["plugins new one", /There is .*\/plugins\/one already; choose another name/],
        ["plugins new ../x", /A plugin's name is lower-case letters.*not "\.\.\/x"/],
        ["plugins new", /new takes one NAME/],
        ["plugins test three", /There are no tests of a plugin in .*\/plugins\/three/],
        ["plugins tests", /takes list, retry, .* not `tests`; did you mean `test`\?/],
        ["plugins list --from x", /list takes no --from/],
      ] as const
    ) {
      assert.equal(await code(`spanloop ${line}`), "2\n", line);
      assert.match(await Deno.readTextFile(join(folder, "out.txt")), says);
    }
  });
});

Deno.test("plugins new puts the plugin where a project looks for it", async () => {
  await inFolder(async (sh, folder) => {
    await Deno.writeTextFile(join(folder, "spanloop.yaml"), "plugins:\n  - use: deep\n");
    await sh("mkdir -p a/b && cd a/b && spanloop plugins new deep && spanloop plugins test deep");
    assert.ok((await Deno.stat(join(folder, "plugins/deep/plugin.ts"))).isFile);
    await Deno.writeTextFile(
      join(folder, "a/b/w.yaml"),
      "name: w\nsteps:\n  - { id: s, run: 'true' }\n",
    );
    await sh("cd a/b && spanloop run w.yaml");
    const [row] = JSON.parse(await sh("spanloop plugins list --json"));
    assert.deepEqual([row.name, row.workflow, row.handled, row.why], ["deep", null, 1, null]);
  });
});
