import assert from "node:assert/strict";
import type { PluginUse } from "./core/plugin_use.ts";
import { InvalidError } from "./core/errors.ts";
import { placePlugin } from "./plugin_places.ts";

/** Calls `test` with a folder that holds these files; a text that begins with `->` is a link. */
async function inTree(
  files: Readonly<Record<string, string>>,
  test: (root: string) => void,
): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "spanloop-places-" });
  try {
    for (const [path, text] of Object.entries(files)) {
      await Deno.mkdir(`${root}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      if (text.startsWith("->")) await Deno.symlink(`${root}/${text.slice(2)}`, `${root}/${path}`);
      else await Deno.writeTextFile(`${root}/${path}`, text);
    }
    test(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

function plugin(root: string, folder: string, use: string, trust = false): PluginUse {
  const at = { folder: `${root}/${folder}`, file: `${root}/${folder}/w.yaml`, line: 3 };
  return { name: "any", use, ...at, trust, with: {} };
}

Deno.test("a plugin is found by path, folder, or name in plugins/ of the project, then Spanloop's own", () =>
  inTree({
    "project/spanloop.yaml": "",
    "project/plugins/mine/plugin.ts": "",
    "project/plugins/both/plugin.ts": "",
    "project/flows/deno.json": "{}",
    "project/flows/local.ts": "",
    "project/flows/plugins/near/plugin.ts": "",
    "alone/plugins/beside/plugin.ts": "",
    "own/both/plugin.ts": "",
    "own/slow_step/plugin.ts": "",
  }, (root) => {
    const find = (use: string, folder = "project/flows") => {
      const place = placePlugin(plugin(root, folder, use), `${root}/own`);
      assert.ok(place.kind === "file");
      assert.equal(place.folder, place.path.replace(/\/[^/]*$/, ""));
      return [place.path.slice(root.length + 1), place.trusted];
    };
    assert.deepEqual(find("./local.ts"), ["project/flows/local.ts", false]);
    assert.deepEqual(find("local.ts"), ["project/flows/local.ts", false]);
    assert.deepEqual(find("plugins/near/"), ["project/flows/plugins/near/plugin.ts", false]);
    assert.deepEqual(find(`${root}/project/flows/local.ts`), ["project/flows/local.ts", false]);
    assert.deepEqual(find("mine"), ["project/plugins/mine/plugin.ts", false]);
    assert.deepEqual(find("both"), ["project/plugins/both/plugin.ts", false]);
    assert.deepEqual(find("slow_step"), ["own/slow_step/plugin.ts", true]);
    assert.deepEqual(find("beside", "alone"), ["alone/plugins/beside/plugin.ts", false]);
    const sentence = (use: string) => {
      try {
        placePlugin(plugin(root, "project/flows", use), `${root}/own`);
      } catch (thrown) {
        assert.ok(thrown instanceof InvalidError);
        return thrown.message.replaceAll(root, "");
      }
      assert.fail(`${use} was found`);
    };
    assert.equal(
      sentence("near"),
      "/project/flows/w.yaml:3: there is no plugin `near`: looked for /project/plugins/near/plugin.ts and " +
        "/own/near/plugin.ts; put it there, or name it by its path",
    );
    assert.match(
      sentence("./plugins"),
      /there is no plugin \/project\/flows\/plugins\/plugin\.ts;/,
    );
    assert.match(sentence("./no\0thing/x.ts"), /there is no plugin /);
  }));

Deno.test("what lies in Spanloop's own plugins/ is trusted, however it is named; a link out of it is not", () =>
  inTree({
    "own/slow_step/plugin.ts": "",
    "own/leads_out/plugin.ts": "->elsewhere/plugin.ts",
    "elsewhere/plugin.ts": "",
    "own_too/plugin.ts": "",
    "flows/linked.ts": "->own/slow_step/plugin.ts",
  }, (root) => {
    const trusted = (use: string, trust = false) =>
      placePlugin(plugin(root, "flows", use, trust), `${root}/own`).trusted;
    assert.equal(trusted("slow_step"), true);
    assert.equal(trusted("../own/slow_step"), true);
    assert.equal(trusted("../flows/../own/slow_step/plugin.ts"), true);
    assert.equal(trusted("./linked.ts"), true);
    assert.equal(trusted("leads_out"), false);
    assert.equal(trusted("../own_too"), false);
    assert.equal(trusted("../own_too", true), true);
    assert.equal(trusted("npm:spanloop-review@1.2.0"), false);
    assert.deepEqual(placePlugin(plugin(root, "flows", "npm:@acme/review@1.2.0", true)), {
      kind: "npm",
      specifier: "npm:@acme/review@1.2.0",
      trusted: true,
    });
  }));
